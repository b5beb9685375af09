#include "harness/platform/io_ring.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kBlockBytes = 4096;
constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kForever = ~std::uint64_t{0};

double milliseconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

class IoRingTest : public ::testing::Test {
 protected:
  ~IoRingTest() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  void SetUp() override {
    try {
      peer_ = Peer::open("", kBlockBytes, kSlots, false);
      (void)IoRing(*peer_, 1);
    } catch (const Skipped& skipped) {
      GTEST_SKIP() << skipped.what();
    }
  }
  /// The directory is made when it is first needed: a death test's child never gets to remove it.
  std::string in_directory(const std::string& name) {
    if (directory_.empty()) {
      std::string pattern = "/var/tmp/daxrace-io-ring-XXXXXX";
      if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
      directory_ = pattern;
    }
    return directory_ + "/" + name;
  }

  static constexpr std::size_t kSlots = 64;
  std::unique_ptr<Peer> peer_;
  NodeBuffer buffer_{16 * kBlockBytes, -1};

  std::byte* block(std::size_t index) const { return buffer_.data() + index * kBlockBytes; }

 private:
  std::string directory_;
};

using PerfIoRing = IoRingTest;

/// The next completion, slept for. Fails the test if none comes within seconds.
IoRing::Completion next(IoRing& ring) {
  IoRing::Completion completion{};
  const auto start = steady_clock::now();
  while (!ring.reap(completion)) {
    if (milliseconds_since(start) > 10'000) {
      ADD_FAILURE() << "no completion within 10 s";
      break;
    }
    ring.wait(kSecondNs);
  }
  return completion;
}

void stamp(std::byte* block, std::uint64_t value) {
  for (std::size_t at = 0; at < kBlockBytes; at += 8) std::memcpy(block + at, &value, 8);
}

bool holds(const std::byte* block, std::uint64_t value) {
  for (std::size_t at = 0; at < kBlockBytes; at += 8) {
    if (std::memcmp(block + at, &value, 8) != 0) return false;
  }
  return true;
}

TEST_F(IoRingTest, WhatIsWrittenIsReadBack) {
  IoRing ring(*peer_, 1);
  stamp(block(0), 77);
  ring.submit_write(block(0), 5, 1);
  EXPECT_EQ(ring.in_flight(), 1U);
  IoRing::Completion completion = next(ring);
  EXPECT_EQ(completion.tag, 1U);
  EXPECT_EQ(completion.result, static_cast<int>(kBlockBytes));
  EXPECT_EQ(ring.in_flight(), 0U);
  ring.submit_read(block(1), 5, 2);
  completion = next(ring);
  EXPECT_EQ(completion.tag, 2U);
  EXPECT_TRUE(holds(block(1), 77));
}

TEST_F(IoRingTest, FilledBlocksAreReadAndNeighboursAreNotTouched) {
  std::vector<std::byte> unaligned(kBlockBytes + 1);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    stamp(unaligned.data() + 1, 100 + slot);
    peer_->fill(slot, unaligned.data() + 1);
  }
  IoRing ring(*peer_, 1);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    ring.submit_read(block(0), slot, slot);
    EXPECT_EQ(next(ring).result, static_cast<int>(kBlockBytes));
    EXPECT_TRUE(holds(block(0), 100 + slot));
  }
}

