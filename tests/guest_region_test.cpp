// Runs in a guest with real DAX (scripts/guest.sh --backing=...); elsewhere every test says why it is
// skipped.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/platform/device_guard.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/placement.hpp"
#include "harness/platform/pmem2.hpp"
#include "harness/platform/region.hpp"
#include "tests/region_checks.hpp"

namespace daxrace {
namespace {

using region_checks::open_error;
using ::testing::HasSubstr;

constexpr std::size_t kHugeBytes = std::size_t{2} << 20;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// On the pmem of one node.
RegionSpec pmem_spec(const std::string& path, std::size_t frames) {
  RegionSpec spec;
  spec.path = path;
  spec.backing = std::filesystem::is_directory(path) ? Backing::fsdax : Backing::devdax;
  spec.destroy_data = true;
  spec.bytes = frames * 4096;
  return spec;
}

class GuestRegion : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    path_ = from_environment(GetParam() == 0 ? "DAXRACE_DAX0" : "DAXRACE_DAX1");
    if (path_.empty())
      GTEST_SKIP() << "no DAX here: DAXRACE_DAX" << GetParam() << " is not set (scripts/guest.sh sets it)";
    spec_ = pmem_spec(path_, 600);
    if (is_devdax() && alignment() >= kHugeBytes) spec_.bytes = 16 * kHugeBytes;
  }
  bool is_devdax() const { return spec_.backing == Backing::devdax; }
  std::size_t alignment() const {
    const FileDescriptor fd(open(path_.c_str(), O_RDWR));
    return Pmem2Source(fd.get(), path_).alignment();
  }
  void write_at_start(const std::vector<std::byte>& bytes) const {
    const FileDescriptor fd(open(path_.c_str(), O_RDWR));
    Pmem2Source(fd.get(), path_).write(bytes.data(), bytes.size(), 0);
  }

  std::string path_;
  RegionSpec spec_;
};

TEST_P(GuestRegion, FactsSayWhatTheKernelSays) {
  const auto region = Region::open(spec_);
  const RegionFacts& facts = region->facts();
  EXPECT_EQ(facts.backing, spec_.backing);
  EXPECT_THAT(facts.granularity, ::testing::AnyOf("cache_line", "byte"));
  EXPECT_TRUE(facts.durable);
  EXPECT_EQ(facts.pmem_node, GetParam());
  if (is_devdax()) {
    EXPECT_EQ(facts.frame_bytes, alignment());
    EXPECT_EQ(facts.device, path_);
    EXPECT_EQ(facts.fs, "");
  } else {
    EXPECT_EQ(facts.frame_bytes, 4096U);
    EXPECT_EQ(facts.device, "/dev/pmem" + std::to_string(GetParam()));
    EXPECT_THAT(facts.fs, ::testing::AnyOf("xfs", "ext4"));
    EXPECT_THAT(facts.mount_options, HasSubstr("dax=always"));
  }
}

TEST_P(GuestRegion, FramesBehave) {
  const auto region = Region::open(spec_);
  region_checks::expect_frames_behave(*region);
}

TEST_P(GuestRegion, FramesBehaveWhereTheFileIsLargeEnoughForHugeBlocks) {
  spec_.bytes = 64 * kHugeBytes;
  const auto region = Region::open(spec_);
  region_checks::expect_frames_behave(*region);
}

TEST_P(GuestRegion, FramesOf2MiBBehave) {
  spec_.frame_bytes = kHugeBytes;
  spec_.bytes = 16 * kHugeBytes;
  const auto region = Region::open(spec_);
  EXPECT_EQ(region->facts().frames, 16U);
  region_checks::expect_frames_behave(*region);
}

TEST_P(GuestRegion, DiscardPunchesWhereThereIsAFile) {
  const auto region = Region::open(spec_);
  if (is_devdax()) {
    EXPECT_FALSE(region->discard(1));
  } else {
    region_checks::expect_discard_gives_zeros_back(*region);
  }
}

TEST_P(GuestRegion, NothingIsLeftInTheDirectory) {
  if (is_devdax()) GTEST_SKIP() << "devdax has no directory";
  { const auto region = Region::open(spec_); }
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    EXPECT_EQ(entry.path().filename(), "lost+found");
}

TEST_P(GuestRegion, SomebodysFileOfTheSameNameIsRefused) {
  if (is_devdax()) GTEST_SKIP() << "devdax has no directory";
  const std::string name = path_ + "/daxrace.region";
  std::ofstream(name) << "precious";
  EXPECT_THAT(open_error(spec_), HasSubstr("exists and is not daxrace's"));
  std::string text;
  std::ifstream(name) >> text;
  EXPECT_EQ(text, "precious");
  std::filesystem::remove(name);
}

TEST_P(GuestRegion, SecondOneIsRefusedByALock) {
  const auto region = Region::open(spec_);
  EXPECT_THAT(open_error(spec_), HasSubstr("in use by another daxrace"));
}

