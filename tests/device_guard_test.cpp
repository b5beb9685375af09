#include "harness/platform/device_guard.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/devdax.hpp"
#include "harness/platform/mount_info.hpp"

namespace daxrace {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kTotalBytes = 64U << 20;
constexpr std::size_t kProbeBytes = 1U << 20;

class DeviceGuard : public ::testing::Test {
 protected:
  DeviceGuard() {
    if (mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~DeviceGuard() override { std::filesystem::remove_all(directory_); }
  std::string in_directory(const std::string& name) const { return directory_ + "/" + name; }

  /// The signature of an image that `command IMAGE` has made.
  std::string signature_made_by(const std::string& command) const {
    const std::string image = in_directory("image");
    std::ofstream(image).close();
    std::filesystem::resize_file(image, kImageBytes);
    if (std::system((command + " " + image + " >/dev/null 2>&1").c_str()) != 0) return "cannot be made here";
    std::ifstream file(image, std::ios::binary);
    std::vector<std::byte> head(kProbeBytes), tail(kProbeBytes);
    file.read(reinterpret_cast<char*>(head.data()), kProbeBytes);
    file.seekg(static_cast<std::streamoff>(kImageBytes - kProbeBytes));
    file.read(reinterpret_cast<char*>(tail.data()), kProbeBytes);
    return known_signature(head, tail, kImageBytes);
  }

 private:
  static constexpr std::uint64_t kImageBytes = 400U << 20;
  std::string directory_ = "/var/tmp/daxrace-test-XXXXXX";
};

std::string signature_of(const std::vector<std::byte>& head) {
  return known_signature(head, std::vector<std::byte>(kProbeBytes), kTotalBytes);
}

std::vector<std::byte> head_with(std::size_t at, const void* bytes, std::size_t count) {
  std::vector<std::byte> head(kProbeBytes);
  std::memcpy(head.data() + at, bytes, count);
  return head;
}

template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(DeviceGuard, LabelIsKnownAgainAndNoTwoAreAlike) {
  const LabelPage one = make_label();
  const LabelPage two = make_label();
  EXPECT_TRUE(is_label(one));
  EXPECT_TRUE(is_label(two));
  EXPECT_NE(one, two);
}

TEST_F(DeviceGuard, LabelWithOneBitChangedAnywhereIsNotOurs) {
  const LabelPage whole = make_label();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    LabelPage damaged = whole;
    damaged[at] ^= std::byte{0x10};
    ASSERT_FALSE(is_label(damaged)) << "byte " << at;
  }
  EXPECT_FALSE(is_label(std::span(whole).first(kLabelBytes - 1)));
}

TEST_F(DeviceGuard, OurLabelAndEmptySpaceCarryNoKnownSignature) {
  EXPECT_EQ(signature_of(std::vector<std::byte>(kProbeBytes)), "");
  const LabelPage label = make_label();
  EXPECT_EQ(signature_of(head_with(0, label.data(), label.size())), "");
}

TEST_F(DeviceGuard, StampedFramesCarryNoKnownSignature) {
  constexpr unsigned kSeed = 20240229;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::vector<std::byte> head(kProbeBytes);
  for (std::size_t at = kLabelBytes; at + 8 <= head.size(); at += 8) {
    const std::uint64_t word = random();
    std::memcpy(head.data() + at, &word, sizeof word);
  }
  EXPECT_EQ(signature_of(head), "");
}

TEST_F(DeviceGuard, FileSystemsAreRecognised) {
  const std::string ext4 = signature_made_by("mke2fs -q -F -t ext4 -E lazy_itable_init=1");
  const std::string xfs = signature_made_by("mkfs.xfs -q -f");
  if (ext4 == "cannot be made here" && xfs == ext4) GTEST_SKIP() << "neither mke2fs nor mkfs.xfs is here";
  EXPECT_THAT(ext4, ::testing::AnyOf("ext4", "cannot be made here"));
  EXPECT_THAT(xfs, ::testing::AnyOf("xfs", "cannot be made here"));
}

TEST_F(DeviceGuard, SwapIsRecognised) {
  std::vector<std::byte> head(kProbeBytes);
  std::memcpy(head.data() + 4086, "SWAPSPACE2", 10);
  const std::uint32_t version_and_pages[] = {1, 1000};
  std::memcpy(head.data() + 1024, version_and_pages, sizeof version_and_pages);
  EXPECT_EQ(signature_of(head), "swap");
}

TEST_F(DeviceGuard, PartitionTableIsRecognised) {
  std::vector<std::byte> head(kProbeBytes);
  // One Linux partition of 1 MiB at sector 2048.
  const unsigned char entry[16] = {0, 0, 2, 0, 0x83, 0, 3, 0, 0, 8, 0, 0, 0, 8, 0, 0};
  std::memcpy(head.data() + 446, entry, sizeof entry);
  head[510] = std::byte{0x55};
  head[511] = std::byte{0xaa};
  EXPECT_EQ(signature_of(head), "a dos partition table");
}

TEST_F(DeviceGuard, SignatureAtTheEndIsRecognised) {
  // The backup header of a GUID partition table lies in the last sector; an md member of version 1.0 near the
  // end.
  std::vector<std::byte> tail(kProbeBytes);
  const std::uint64_t end = kTotalBytes;
  const std::uint64_t superblock = ((end >> 9) - 16) / 8 * 8 * 512;
  struct {
    std::uint32_t magic = 0xa92b4efc;
    std::uint32_t major = 1;
    std::uint32_t features = 0;
    std::uint32_t padding = 0;
    unsigned char uuid[16] = {1, 2, 3};
    unsigned char rest[96] = {};
    std::uint64_t data_offset = 0;
    std::uint64_t data_size = 1000;
    std::uint64_t super_offset = 0;
  } md;
  md.super_offset = superblock / 512;
  std::memcpy(tail.data() + (superblock - (end - kProbeBytes)), &md, sizeof md);
  EXPECT_EQ(known_signature(std::vector<std::byte>(kProbeBytes), tail, kTotalBytes), "linux_raid_member");
}

TEST_F(DeviceGuard, PmemPoolsAndFamfsAreRecognised) {
  EXPECT_EQ(signature_of(head_with(0, "PMEMOBJ", 8)), "a PMEMOBJ pool");
  EXPECT_EQ(signature_of(head_with(0, "PMEMBLK", 8)), "a PMEMBLK pool");
  const std::uint64_t famfs = 0x87b282ff;
  EXPECT_EQ(signature_of(head_with(0, &famfs, sizeof famfs)), "famfs");
}

/// Runs `hold` in a child process, then `check` with its pid, while the child stays as it is.
template <class Hold, class Check>
void while_a_child_holds(Hold hold, Check check) {
  int ready[2];
  int release[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(release), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  char byte = 0;
  if (child == 0) {
    close(release[1]);
    hold();
    (void)!write(ready[1], &byte, 1);
    (void)!read(release[0], &byte, 1);
    _exit(0);
  }
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  check(child);
  for (const int fd : {ready[0], ready[1], release[0], release[1]}) close(fd);
  waitpid(child, nullptr, 0);
}

dev_t full_device() { return makedev(1, 7); }

TEST_F(DeviceGuard, ProcessThatHasADeviceOpenIsFound) {
  if (!device_holder(full_device()).empty()) GTEST_SKIP() << "somebody else uses /dev/full";
  while_a_child_holds(
      +[] { (void)open("/dev/full", O_RDWR); },
      [](pid_t child) {
        EXPECT_THAT(device_holder(full_device()), ::testing::StartsWith(std::to_string(child) + " ("));
      });
  EXPECT_EQ(device_holder(full_device()), "");
}

TEST_F(DeviceGuard, ProcessThatHasADeviceOnlyMappedIsFound) {
  const dev_t zero = makedev(1, 5);
  if (!device_holder(zero).empty()) GTEST_SKIP() << "somebody else uses /dev/zero";
  const auto map = +[] {
    const int fd = open("/dev/zero", O_RDWR);
    (void)mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
  };
  while_a_child_holds(map, [&](pid_t child) {
    EXPECT_THAT(device_holder(zero), ::testing::StartsWith(std::to_string(child) + " ("));
  });
}

TEST_F(DeviceGuard, DirectoryIsLockedOnceAndFreeAgainAfterwards) {
  const std::string directory = in_directory("");
  {
    const FileDescriptor lock = lock_directory(directory);
    EXPECT_THAT(error_of([&] { (void)lock_directory(directory); }), HasSubstr("in use by another daxrace"));
  }
  EXPECT_EQ(error_of([&] { (void)lock_directory(directory); }), "no error");
  EXPECT_TRUE(std::filesystem::is_empty(directory));
}

TEST_F(DeviceGuard, LockHoldsAgainstAnotherProcess) {
  static std::string directory;
  directory = in_directory("");
  const auto lock = +[] { (void)flock(open(directory.c_str(), O_RDONLY), LOCK_EX); };
  while_a_child_holds(lock, [&](pid_t) {
    EXPECT_THAT(error_of([&] { (void)lock_directory(directory); }), HasSubstr("in use by another daxrace"));
  });
}

TEST_F(DeviceGuard, OwnFileStartsWithOurLabelAndNothingElse) {
  const std::string path = in_directory("own");
  const OwnFile file(path);
  std::vector<std::byte> bytes(2 * kLabelBytes);
  ASSERT_EQ(pread(file.fd(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(kLabelBytes));
  EXPECT_TRUE(is_label(bytes));
}

TEST_F(DeviceGuard, OwnFileOfADeadRunIsEmptiedBeforeUse) {
  const std::string path = in_directory("own");
  {
    const LabelPage label = make_label();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(label.data()), kLabelBytes);
    file << std::string(100000, 'x');
  }
  const OwnFile file(path);
  EXPECT_EQ(std::filesystem::file_size(path), kLabelBytes);
}

TEST_F(DeviceGuard, ScratchDiskNeedsDestroyData) {
  const std::string path = in_directory("disk");
  if (mknod(path.c_str(), S_IFBLK | 0600, makedev(120, 0)) != 0) {
    GTEST_SKIP() << "cannot make a device node: " << std::strerror(errno);
  }
  EXPECT_THAT(error_of([&] { (void)open_scratch_disk(path, false); }), HasSubstr("--destroy-data"));
  EXPECT_THAT(error_of([&] { (void)open_scratch_disk(path, true); }), HasSubstr("cannot open"));
}

TEST_F(DeviceGuard, ZerosAreReallyWritten) {
  const std::string path = in_directory("zeros");
  const FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  write_zeros(fd.get(), 4096, (3U << 20) + 4096, path);
  struct stat info {};
  ASSERT_EQ(fsync(fd.get()), 0);
  ASSERT_EQ(fstat(fd.get(), &info), 0);
  EXPECT_EQ(info.st_size, 4096 + (3 << 20) + 4096);
  EXPECT_GE(info.st_blocks * 512, (3 << 20) + 4096);
}

TEST_F(DeviceGuard, FullFileSystemIsNamedOnWriting) {
  const FileDescriptor full(open("/dev/full", O_RDWR));
  ASSERT_TRUE(full);
  EXPECT_THAT(error_of([&] { write_zeros(full.get(), 0, 4096, "/dev/full"); }),
              HasSubstr("/dev/full: no room left on"));
}

TEST(MountInfo, LineIsReadWithOptionalFieldsAndEscapes) {
  const auto mount = parse_mount(
      R"(36 35 259:1 / /mnt/my\040pmem rw,noatime shared:1 master:2 - xfs /dev/pmem0 rw,noatime,dax=always)");
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->id, 36U);
  EXPECT_EQ(mount->major, 259U);
  EXPECT_EQ(mount->minor, 1U);
  EXPECT_EQ(mount->point, "/mnt/my pmem");
  EXPECT_EQ(mount->fs, "xfs");
  EXPECT_EQ(mount->source, "/dev/pmem0");
  EXPECT_EQ(mount->options, "rw,noatime,dax=always");
}

TEST(MountInfo, MalformedLineIsNoMount) {
  EXPECT_FALSE(parse_mount(""));
  EXPECT_FALSE(parse_mount("36 35 259:1 / /mnt rw"));
  EXPECT_FALSE(parse_mount("36 35 259:1 / /mnt rw - xfs"));
}

TEST(MountInfo, ProcIsFoundOnProc) {
  const FileDescriptor fd(open("/proc/self/status", O_RDONLY));
  EXPECT_EQ(fs_name_of(fd.get()), "proc");
}

/// A sysfs of our own making, with devdax devices of major number 252.
class DevdaxSysfs : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }
  /// `bus` is what the device above it belongs to.
  void add(unsigned minor, const std::string& parent, const std::string& bus,
           bool tells_its_alignment = true) {
    const std::filesystem::path sys = root_ / "sys";
    const std::filesystem::path device = sys / "devices" / parent / fmt::format("dax{}.0", minor);
    std::filesystem::create_directories(device);
    std::filesystem::create_directories(sys / "dev/char");
    std::filesystem::create_symlink(sys / "bus/dax", device / "subsystem");
    std::filesystem::create_symlink(sys / "bus" / bus, device.parent_path() / "subsystem");
    std::filesystem::create_symlink(device, sys / fmt::format("dev/char/252:{}", minor));
    std::ofstream(device / "size") << (512ULL << 20) << '\n';
    if (tells_its_alignment) std::ofstream(device / "align") << (2U << 20) << '\n';
  }
  std::optional<DevdaxFacts> of(unsigned minor) const {
    return devdax_without_namespace(makedev(252, minor), root_.string());
  }
  std::filesystem::path root_ = std::filesystem::current_path() / fmt::format("devdax-sysfs-{}", getpid());
};

TEST_F(DevdaxSysfs, TellsWhatLibpmem2DiesOfWhereThereIsNoNamespace) {
  add(0, "platform/hmem.0", "platform");
  add(1, "platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0", "cxl");
  for (const unsigned minor : {0U, 1U}) {
    const auto facts = of(minor);
    ASSERT_TRUE(facts.has_value()) << minor;
    EXPECT_EQ(facts->alignment, std::size_t{2} << 20);
    EXPECT_EQ(facts->bytes, std::uint64_t{512} << 20);
  }
}

TEST_F(DevdaxSysfs, LeavesADeviceOfANamespaceToLibpmem2) {
  add(0, "platform/e820_pmem/ndbus0/region0/dax0.1", "nd");
  EXPECT_FALSE(of(0).has_value());
  EXPECT_FALSE(of(7).has_value()) << "there is none";
}

TEST_F(DevdaxSysfs, ThatSaysTooLittleIsAnError) {
  add(0, "platform/hmem.0", "platform", false);
  EXPECT_THROW(of(0), Error);
}

}  // namespace
}  // namespace daxrace