TEST_F(IoRingTest, EightInFlightInRandomOrderEachReachItsOwnSlotAndBuffer) {
  constexpr unsigned kSeed = 8;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  constexpr unsigned kDepth = 8;
  std::mt19937 random(kSeed);
  IoRing ring(*peer_, kDepth);
  std::vector<std::uint64_t> model(kSlots, 0);
  std::vector<bool> slot_busy(kSlots, false);
  struct Request {
    bool write;
    std::size_t slot;
    std::uint64_t value;
  };
  std::vector<Request> requests(kDepth);
  std::vector<unsigned> free_buffers = {0, 1, 2, 3, 4, 5, 6, 7};
  unsigned deepest = 0;
  for (unsigned submitted = 0, done = 0; done < 2000;) {
    if (submitted < 2000 && !free_buffers.empty()) {
      const std::size_t slot = random() % kSlots;
      if (slot_busy[slot]) continue;
      const unsigned index = free_buffers.back();
      free_buffers.pop_back();
      slot_busy[slot] = true;
      requests[index] = {random() % 2 == 0, slot, ++submitted};
      if (requests[index].write) {
        stamp(block(index), submitted);
        ring.submit_write(block(index), slot, index);
      } else {
        ring.submit_read(block(index), slot, index);
      }
      deepest = std::max(deepest, ring.in_flight());
      continue;
    }
    const IoRing::Completion completion = next(ring);
    ASSERT_LT(completion.tag, kDepth);
    ASSERT_EQ(completion.result, static_cast<int>(kBlockBytes));
    const auto index = static_cast<unsigned>(completion.tag);
    const Request& request = requests[index];
    if (request.write) {
      model[request.slot] = request.value;
    } else {
      ASSERT_TRUE(holds(block(index), model[request.slot])) << "slot " << request.slot;
    }
    slot_busy[request.slot] = false;
    free_buffers.push_back(index);
    ++done;
  }
  EXPECT_EQ(deepest, kDepth);
  EXPECT_EQ(ring.in_flight(), 0U);
}

TEST_F(IoRingTest, RequestBeyondTheDepthIsAProgrammingErrorThatStops) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        IoRing ring(*peer_, 2);
        for (unsigned i = 0; i < 3; ++i) ring.submit_read(block(i), i, i);
      },
      "more requests in flight than its depth");
}

TEST_F(IoRingTest, ErrorComesBackAsTheResult) {
  IoRing ring(*peer_, 1);
  ring.submit_read(buffer_.data() + 1, 0, 9);
  const IoRing::Completion completion = next(ring);
  EXPECT_EQ(completion.tag, 9U);
  // Not every device wants aligned buffers, but an address that nobody mapped is refused by all.
  if (completion.result >= 0) {
    auto* const nobodys =
        reinterpret_cast<std::byte*>(std::uintptr_t{4096});  // NOLINT(performance-no-int-to-ptr)
    ring.submit_read(nobodys, 0, 9);
    EXPECT_EQ(next(ring).result, -EFAULT);
  } else {
    EXPECT_EQ(completion.result, -EINVAL);
  }
}

TEST_F(IoRingTest, ReapWithNothingInFlightSaysSo) {
  IoRing ring(*peer_, 4);
  IoRing::Completion completion{};
  EXPECT_FALSE(ring.reap(completion));
}

TEST_F(IoRingTest, WaitEndsAtItsTimeLimit) {
  IoRing ring(*peer_, 1);
  const auto start = steady_clock::now();
  ring.wait(50'000'000);
  EXPECT_GE(milliseconds_since(start), 45.0);
}

TEST_F(PerfIoRing, WaitSleepsInsteadOfSpinning) {
  IoRing ring(*peer_, 1);
  timespec before{};
  timespec after{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  ring.wait(200'000'000);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  const double cpu_ms = static_cast<double>(after.tv_sec - before.tv_sec) * 1e3 +
                        static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e6;
  EXPECT_LT(cpu_ms, 50.0);
}

TEST_F(IoRingTest, WaitEndsWithACompletion) {
  IoRing ring(*peer_, 1);
  ring.submit_read(block(0), 0, 3);
  ring.wait(kForever);
  IoRing::Completion completion{};
  EXPECT_TRUE(ring.reap(completion));
}

TEST_F(IoRingTest, PokeWakesASleepingWait) {
  IoRing ring(*peer_, 1);
  std::atomic<bool> told{false};
  std::thread poker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    told = true;
    ring.poke();
  });
  ring.wait(kForever);
  EXPECT_TRUE(told);
  poker.join();
}