TEST_P(GuestRegion, TooLargeIsRefusedAndNothingIsLeft) {
  spec_.bytes = std::size_t{1} << 40;
  EXPECT_THAT(open_error(spec_), HasSubstr("has room for"));
  spec_.bytes = kHugeBytes;
  EXPECT_EQ(open_error(spec_), "opened");
}

TEST_P(GuestRegion, DevdaxNeedsDestroyData) {
  if (!is_devdax()) GTEST_SKIP() << "fsdax destroys nothing";
  spec_.destroy_data = false;
  EXPECT_THAT(open_error(spec_), HasSubstr("--destroy-data"));
}

TEST_P(GuestRegion, OurLabelIsRecognised) {
  if (!is_devdax()) GTEST_SKIP() << "fsdax keeps its label in the file";
  { const auto region = Region::open(spec_); }
  const FileDescriptor fd(open(path_.c_str(), O_RDWR));
  std::vector<std::byte> head(kLabelBytes);
  Pmem2Source(fd.get(), path_).read(head.data(), head.size(), 0);
  EXPECT_TRUE(is_label(head));
}

TEST_P(GuestRegion, KnownSignatureOnDevdaxIsRefusedAndKept) {
  if (!is_devdax()) GTEST_SKIP() << "a file system is there, and stays";
  std::vector<std::byte> pool(4096);
  std::memcpy(pool.data(), "PMEMOBJ", 8);
  write_at_start(pool);
  EXPECT_THAT(open_error(spec_), HasSubstr("a PMEMOBJ pool"));
  ASSERT_EQ(std::system("truncate -s 64M /tmp/image && mke2fs -q -F -t ext4 /tmp/image"), 0);
  std::vector<std::byte> image(1U << 20);
  std::ifstream("/tmp/image", std::ios::binary).read(reinterpret_cast<char*>(image.data()), 1 << 20);
  write_at_start(image);
  EXPECT_THAT(open_error(spec_), HasSubstr("carries ext4"));
  std::vector<std::byte> seen(image.size());
  {
    const FileDescriptor fd(open(path_.c_str(), O_RDWR));
    Pmem2Source(fd.get(), path_).read(seen.data(), seen.size(), 0);
  }
  EXPECT_EQ(seen, image);
  write_at_start(std::vector<std::byte>(1U << 20));
  EXPECT_EQ(open_error(spec_), "opened");
}