TEST_F(IoRingTest, PokeBeforeWaitEndsTheNextWaitAndOnlyThat) {
  IoRing ring(*peer_, 1);
  ring.poke();
  ring.poke();
  ring.wait(kForever);
  const auto again = steady_clock::now();
  ring.wait(50'000'000);
  EXPECT_GE(milliseconds_since(again), 45.0);
}

TEST_F(IoRingTest, PokeThatReapCameAcrossStillEndsTheNextWait) {
  IoRing ring(*peer_, 1);
  ring.submit_read(block(0), 0, 1);
  ring.poke();
  IoRing::Completion completion{};
  while (!ring.reap(completion)) std::this_thread::yield();
  EXPECT_EQ(completion.tag, 1U);
  ring.wait(kForever);
}

TEST_F(IoRingTest, NoPokeIsLostAmongThousandsBesideIo) {
  constexpr unsigned kRounds = 3000;
  IoRing ring(*peer_, 2);
  std::atomic<unsigned> told{0};
  std::atomic<unsigned> seen{0};
  std::thread poker([&] {
    for (unsigned round = 1; round <= kRounds; ++round) {
      told = round;
      ring.poke();
      while (seen.load() < round) std::this_thread::yield();
    }
  });
  IoRing::Completion completion{};
  const auto start = steady_clock::now();
  for (unsigned round = 1; round <= kRounds; ++round) {
    while (told.load() < round && milliseconds_since(start) < 60'000) {
      if (ring.in_flight() < 2 && round % 64 == 0) ring.submit_read(block(ring.in_flight()), 0, 1);
      ring.wait(kForever);
      while (ring.reap(completion)) continue;
    }
    seen = round;
  }
  poker.join();
  EXPECT_EQ(seen, kRounds);
}

TEST_F(IoRingTest, RingMadeByOneThreadBelongsToTheOneThatUsesIt) {
  IoRing ring(*peer_, 4);
  std::thread worker([&] {
    for (unsigned i = 0; i < 4; ++i) ring.submit_read(block(i), i, i);
    for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(next(ring).result, static_cast<int>(kBlockBytes));
  });
  worker.join();
  EXPECT_EQ(ring.in_flight(), 0U);
}

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