TEST_P(GuestRegion, DevdaxHeldByAnotherProcessIsRefused) {
  if (!is_devdax()) GTEST_SKIP() << "fsdax may be shared";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int fd = open(path_.c_str(), O_RDWR);
    (void)!write(ready[1], &fd, 1);
    pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_THAT(open_error(spec_), HasSubstr("in use by process " + std::to_string(child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(open_error(spec_), "opened");
}

TEST_P(GuestRegion, PmemBlockDeviceIsNeverABacking) {
  if (is_devdax()) GTEST_SKIP() << "no pmem block device beside devdax";
  spec_.path = "/dev/pmem" + std::to_string(GetParam());
  spec_.backing = Backing::file;
  EXPECT_THAT(open_error(spec_), HasSubstr("raw block device is never used"));
  spec_.backing = Backing::devdax;
  EXPECT_THAT(open_error(spec_), HasSubstr("raw block device is never used"));
  EXPECT_THAT([&] { (void)open_scratch_disk(spec_.path, true); },
              ::testing::ThrowsMessage<Error>(HasSubstr("mounted or otherwise in use")));
}

/// Frames and peer blocks change places, through the direct and through the user mapping.
TEST_P(GuestRegion, DirectIoGoesBetweenFramesAndAPeer) {
  const std::string disk = from_environment("DAXRACE_NULLB");
  if (disk.empty()) GTEST_SKIP() << "no null_blk here: DAXRACE_NULLB is not set";
  const auto region = Region::open(spec_);
  const std::size_t bytes = region->facts().frame_bytes;
  const auto peer = Peer::open(disk, bytes, 8, true);
  IoRing ring(*peer, 8);
  const auto finish = [&](unsigned count) {
    IoRing::Completion completion{};
    for (unsigned done = 0; done < count;) {
      if (!ring.reap(completion)) {
        ring.wait(1'000'000'000);
        continue;
      }
      ASSERT_EQ(completion.result, static_cast<int>(bytes)) << "tag " << completion.tag;
      ++done;
    }
  };
  for (const bool user : {false, true}) {
    const auto buffer = [&](FrameNumber frame) { return user ? region->user(frame) : region->direct(frame); };
    for (FrameNumber frame = 0; frame < 8; ++frame) {
      const std::uint64_t stamp = 1000U + frame + (user ? 500U : 0U);
      region->write_frame(frame, 0, &stamp, sizeof stamp);
      region->write_frame(frame, bytes - 8, &stamp, sizeof stamp);
      ring.submit_write(buffer(frame), frame, frame);
    }
    finish(8);
    region->zap(0, 8);
    for (FrameNumber frame = 0; frame < 8; ++frame) ring.submit_read(buffer(frame), 7 - frame, frame);
    finish(8);
    for (FrameNumber frame = 0; frame < 8; ++frame) {
      std::uint64_t seen = 0;
      region->read_frame(frame, bytes - 8, &seen, sizeof seen);
      EXPECT_EQ(seen, 1000U + (7 - frame) + (user ? 500U : 0U));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Nodes, GuestRegion, ::testing::Values(0, 1),
                         [](const auto& test) { return "node" + std::to_string(test.param); });

class GuestPeer : public ::testing::Test {
 protected:
  static std::string error_of(const std::string& disk, bool destroy_data) {
    try {
      (void)Peer::open(disk, 4096, 64, destroy_data);
    } catch (const Error& error) {
      return error.what();
    }
    return "opened";
  }
};

TEST_F(GuestPeer, NullBlkCompletesAfterSubmitHasReturned) {
  const std::string disk = from_environment("DAXRACE_NULLB");
  if (disk.empty()) GTEST_SKIP() << "no null_blk here: DAXRACE_NULLB is not set";
  EXPECT_THAT(error_of(disk, false), HasSubstr("--destroy-data"));
  // A request of a few microseconds may be over when an emulated CPU comes back from submitting it.
  EXPECT_GE(Peer::open(disk, 4096, 64, true)->async_share(), 0.3);
  EXPECT_EQ(error_of(disk, true), "opened");
}

TEST_F(GuestPeer, DiskThatCarriesAFileSystemOrIsMountedIsRefusedAndKept) {
  const std::string disk = from_environment("DAXRACE_SCRATCH");
  if (disk.empty()) GTEST_SKIP() << "no scratch disk here: DAXRACE_SCRATCH is not set";
  ASSERT_EQ(std::system(("wipefs -q -a " + disk + " && mke2fs -q -F -t ext4 " + disk).c_str()), 0);
  EXPECT_THAT(error_of(disk, true), HasSubstr("carries ext4"));
  EXPECT_EQ(std::system(("e2fsck -f -n " + disk + " >/dev/null 2>&1").c_str()), 0);
  ASSERT_EQ(
      std::system(
          ("mkdir -p /tmp/scratch && modprobe -q ext4; mount -t ext4 " + disk + " /tmp/scratch").c_str()),
      0);
  EXPECT_THAT(error_of(disk, true), HasSubstr("mounted or otherwise in use"));
  ASSERT_EQ(std::system(("umount /tmp/scratch && wipefs -q -a " + disk).c_str()), 0);
  EXPECT_EQ(error_of(disk, true), "opened");
}

class GuestNodes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Topology().nodes().size() < 2) GTEST_SKIP() << "one NUMA node here";
  }
};

TEST_F(GuestNodes, MemoryLiesOnTheNodeThatWasAskedFor) {
  for (const int node : {0, 1}) {
    RegionSpec spec;
    spec.bytes = 8U << 20;
    spec.numa_node = node;
    EXPECT_EQ(Region::open(spec)->facts().pmem_node, node);
    const NodeBuffer buffer(1U << 20, node);
    for (std::size_t at = 0; at < buffer.size(); at += 65536) EXPECT_EQ(buffer.node_of(at), node);
  }
}

TEST_F(GuestNodes, WorkersRunWhereThePlanSays) {
  const Topology topology;
  for (const int node : {0, 1}) {
    const PlacementPlan local = topology.plan(Placement::local, 2, node);
    const PlacementPlan remote = topology.plan(Placement::remote, 2, node);
    for (const int cpu : local.worker_cpus) EXPECT_EQ(topology.node_of_cpu(cpu), node);
    for (const int cpu : remote.worker_cpus) EXPECT_EQ(topology.node_of_cpu(cpu), 1 - node);
    EXPECT_EQ(local.worker_nodes, std::vector<int>(2, node));
    EXPECT_EQ(remote.worker_nodes, std::vector<int>(2, 1 - node));
    for (const int cpu : remote.worker_cpus) {
      bind_thread_to_cpu(cpu);
      unsigned running_on = 0, running_node = 0;
      ASSERT_EQ(getcpu(&running_on, &running_node), 0);
      EXPECT_EQ(static_cast<int>(running_on), cpu);
      EXPECT_EQ(static_cast<int>(running_node), 1 - node);
    }
  }
  const PlacementPlan both = topology.plan(Placement::interleave, 2, 1);
  EXPECT_EQ(topology.node_of_cpu(both.worker_cpus[0]), 1);
  EXPECT_EQ(topology.node_of_cpu(both.worker_cpus[1]), 0);
}

}  // namespace
}  // namespace daxrace