std::size_t mapped_queues() {
  std::ifstream file("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.find("[io_uring]") != std::string::npos;
  return count;
}

/// No file, no mapping of its queues, and, where the disk is slow enough to show it, no read that still
/// writes into memory which others have by now.
TEST_F(IoRingTest, RingsGoneWithIoInFlightLeaveNothingBehind) {
  constexpr unsigned kRings = 20;
  constexpr unsigned kDepth = 8;
  constexpr auto kOthers = std::byte{0x5a};
  const std::size_t files = open_files();
  const std::size_t queues = mapped_queues();
  for (unsigned i = 0; i < kRings; ++i) {
    {
      IoRing ring(*peer_, kDepth);
      for (unsigned k = 0; k < kDepth; ++k) ring.submit_read(block(k), k, k);
      EXPECT_EQ(ring.in_flight(), kDepth);
      EXPECT_GT(open_files(), files);
      EXPECT_GT(mapped_queues(), queues);
    }
    for (unsigned k = 0; k < kDepth; ++k) std::fill_n(block(k), kBlockBytes, kOthers);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (unsigned k = 0; k < kDepth; ++k)
      ASSERT_EQ(std::count(block(k), block(k) + kBlockBytes, kOthers), kBlockBytes) << "ring " << i;
  }
  EXPECT_EQ(open_files(), files);
  EXPECT_EQ(mapped_queues(), queues);
}

TEST_F(IoRingTest, DepthOfZeroOrAMillionIsRefused) {
  EXPECT_THROW((void)IoRing(*peer_, 0), Error);
  EXPECT_THAT([&] { (void)IoRing(*peer_, 1'000'000); },
              ThrowsMessage<Error>(HasSubstr("queue depth 1000000")));
}

/// Makes io_uring_setup fail in this process from now on, as the seccomp profile of a container does.
void forbid_io_uring(std::uint32_t error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST_F(IoRingTest, RefusedIoUringIsSkippedWithTheReason) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto try_with = [&](std::uint32_t error) {
    forbid_io_uring(error);
    try {
      (void)IoRing(*peer_, 1);
    } catch (const Skipped& skipped) {
      std::fprintf(stderr, "skipped: %s\n", skipped.what());
      std::exit(77);
    }
    std::exit(0);
  };
  EXPECT_EXIT(try_with(EPERM), ::testing::ExitedWithCode(77),
              "io_uring: (refused by seccomp|kernel.io_uring_disabled)");
  EXPECT_EXIT(try_with(ENOSYS), ::testing::ExitedWithCode(77), "io_uring: this kernel has none");
  const auto peer_with = [&] {
    forbid_io_uring(EPERM);
    try {
      (void)Peer::open("", kBlockBytes, 8, false);
    } catch (const Skipped& skipped) {
      std::fprintf(stderr, "skipped: %s\n", skipped.what());
      std::exit(77);
    }
    std::exit(0);
  };
  EXPECT_EXIT(peer_with(), ::testing::ExitedWithCode(77),
              "io_uring: (refused by seccomp|kernel.io_uring_disabled)");
}

TEST_F(IoRingTest, DefaultPeerIsOnADiskThatDoesNotCompleteInline) {
  if (peer_->async_share() < 0.9)
    GTEST_SKIP() << "no such disk here: " << peer_->path() << " " << peer_->async_share();
  EXPECT_THAT(peer_->path(), HasSubstr("(unnamed)"));
  EXPECT_LE(peer_->async_share(), 1.0);
  EXPECT_EQ(fcntl(peer_->fd(), F_GETFL) & O_DIRECT, O_DIRECT);
}

TEST_F(IoRingTest, EveryBlockOfThePeerIsReallyWritten) {
  const std::string path = in_directory("peer");
  const auto peer = Peer::open(path, kBlockBytes, 100, false);
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 101 * 4096);
  EXPECT_EQ(peer->offset_of(1) - peer->offset_of(0), kBlockBytes);
  EXPECT_GE(peer->offset_of(0), 4096U);
}

TEST_F(IoRingTest, NamedPeerIsOursAloneAndGoneAfterwards) {
  const std::string path = in_directory("peer");
  {
    const auto peer = Peer::open(path, kBlockBytes, 8, false);
    EXPECT_THAT([&] { (void)Peer::open(path, kBlockBytes, 8, false); },
                ThrowsMessage<Error>(HasSubstr("in use by another daxrace")));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(IoRingTest, SomebodysFileIsRefusedAsAPeer) {
  const std::string path = in_directory("precious");
  std::ofstream(path) << std::string(50000, 'x');
  EXPECT_THAT([&] { (void)Peer::open(path, kBlockBytes, 8, true); },
              ThrowsMessage<Error>(HasSubstr("exists and is not daxrace's")));
  EXPECT_EQ(std::filesystem::file_size(path), 50000U);
}

TEST_F(IoRingTest, BlockSizeThatSuitsNoDirectIoIsRefused) {
  EXPECT_THAT([&] { (void)Peer::open(in_directory("peer"), 1000, 8, false); },
              ThrowsMessage<Error>(HasSubstr("do not suit direct I/O")));
  EXPECT_FALSE(std::filesystem::exists(in_directory("peer")));
}

TEST_F(IoRingTest, FileSystemWithoutDirectIoIsNamed) {
  struct statfs info {};
  if (statfs("/dev/shm", &info) != 0 || info.f_type != TMPFS_MAGIC)
    GTEST_SKIP() << "/dev/shm is no tmpfs here";
  const std::string path = "/dev/shm/daxrace-peer-test-" + std::to_string(getpid());
  EXPECT_THAT([&] { (void)Peer::open(path, kBlockBytes, 8, false); },
              ThrowsMessage<Error>(HasSubstr("tmpfs does not take O_DIRECT")));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace daxrace
