// The parts of --target=kernel on whatever file system the build lies on: planted waits, overlaps and hangs
// must be told as such, and nobody else's files touched.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/check/kernel_litmus.hpp"
#include "bench/check/litmus_text.hpp"
#include "bench/cli/cli.hpp"
#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"
#include "harness/base/stamp.hpp"
#include "harness/live/guard.hpp"
#include "harness/live/observe/canaries.hpp"
#include "harness/live/observe/kernel_log.hpp"
#include "harness/live/observe/trace.hpp"
#include "harness/live/run/kernel_view.hpp"
#include "harness/live/run/request_queue.hpp"
#include "harness/live/staging/cell.hpp"
#include "harness/live/staging/cell_wire.hpp"
#include "harness/live/staging/decider.hpp"
#include "harness/live/staging/litmus.hpp"
#include "harness/live/staging/stopped_device.hpp"
#include "harness/platform/clock.hpp"
#include "harness/platform/placement.hpp"
#include "tests/pretend_dax.hpp"
#include "tests/refuse_flock.hpp"

namespace daxrace::kernel {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t kSecond = 1'000'000'000;

/// A pipe on which threads can be put to sleep, and woken.
class Bed {
 public:
  Bed() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    read_ = ends[0];
    write_ = ends[1];
  }
  ~Bed() {
    close(read_);
    close(write_);
  }
  Helper::Body sleeper() const {
    return [fd = read_] {
      char byte = 0;
      return long{read(fd, &byte, 1)};
    };
  }
  void wake(int sleepers) const {
    for (int i = 0; i < sleepers; ++i) EXPECT_EQ(write(write_, "x", 1), 1);
  }

 private:
  int read_ = -1;
  int write_ = -1;
};

bool stacks_can_be_read() {
  const Bed bed;
  const Helper helper("sleeper", bed.sleeper());
  timespec nap{0, 20'000'000};
  nanosleep(&nap, nullptr);
  const bool can = !helper.state().stack.empty();
  bed.wake(1);
  EXPECT_TRUE(helper.wait(kSecond));
  return can;
}

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string pattern = std::filesystem::current_path() / "kernel-target-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(Watch, TellsASleeperFromASpinnerFromOneThatEnded) {
  const Bed bed;
  const Helper sleeper("sleeper", bed.sleeper());
  std::atomic<bool> stop{false};
  const Helper spinner("spinner", [&stop] {
    while (!stop.load()) continue;
    return 7L;
  });
  EXPECT_EQ(watch(sleeper, 5 * kSecond).doing, Doing::asleep);
  EXPECT_EQ(watch(spinner, kSecond / 5).doing, Doing::busy);
  stop.store(true);
  EXPECT_TRUE(spinner.wait(5 * kSecond));
  EXPECT_EQ(watch(spinner, kSecond).doing, Doing::ended);
  EXPECT_EQ(spinner.result(), 7);
  bed.wake(1);
  EXPECT_TRUE(sleeper.wait(5 * kSecond));
}

TEST(Watch, InterruptsWhoSleepsInterruptibly) {
  const Bed bed;
  const Helper helper("sleeper", [fd = bed.sleeper()] {
    const long result = fd();
    return result < 0 ? long{-errno} : result;
  });
  ASSERT_EQ(watch(helper, 5 * kSecond).doing, Doing::asleep);
  helper.interrupt();
  ASSERT_TRUE(helper.wait(5 * kSecond));
  EXPECT_EQ(helper.result(), -EINTR);
}

TEST(Watch, LooksAtTheProcessThatAThreadWaitsFor) {
  std::atomic<pid_t> sleeper{0};
  const Helper helper("sleeper", [&sleeper](std::atomic<pid_t>& task) {
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    task.store(child);
    sleeper.store(child);
    int status = 0;
    waitpid(child, &status, 0);
    return long{WTERMSIG(status)};
  });
  const Watched watched = watch(helper, 5 * kSecond);
  EXPECT_EQ(watched.doing, Doing::asleep);
  if (!watched.state.stack.empty()) {
    EXPECT_THAT(watched.state.stack, Contains(HasSubstr("pause")));
  }
  kill(sleeper.load(), SIGTERM);
  ASSERT_TRUE(helper.wait(5 * kSecond));
  EXPECT_EQ(helper.result(), SIGTERM);
}

TEST(Hang, IsReportedWithEveryThreadAndFreedByItsCauseNotByASignal) {
  const Bed bed;
  const Helper first("the first", bed.sleeper());
  const Helper second("the second", bed.sleeper());
  EXPECT_FALSE(all_end({&first, &second}, 2 * kSecond));
  bool tried = false;
  const CellResult cell =
      report_hang("planted", {&first, &second},
                  {{"something else", [&] { tried = true; }}, {"waking them", [&] { bed.wake(2); }}});
  EXPECT_EQ(cell.outcome, Outcome::hang);
  EXPECT_TRUE(tried);
  EXPECT_EQ(cell.freed_by, "waking them");
  EXPECT_THAT(cell.report, Contains("the first:"));
  EXPECT_THAT(cell.report, Contains("the second:"));
  EXPECT_THAT(cell.report, Contains(HasSubstr("syscall")));
}

TEST(Hang, IsFreedByASignalWhereNoCauseHelps) {
  const Bed bed;
  const Helper helper("the only one", bed.sleeper());
  ASSERT_EQ(watch(helper, 5 * kSecond).doing, Doing::asleep);
  EXPECT_EQ(report_hang("planted", {&helper}, {}).freed_by, "a signal");
}

/// Changes that are none: what the words of a verdict rest on is how they sleep.
class Verdict : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!stacks_can_be_read()) GTEST_SKIP() << "/proc/PID/stack cannot be read";
  }
  void TearDown() override { over_->store(true); }

  Helper::Body looks_each(std::uint64_t period_ns) const {
    return [over = over_, period_ns] {
      while (!over->load()) {
        const timespec period{0, static_cast<long>(period_ns)};
        nanosleep(&period, nullptr);
      }
      return 0L;
    };
  }
  Helper::Body burns() const {
    return [over = over_] {
      while (!over->load()) continue;
      return 0L;
    };
  }
  /// An access whose end is what the change waits for, or not.
  InFlight access(bool ends_change) const {
    return {.holders = {},
            .release = [over = over_, ends_change] { over->store(ends_change); },
            .judge = [](bool) { return std::string(); }};
  }
  Cause ending() const {
    return {"ending it", [over = over_] { over->store(true); }};
  }
  CellResult verdict(Helper::Body change_body, bool ends_change, Patience& patience) const {
    over_->store(false);
    const Helper change("the change", std::move(change_body));
    const Watched meanwhile = watch(change, kSecond);
    CellResult cell = let_go(change, meanwhile, access(ends_change), {ending()}, patience);
    over_->store(true);
    EXPECT_TRUE(change.wait(5 * kSecond));
    return cell;
  }

  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
};

TEST_F(Verdict, WaitedIsSaidOfAChangeThatLooksAgainHoweverOften) {
  constexpr std::uint64_t kMs = 1'000'000;
  for (const std::uint64_t period : {4 * kMs, 100 * kMs, 600 * kMs}) {
    Patience patience;
    const CellResult cell = verdict(looks_each(period), true, patience);
    EXPECT_EQ(cell.outcome, Outcome::waited) << period / kMs << " ms: " << cell.what;
    EXPECT_THAT(cell.where, HasSubstr("nanosleep")) << period / kMs;
  }
}

TEST_F(Verdict, HangIsSaidOfOneThatLooksAgainForEverWithTheBound) {
  Patience patience(2 * kSecond);
  const CellResult cell = verdict(looks_each(600'000'000), false, patience);
  EXPECT_EQ(cell.outcome, Outcome::hang) << cell.what;
  EXPECT_THAT(cell.what, HasSubstr("not all slept, and after 2 s it had not ended"));
  EXPECT_EQ(cell.freed_by, "ending it");
  EXPECT_THAT(patience.known(), IsEmpty()) << "a sleep from which it woke is none for ever";
}

using PerfVerdict = Verdict;

TEST_F(PerfVerdict, HangIsSaidOfASleepThatLastsTheBoundAndThenOfTheSameWaitAtOnce) {
  const Bed bed;
  Patience patience(2 * kSecond);
  const auto hang = [&] {
    const Helper change("the change", bed.sleeper());
    const std::uint64_t start = Clock::monotonic_ns();
    const Watched meanwhile = watch(change, kSecond);
    const CellResult cell =
        let_go(change, meanwhile, access(true), {{"waking it", [&] { bed.wake(1); }}}, patience);
    EXPECT_EQ(cell.outcome, Outcome::hang) << cell.what;
    EXPECT_THAT(cell.what, HasSubstr("nobody who sleeps there woke within 2 s"));
    EXPECT_EQ(cell.freed_by, "waking it");
    return Clock::monotonic_ns() - start;
  };
  EXPECT_GE(hang(), 2 * kSecond);
  EXPECT_EQ(patience.known().size(), 1U);
  const std::uint64_t again = hang();
  EXPECT_GE(again, 300'000'000U);
  EXPECT_LT(again, 2 * kSecond);
  // Who sleeps elsewhere profits from none of it.
  EXPECT_EQ(verdict(looks_each(600'000'000), true, patience).outcome, Outcome::waited);
}

TEST_F(Verdict, SpinIsSaidOnlyOfOneThatUsesACpuWithoutEnd) {
  Patience patience(kSecond);
  const CellResult ended = verdict(burns(), true, patience);
  EXPECT_EQ(ended.outcome, Outcome::spin) << ended.what;
  EXPECT_THAT(ended.what, HasSubstr("used a CPU without end"));
  const CellResult never = verdict(burns(), false, patience);
  EXPECT_EQ(never.outcome, Outcome::spin) << never.what;
  EXPECT_THAT(never.what, HasSubstr("it used a CPU without end, for 1 s"));
  EXPECT_EQ(never.freed_by, "ending it");
}

/// A table whose cells do what a test wants.
class Apart : public ::testing::Test {
 protected:
  static CellResult good(std::size_t cell) {
    CellResult result;
    result.operation = static_cast<Operation>(cell);
    result.outcome = Outcome::waited;
    result.what = fmt::format("cell {}", cell);
    return result;
  }
  std::vector<CellResult> decide(std::size_t count, const Cells::Decide& decide_cell) {
    const auto blank = [](std::size_t cell) {
      CellResult result;
      result.operation = static_cast<Operation>(cell);
      return result;
    };
    course_.on_cell = [this](const CellResult& cell, std::size_t done, std::size_t of) {
      told_.push_back(fmt::format("{}/{} {}", done, of, name_in(kOutcomeNames, cell.outcome)));
    };
    return decide_apart({count, blank, [&](Company) { return decide_cell; }, lanes_, is_doubtful_}, patience_,
                        course_);
  }
  std::vector<std::vector<std::size_t>> lanes_;
  std::function<bool(const CellResult&)> is_doubtful_ = [](const CellResult&) { return false; };
  Patience patience_{100'000'000};
  Course course_;
  std::vector<std::string> told_;
};

TEST_F(Apart, ACellThatDoesNotComeBackIsInconclusiveAndTheTableGoesOn) {
  const Bed bed;
  const auto cells = decide(3, [&](std::size_t cell) {
    if (cell == 1) bed.sleeper()();
    return good(cell);
  });
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_EQ(cells[0].what, "cell 0");
  EXPECT_EQ(cells[1].outcome, Outcome::inconclusive);
  EXPECT_EQ(cells[1].operation, static_cast<Operation>(1));
  EXPECT_THAT(cells[1].what, HasSubstr("did not come back from the kernel"));
  EXPECT_THAT(cells[1].where, HasSubstr("pipe"));
  EXPECT_THAT(cells[1].report, Contains(HasSubstr("syscall")));
  EXPECT_EQ(cells[2].what, "cell 2");
  EXPECT_THAT(told_, ::testing::ElementsAre("1/3 waited", "2/3 inconclusive", "3/3 waited"));
}

TEST_F(Apart, AProcessThatDiesCostsItsCell) {
  const auto cells = decide(2, [](std::size_t cell) {
    if (cell == 0) kill(getpid(), SIGKILL);
    return good(cell);
  });
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[0].what, "not decided: its process died: Killed");
  EXPECT_EQ(cells[1].what, "cell 1");
}

TEST_F(Apart, WhatACellThrowsIsThrown) {
  const auto fails = [](std::size_t) -> CellResult { throw Error("scene: no space", Exit::broken); };
  try {
    decide(2, fails);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "scene: no space");
    EXPECT_EQ(error.code(), Exit::broken);
  }
}

TEST_F(Apart, CellsAfterTheTimeBoundAreSkipped) {
  course_.table_bound_ns = 300'000'000;
  const auto cells = decide(50, [](std::size_t cell) {
    const timespec nap{0, 100'000'000};
    nanosleep(&nap, nullptr);
    return good(cell);
  });
  ASSERT_EQ(cells.size(), 50U);
  EXPECT_EQ(cells.front().outcome, Outcome::waited);
  EXPECT_EQ(cells.back().outcome, Outcome::skipped);
  EXPECT_EQ(cells.back().what, "time bound: the table had 0.3 s (--time-bound)");
  EXPECT_EQ(cells.back().operation, static_cast<Operation>(49));
}

TEST_F(Apart, ACellThatIsDoneIsKeptWhenTheTableIsStopped) {
  std::atomic<bool> stop{false};
  course_.stop = &stop;
  std::vector<CellResult> seen;
  const auto blank = [](std::size_t) { return CellResult{}; };
  course_.on_cell = [&](const CellResult& cell, std::size_t, std::size_t) {
    seen.push_back(cell);
    stop.store(true);
  };
  const auto begin = [](Company) -> Cells::Decide {
    return [](std::size_t cell) {
      if (cell == 1) pause();
      return good(cell);
    };
  };
  const auto cells = decide_apart({3, blank, begin}, patience_, course_);
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].what, "cell 0");
}

TEST_F(Apart, WhatOneLearnsOfWaitsTheNextOneKnows) {
  const auto cells = decide(1, [this](std::size_t cell) {
    patience_.learn("dax_break_layout");
    return good(cell);
  });
  EXPECT_THAT(patience_.known(), Contains("dax_break_layout"));
}

/// A number that processes share.
class Shared {
 public:
  Shared() : at_(mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  ~Shared() { munmap(at_, sizeof(int)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  std::atomic_ref<int> operator*() const { return std::atomic_ref<int>(*static_cast<int*>(at_)); }

 private:
  void* at_;
};

TEST_F(Apart, LanesAreDecidedAtOnceAndTheRestAlone) {
  const Shared met;
  const Shared now;
  lanes_ = {{3}, {1, 0}, {}};
  const auto cells = decide(5, [&](std::size_t cell) {
    CellResult result = good(cell);
    if (cell == 3 || cell == 1) {  // each comes back only once the other is there
      ++*met;
      while ((*met).load() < 2) sched_yield();
    }
    if (cell == 2 || cell == 4) {
      if (++*now != 1 || (*met).load() != 2) result.outcome = Outcome::hang;
      --*now;
    }
    return result;
  });
  ASSERT_EQ(cells.size(), 5U);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i].what, fmt::format("cell {}", i)) << "in the order of the table";
    EXPECT_EQ(cells[i].outcome, Outcome::waited) << i;
  }
  EXPECT_EQ(told_.size(), 5U);
}

TEST_F(Apart, WhatOthersMayHaveHadAPartInIsDecidedOnceMoreAloneAndToldOnce) {
  const Shared times;
  lanes_ = {{0}, {1}};
  is_doubtful_ = [](const CellResult& cell) { return cell.outcome == Outcome::content_changed; };
  const auto cells = decide(2, [&](std::size_t cell) {
    CellResult result = good(cell);
    if (cell == 1 && ++*times == 1) result.outcome = Outcome::content_changed;
    return result;
  });
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[1].outcome, Outcome::waited);
  EXPECT_EQ((*times).load(), 2);
  EXPECT_THAT(told_, ::testing::ElementsAre("1/2 waited", "2/2 waited"));
}

TEST_F(Apart, ALaneThatStandsStillHoldsUpNoOther) {
  const Bed bed;
  lanes_ = {{0, 1}, {2}};
  const auto cells = decide(3, [&](std::size_t cell) {
    if (cell == 0) bed.sleeper()();
    return good(cell);
  });
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_EQ(cells[0].outcome, Outcome::inconclusive);
  EXPECT_EQ(cells[1].what, "cell 1");
  EXPECT_THAT(told_, ::testing::ElementsAre("1/3 waited", "2/3 inconclusive", "3/3 waited"));
}

TEST(Wire, BringsBackWhatWasSentOnlyOnceItIsAllThere) {
  CellResult cell;
  cell.operation = Operation::zero;
  cell.access = Access::crosswise;
  cell.outcome = Outcome::hang;
  cell.what = std::string("with a \0 and a\nline", 19);
  cell.where = "xfs_ilock";
  cell.freed_by = "a signal";
  cell.report = {"one", "", "three"};
  cell.log = {"WARNING: "};
  cell.began_ns = 5;
  cell.duration_ns = 7;
  const std::string bytes = to_wire({cell, {"a", "b"}, std::nullopt});
  std::string received;
  for (const char byte : bytes) {
    EXPECT_FALSE(take_message(received).has_value());
    received += byte;
  }
  received += bytes;
  for (int i = 0; i < 2; ++i) {
    const auto message = take_message(received);
    ASSERT_TRUE(message.has_value());
    EXPECT_FALSE(message->error.has_value());
    EXPECT_EQ(message->waits, (std::set<std::string>{"a", "b"}));
    EXPECT_EQ(message->cell.operation, cell.operation);
    EXPECT_EQ(message->cell.access, cell.access);
    EXPECT_EQ(message->cell.outcome, cell.outcome);
    EXPECT_EQ(message->cell.what, cell.what);
    EXPECT_EQ(message->cell.where, cell.where);
    EXPECT_EQ(message->cell.freed_by, cell.freed_by);
    EXPECT_EQ(message->cell.report, cell.report);
    EXPECT_EQ(message->cell.log, cell.log);
    EXPECT_EQ(message->cell.began_ns, cell.began_ns);
    EXPECT_EQ(message->cell.duration_ns, cell.duration_ns);
  }
  EXPECT_TRUE(received.empty());
}

/// What a guard says when it undoes: one byte, and the end of file once it is gone.
class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_), 0); }
  void TearDown() override { close(ends_[0]); }
  std::unique_ptr<Guard> guard(unsigned bound_s) const {
    return std::make_unique<Guard>([fd = ends_[1]] { EXPECT_EQ(write(fd, "x", 1), 1); },
                                   std::vector<int>{ends_[1]}, bound_s);
  }
  /// Bytes until the last writer is gone.
  ssize_t undone() {
    close(ends_[1]);
    pollfd ready{.fd = ends_[0], .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&ready, 1, 10'000), 1);
    char bytes[2];
    return read(ends_[0], bytes, sizeof bytes);
  }
  int ends_[2] = {-1, -1};
};

TEST_F(GuardTest, UndoesWhatAKilledProcessLeaves) {
  const pid_t owner = fork();
  if (owner == 0) {
    const auto held = guard(60);
    kill(getpid(), SIGKILL);
  }
  ASSERT_EQ(waitpid(owner, nullptr, 0), owner);
  EXPECT_EQ(undone(), 1);
}

TEST_F(GuardTest, UndoesAtItsBoundWhereNobodyDid) {
  const auto held = guard(1);
  EXPECT_EQ(undone(), 1);
}

TEST_F(GuardTest, UndoesNothingThatItsOwnerHasUndone) {
  guard(60).reset();
  EXPECT_EQ(undone(), 0);
}

TEST(StoppedDevice, KeepsItsReadersUntilItGoesOnAndIsRemoved) {
  const TemporaryDirectory place;
  const Directory directory(place.path);
  std::string node;
  try {
    StoppedDevice device(directory);
    node = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", device.file()->get()));
    const NodeBuffer memory(kPageBytes, -1);
    std::fill_n(memory.data(), kPageBytes, std::byte{1});
    device.stop();
    const Helper reader("reader", [to = memory.data(), file = device.file()] {
      return long{pread(file->get(), to, kPageBytes, 0)};
    });
    EXPECT_FALSE(reader.wait(kSecond / 5));
    EXPECT_EQ(*memory.data(), std::byte{1});
    device.go();
    ASSERT_TRUE(reader.wait(5 * kSecond));
    EXPECT_EQ(reader.result(), long{kPageBytes});
    EXPECT_EQ(uniform_word({memory.data(), kPageBytes}), 0U);
  } catch (const Skipped& reason) {
    GTEST_SKIP() << reason.what();
  }
  EXPECT_FALSE(std::filesystem::exists(node)) << node;
}

TEST(Directory, TakesNoDirectoryThatIsNotOurs) {
  const TemporaryDirectory place;
  std::filesystem::create_directory(place.path + "/daxrace-kernel");
  std::ofstream(place.path + "/daxrace-kernel/precious") << "data";
  EXPECT_THROW(Directory{place.path}, Error);
  EXPECT_TRUE(std::filesystem::exists(place.path + "/daxrace-kernel/precious"));
  EXPECT_THROW(Directory{place.path + "/absent"}, Error);
}

TEST(Directory, IsTakenOverFromAKilledRunOnceAndLeavesNothing) {
  const TemporaryDirectory place;
  {
    const Directory directory(place.path);
    EXPECT_THROW(Directory{place.path}, Error) << "somebody uses it";
    std::filesystem::copy(directory.path(), place.path + "/copy");
  }
  EXPECT_FALSE(std::filesystem::exists(place.path + "/daxrace-kernel"));
  std::filesystem::rename(place.path + "/copy", place.path + "/daxrace-kernel");
  std::ofstream(place.path + "/daxrace-kernel/file") << "left behind";
  { const Directory directory(place.path); }
  EXPECT_FALSE(std::filesystem::exists(place.path + "/daxrace-kernel"));
}

template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(Directory, ALockThatFailsIsToldForWhatItIs) {
  const TemporaryDirectory place;
  {
    const RefuseFlock refused(ENOSYS);
    EXPECT_THAT(error_of([&] { Directory{place.path}; }),
                HasSubstr("cannot be locked: Function not implemented"));
  }
  const Directory directory(place.path);
  EXPECT_THAT(error_of([&] { Directory{place.path}; }), HasSubstr("another daxrace uses it"));
}

TEST(Directory, PagesOfAnotherSizeAreNoGround) {
  EXPECT_EQ(why_no_pages_of(4096), "");
  EXPECT_THAT(why_no_pages_of(65536), HasSubstr("64 KiB"));
  EXPECT_THAT(why_no_pages_of(16384), HasSubstr("16 KiB"));
}

/// A sysfs of our own making.
class BlockDeviceFacts : public ::testing::Test {
 protected:
  void put(const std::string& device, const std::string& leaf, const std::string& value) {
    const std::filesystem::path file = place_.path + "/sys/devices/" + device + '/' + leaf;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << value << '\n';
  }
  /// 259:MINOR is that device.
  void name(unsigned minor, const std::string& device) {
    std::filesystem::create_directories(place_.path + "/sys/dev/block");
    std::filesystem::create_directories(place_.path + "/sys/devices/" + device);
    std::filesystem::create_symlink("../../devices/" + device,
                                    fmt::format("{}/sys/dev/block/259:{}", place_.path, minor));
  }
  BlockDevice of(unsigned minor) const { return block_device(259, minor, place_.path); }
  TemporaryDirectory place_;
};

TEST_F(BlockDeviceFacts, AreThoseOfTheDiskAlsoForAPartition) {
  put("pmem0", "queue/dax", "1");
  put("pmem0", "dax/write_cache", "0");
  name(0, "pmem0");
  name(1, "pmem0/pmem0p1");
  for (const unsigned minor : {0U, 1U}) {
    EXPECT_TRUE(of(minor).dax) << minor;
    EXPECT_EQ(of(minor).write_cache, std::optional(false)) << minor;
  }
}

TEST_F(BlockDeviceFacts, OfAMappedDeviceAreThoseOfWhatLiesUnderIt) {
  put("dm-0", "queue/dax", "1");
  put("dm-0", "slaves/pmem0/dax/write_cache", "0");
  name(0, "dm-0");
  EXPECT_TRUE(of(0).dax);
  EXPECT_EQ(of(0).write_cache, std::optional(false));
  put("dm-0", "slaves/pmem1/dax/write_cache", "1");
  EXPECT_EQ(of(0).write_cache, std::optional(true)) << "one of the two writes back";
}

TEST_F(BlockDeviceFacts, OfADiskWithoutDaxAndOfNoneAreNone) {
  put("vda", "queue/dax", "0");
  name(0, "vda");
  for (const unsigned minor : {0U, 7U}) {
    EXPECT_FALSE(of(minor).dax) << minor;
    EXPECT_EQ(of(minor).write_cache, std::nullopt) << minor;
  }
}

FsFacts on_dax_device(const std::string& options) {
  FsFacts facts;
  facts.device = "/dev/pmem0";
  facts.mount_options = options;
  facts.block.dax = true;
  return facts;
}

TEST(UnusedDax, IsSaidWithItsRemedy) {
  EXPECT_THAT(unused_dax(on_dax_device("rw,relatime"), "/mnt"), HasSubstr("chattr +x /mnt"));
  EXPECT_THAT(unused_dax(on_dax_device("rw,dax=inode"), "/mnt"), HasSubstr("dax=always"));
  EXPECT_THAT(unused_dax(on_dax_device("rw,dax=never"), "/mnt"), Not(HasSubstr("chattr")));
  EXPECT_THAT(unused_dax(on_dax_device("rw,dax=always"), "/mnt"), HasSubstr("dmesg"));
  FsFacts facts = on_dax_device("rw,dax=always");
  facts.dax = true;
  EXPECT_EQ(unused_dax(facts, "/mnt"), "");
  facts = on_dax_device("rw");
  facts.block.dax = false;
  EXPECT_EQ(unused_dax(facts, "/mnt"), "") << "there is nothing to be had";
}

TEST(Scene, SeesWhatIsWrongWithAFile) {
  const TemporaryDirectory place;
  const Directory directory(place.path);
  SceneFile file(directory, "file", 1);
  EXPECT_EQ(file.difference(), "");
  const auto other = filled_page(page_word(9, 3, 1));
  ASSERT_EQ(pwrite(file.fd(), other.data(), other.size(), off_t{5} * 4096), 4096);
  EXPECT_EQ(file.difference(), "page 5 holds page 3 of file 9, write 1 instead of page 5 of file 1, write 1");
  ASSERT_EQ(pwrite(file.fd(), other.data(), 100, 4096 + 5), 100);
  EXPECT_THAT(file.difference(), HasSubstr("page 1 holds a mixture"));
}

/// Real cells on the build's own file system, which is not on DAX.
class Control : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!stacks_can_be_read()) GTEST_SKIP() << "/proc/PID/stack cannot be read";
  }
  CellResult decide_one(Operation operation, Access access) {
    KernelLog log;
    auto cells = decide(directory_, {{operation}, {access}}, log);
    EXPECT_EQ(cells.size(), 1U);
    return cells.at(0);
  }
  TemporaryDirectory place_;
  Directory directory_{place_.path};
};

TEST_F(Control, APlantedWaitIsTold) {
  for (int i = 0; i < 3; ++i) {
    const CellResult cell = decide_one(Operation::punch, Access::write);
    if (cell.outcome == Outcome::skipped) GTEST_SKIP() << cell.what;
    EXPECT_EQ(cell.outcome, Outcome::waited) << cell.what;
    EXPECT_THAT(cell.where, Not(IsEmpty()));
  }
}

TEST_F(Control, APlantedOverlapIsTold) {
  if (directory_.facts().dax) GTEST_SKIP() << "the build lies on DAX";
  for (int i = 0; i < 3; ++i) {
    const CellResult cell = decide_one(Operation::truncate_down, Access::pin);
    EXPECT_EQ(cell.outcome, Outcome::overlapped) << cell.what;
  }
}

TEST_F(Control, ANestedFaultUnderIolockDoesNotStopThePunch) {
  const CellResult cell = decide_one(Operation::punch, Access::nested_fault);
  if (cell.outcome == Outcome::skipped) GTEST_SKIP() << cell.what;
  EXPECT_EQ(cell.outcome, Outcome::waited) << cell.what;
}

TEST_F(Control, WhatNeedsDaxIsSkippedWithItsReason) {
  if (directory_.facts().dax) GTEST_SKIP() << "the build lies on DAX";
  const CellResult cell = decide_one(Operation::punch, Access::fsync);
  EXPECT_EQ(cell.outcome, Outcome::skipped);
  EXPECT_THAT(cell.what, Not(IsEmpty()));
}

TEST_F(Control, WhatStopsAWholeFileSystemIsAskedFor) {
  for (const Access access : {Access::pin_freeze, Access::frozen_store, Access::pin_umount}) {
    const CellResult cell = decide_one(Operation::punch, access);
    EXPECT_EQ(cell.outcome, Outcome::skipped);
    EXPECT_THAT(cell.what, HasSubstr("--allow="));
  }
}

/// The same with files that are said to be on DAX, on a device that gives no MAP_SYNC mapping.
class WithoutMapSync : public ::testing::Test {
 protected:
  TemporaryDirectory place_;
  PretendDax pretend_;
  Directory directory_{place_.path};
};

TEST_F(WithoutMapSync, AFileIsOnDaxIfStatxSaysSo) {
  if (directory_.facts().sync_mapping) GTEST_SKIP() << "the build lies on DAX";
  EXPECT_TRUE(directory_.facts().dax);
  EXPECT_THAT(kernel_litmus_text(directory_.facts(), {}), HasSubstr(" with DAX without MAP_SYNC on "));
}

TEST_F(WithoutMapSync, OnlyTheCellThatNeedsItIsSkippedForIt) {
  if (directory_.facts().sync_mapping) GTEST_SKIP() << "the build lies on DAX";
  KernelLog log;
  const auto cells =
      decide(directory_, {{Operation::punch}, {Access::pin_munmap, Access::fsync, Access::fsync_sync}}, log);
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_THAT(cells[0].what, Not(HasSubstr("page of the page cache"))) << "judged as a file on DAX";
  EXPECT_THAT(cells[1].what, Not(HasSubstr("DAX")));
  EXPECT_THAT(cells[1].what, Not(HasSubstr("MAP_SYNC")));
  EXPECT_EQ(cells[2].outcome, Outcome::skipped);
  EXPECT_THAT(cells[2].what, HasSubstr("MAP_SYNC"));
}

/// Requests in flight together come back with what was asked of each, however they overtake one another.
class Requests : public ::testing::Test {
 protected:
  static constexpr unsigned kDepth = 4;
  using Kind = RequestQueue::Kind;

  void SetUp() override {
    try {
      peer_ = Peer::open("", kIoBytes, kDepth, false);
    } catch (const Skipped& reason) {
      GTEST_SKIP() << reason.what();
    }
    file_ =
        FileDescriptor(open((place_.path + "/file").c_str(), O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600));
    if (!file_) GTEST_SKIP() << "the build lies where there is no O_DIRECT";
    queue_ = std::make_unique<RequestQueue>(*peer_, file_.get(), kDepth);
  }
  std::byte* at(PageOffset page) const { return memory_.data() + page * kIoBytes; }

  /// One request a page, all before the first is reaped.
  void make(Kind kind) {
    for (PageOffset page = 0; page < kDepth; ++page) {
      ASSERT_FALSE(queue_->full());
      queue_->submit({.kind = kind, .page = page, .slot = page, .memory = at(page), .timing = {}});
    }
    EXPECT_TRUE(queue_->full()) << "nothing was reaped";
    std::vector<PageOffset> done;
    while (!queue_->empty()) {
      queue_->wait([&](const RequestQueue::Flight& flight, long result) {
        EXPECT_EQ(result, static_cast<long>(kIoBytes));
        EXPECT_GE(flight.timing.end, flight.timing.start);
        done.push_back(flight.page);
      });
    }
    EXPECT_THAT(done, UnorderedElementsAre(0, 1, 2, 3));
  }
  void come_back(Kind write, Kind read, unsigned first) {
    for (PageOffset page = 0; page < kDepth; ++page) std::fill_n(at(page), kIoBytes, std::byte(first + page));
    make(write);
    std::fill_n(at(0), kDepth * kIoBytes, std::byte{0});
    make(read);
    for (PageOffset page = 0; page < kDepth; ++page) EXPECT_EQ(*at(page), std::byte(first + page));
  }

  TemporaryDirectory place_;
  std::unique_ptr<Peer> peer_;
  FileDescriptor file_;
  NodeBuffer memory_{kDepth * kIoBytes, -1};
  std::unique_ptr<RequestQueue> queue_;
};

TEST_F(Requests, OfPeerAndFileAreKeptApart) {
  come_back(Kind::peer_write, Kind::peer_read, 1);
  come_back(Kind::file_write, Kind::file_read, 101);
  make(Kind::peer_read);
  EXPECT_EQ(*at(3), std::byte{4}) << "the file's data went to the peer";
}

TEST(KernelLog, KnowsAComplaint) {
  EXPECT_TRUE(is_complaint("WARNING: CPU: 0 PID: 270 at fs/dax.c:398 dax_disassociate_entry+0x87/0xb0"));
  EXPECT_TRUE(is_complaint("XFS (pmem0): Metadata corruption detected at xfs_agf_read_verify"));
  EXPECT_TRUE(is_complaint("EXT4-fs error (device pmem0): ext4_mb_generate_buddy:1141"));
  EXPECT_TRUE(is_complaint("INFO: task daxrace:123 blocked for more than 120 seconds."));
  EXPECT_TRUE(is_complaint("WARNING: possible circular locking dependency detected"));
  EXPECT_FALSE(is_complaint("XFS (pmem0): Mounting V5 Filesystem"));
  EXPECT_FALSE(is_complaint("XFS (pmem0): DAX enabled. Warning: EXPERIMENTAL, use at your own risk"));
}

TEST(Trace, ReadsAWriteback) {
  const auto seen = parse_writeback(
      "         daxrace-280     [001] .....    35.123: dax_writeback_one: dev 259:0 ino 0x85 pgoff 0x1 pglen "
      "0x2");
  ASSERT_TRUE(seen.has_value());
  EXPECT_TRUE(seen->covers(0x85, 1));
  EXPECT_TRUE(seen->covers(0x85, 2));
  EXPECT_FALSE(seen->covers(0x85, 3));
  EXPECT_FALSE(seen->covers(0x86, 1));
  EXPECT_FALSE(parse_writeback("dax_writeback_range: dev 259:0 ino 0x85").has_value());
}

TEST(Canaries, AreLookedForOrLeftOpen) {
  EXPECT_EQ(version_of("6.12.117+deb13-amd64"), 612U);
  EXPECT_EQ(version_of("7.3.4"), 703U);
  const auto seen = canaries_here();
  EXPECT_GE(seen.size(), 7U) << "only those of modules that are not loaded are left out";
  for (const Sighting& sighting : seen)
    EXPECT_EQ(sighting.where.empty(),
              !sighting.here.value_or(false) || sighting.canary->source.starts_with('/'))
        << sighting.canary->name;
}

std::vector<std::string> some_trace() {
  return {
      "    worker 1-241     [001] .....    27.000010: enter_dax_break_layout: (dax_break_layout+0x4/0x140)",
      "    worker 1-241     [001] .....    27.000050: contention_begin: 000000005d0f2705 (flags=WRITE)",
      "    worker 1-241     [001] .....    27.000080: contention_end: 000000005d0f2705 (ret=0)",
      "    worker 1-241     [001] .....    27.000110: leave_dax_break_layout: (xfs+0x88 <- dax_break_layout)",
      "        a-b-242     [000] ...1.    27.000020: contention_begin: 000000005d0f2705 (flags=WRITE)",
      "        a-b-242     [000] ...1.    27.000025: contention_begin: 000000005d0f2706 (flags=SPIN|READ)",
      "        a-b-242     [000] ...1.    27.000026: contention_end: 000000005d0f2706 (ret=0)",
      "        a-b-242     [000] ...1.    27.000060: contention_end: 000000005d0f2705 (ret=0)",
      "        a-b-242     [000] ...1.    28.000000: enter_dax_break_layout: (and never back)"};
}

TEST(KernelView, PairsBeginningsWithEndsOfTheSameThread) {
  const auto waits = waits_of(some_trace());
  ASSERT_EQ(waits.size(), 2U) << "no spinning lock, none within a break, none that has not ended";
  EXPECT_EQ(waits[0].tid, 241);
  EXPECT_EQ(waits[0].phase, Phase::break_wait);
  EXPECT_EQ(waits[0].end_ns - waits[0].start_ns, 100'000U);
  EXPECT_EQ(waits[1].tid, 242);
  EXPECT_EQ(waits[1].phase, Phase::lock_wait);
  EXPECT_EQ(waits[1].end_ns - waits[1].start_ns, 40'000U);
}

TEST(KernelView, GivesEachWaitToTheOperationThatWaited) {
  constexpr std::uint64_t kStart = 27 * kSecond;
  EpisodeResult result;
  add_waits(result,
            {{241, {{kStart, kStart + 5'000, Path::load}, {kStart + 8'000, kStart + 120'000, Path::punch}}},
             {242, {{kStart + 15'000, kStart + 70'000, Path::fault}}},
             {243, {{kStart, kStart + kSecond, Path::read}}}},
            waits_of(some_trace()));
  const auto sum = [&](Path path, Phase phase) {
    return result.paths[path].phase_sum_ns[static_cast<std::size_t>(phase)];
  };
  EXPECT_EQ(sum(Path::punch, Phase::break_wait), 100'000U);
  EXPECT_EQ(sum(Path::fault, Phase::lock_wait), 40'000U);
  EXPECT_EQ(sum(Path::load, Phase::break_wait), 0U);
  EXPECT_EQ(result.paths[Path::punch].wait_ns.count(), 1U);
  EXPECT_EQ(result.paths[Path::read].wait_ns.max(), 0U) << "another thread's waits are not its own";
}

TEST(Trace, ReadsNoEventOutOfAnythingElse) {
  EXPECT_FALSE(parse_event("CPU:1 [LOST 3 EVENTS]").has_value());
  EXPECT_FALSE(parse_event("").has_value());
  const auto event =
      parse_event("   x y-12-7     [000] d..1.     1.500000: dax_load_hole: dev 259:0 ino 0x85");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->tid, 7);
  EXPECT_EQ(event->ns, 1'500'000'000U);
  EXPECT_EQ(event->name, "dax_load_hole");
  EXPECT_EQ(event->fields, "dev 259:0 ino 0x85");
}

std::vector<CellResult> some_cells() {
  CellResult hang;
  hang.operation = Operation::collapse;
  hang.access = Access::pin_refault;
  hang.outcome = Outcome::hang;
  hang.what = "said \"so\"";
  hang.where = "dax_break_layout";
  hang.freed_by = "unmapping the file";
  hang.report = {"the change:", "  state S"};
  CellResult waited;
  waited.outcome = Outcome::waited;
  waited.access = Access::pin;
  return {hang, waited};
}

const FsFacts kFacts = {"6.1.0", "xfs", "/dev/pmem0", "rw,dax=always", true, false};

TEST(Render, JsonHoldsEveryCell) {
  const auto json = nlohmann::json::parse(kernel_litmus_json(kFacts, some_cells()));
  EXPECT_EQ(json["kernel"], "6.1.0");
  EXPECT_EQ(json["dax"], true);
  ASSERT_EQ(json["cells"].size(), 2U);
  EXPECT_EQ(json["cells"][0]["outcome"], "hang");
  EXPECT_EQ(json["cells"][0]["freed_by"], "unmapping the file");
  EXPECT_EQ(json["cells"][1]["slept_in"], "");
}

TEST(Render, CsvQuotesAndTheTableShowsTheWorst) {
  EXPECT_THAT(kernel_litmus_csv(kFacts, some_cells()), HasSubstr(",\"said \"\"so\"\"\","));
  EXPECT_THAT(kernel_litmus_text(kFacts, some_cells()), HasSubstr("HANG"));
  EXPECT_THAT(kernel_litmus_text(kFacts, some_cells()), HasSubstr("freed by unmapping the file"));
}

TEST(Render, ExitSaysWhatIsBroken) {
  auto cells = some_cells();
  EXPECT_EQ(kernel_litmus_exit(cells), Exit::broken);
  cells.erase(cells.begin());
  EXPECT_EQ(kernel_litmus_exit(cells), Exit::ok);
  cells[0].outcome = Outcome::skipped;
  EXPECT_EQ(kernel_litmus_exit(cells), Exit::skipped);
}

TEST(Render, TheLastLineCountsWhatWasNotDecided) {
  auto cells = some_cells();
  EXPECT_THAT(kernel_litmus_text(kFacts, cells), ::testing::EndsWith(", all decided\n"));
  cells[0].outcome = Outcome::skipped;
  EXPECT_THAT(kernel_litmus_text(kFacts, cells), ::testing::EndsWith(", 1 not decided (1 skipped)\n"));
  cells[1].outcome = Outcome::inconclusive;
  EXPECT_THAT(kernel_litmus_text(kFacts, cells), HasSubstr("2 not decided (1 inconclusive, 1 skipped)"));
  EXPECT_THAT(kernel_litmus_markdown(kFacts, cells), HasSubstr("2 cells, 2 not decided"));
}

TEST(Render, AnUndecidedCellIsNoGoodCellWhereThatIsRequired) {
  auto cells = some_cells();
  for (const Outcome outcome : {Outcome::skipped, Outcome::inconclusive}) {
    cells[0].outcome = outcome;
    EXPECT_EQ(kernel_litmus_exit(cells), Exit::ok);
    EXPECT_EQ(kernel_litmus_exit(cells, true), Exit::skipped);
  }
  cells[1].outcome = Outcome::spin;
  EXPECT_EQ(kernel_litmus_exit(cells, true), Exit::broken) << "what is broken comes first";
}

TEST(Render, TheHeadSaysThatAnFsyncFlushesNothing) {
  FsFacts facts = kFacts;
  facts.block.write_cache = true;
  EXPECT_THAT(kernel_litmus_text(facts, some_cells()), Not(HasSubstr("write_cache")));
  facts.block.write_cache = false;
  EXPECT_THAT(kernel_litmus_text(facts, some_cells()),
              HasSubstr("write_cache of /dev/pmem0 is off: fsync flushes nothing"));
  EXPECT_EQ(nlohmann::json::parse(kernel_litmus_json(facts, some_cells()))["write_cache"], false);
}

TEST(Render, CanariesThatCannotBeLookedForSayWhatFailed) {
  std::vector<Sighting> seen = {
      {canaries().data(), std::nullopt, "", "/proc/kcore: No such file or directory"}};
  EXPECT_THAT(
      kernel_litmus_text(kFacts, some_cells(), seen),
      HasSubstr("canaries that could not be looked for (/proc/kcore: No such file or directory): dax_"));
}

TEST(Require, DaxEndsBeforeAnyCellWhereFilesAreNotOnIt) {
  const TemporaryDirectory place;
  if (Directory(place.path).facts().dax) GTEST_SKIP() << "the build lies on DAX";
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(command_line({"litmus", "--target=kernel", "--dir=" + place.path, "--require=dax"}), 77);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("--require=dax: "));
}

/// No cell of DAX can be decided without it.
TEST(Require, DecidedIsNotMetByACellThatIsSkipped) {
  const TemporaryDirectory place;
  if (Directory(place.path).facts().dax) GTEST_SKIP() << "the build lies on DAX";
  std::vector<std::string> line = {"litmus", "--target=kernel", "--dir=" + place.path,
                                   "--operation=truncate_down", "--access=pin,fsync"};
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(command_line(line), 0);
  line.emplace_back("--require=decided");
  EXPECT_EQ(command_line(line), 77);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("1 not decided (1 skipped)"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("--require=decided: 2 cells, 1 not decided"));
}

TEST(Require, AnEngineCellWhoseAccessWasNeverInFlightIsNotDecided) {
  litmus::Cell cell;
  cell.script = &litmus::scripts().front();
  EXPECT_THAT(litmus_remarks({cell}), ::testing::EndsWith(", 0 broken, 1 not decided\n"));
  EXPECT_EQ(litmus_undecided({cell}), "1 of 1 cells were not decided");
  cell.result.stops = 1;
  EXPECT_THAT(litmus_remarks({cell}), ::testing::EndsWith(", 0 broken, 0 not decided\n"));
  EXPECT_EQ(litmus_undecided({cell}), "");
}

struct BadLine {
  std::vector<std::string> arguments;
  std::string says;
};
class BadCommand : public ::testing::TestWithParam<BadLine> {};

TEST_P(BadCommand, IsRefusedWithOneLine) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(command_line(GetParam().arguments), 2);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr(GetParam().says));
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

INSTANTIATE_TEST_SUITE_P(
    Kernel, BadCommand,
    ::testing::Values(BadLine{{"litmus", "--target=kernel"}, "needs --dir"},
                      BadLine{{"litmus", "--dir=/tmp"}, "needs --target=kernel"},
                      BadLine{{"litmus", "--target=kernl"}, "kernel"},
                      BadLine{{"litmus", "--target=kernel", "--dir=.", "--access=pni"}, "pin"},
                      BadLine{{"litmus", "--target=kernel", "--dir=.", "--protocol=ext4"}, "--protocol"},
                      BadLine{{"litmus", "--target=kernel", "--dir=/nowhere"}, "/nowhere"},
                      BadLine{{"litmus", "--target=kernel", "--dir=.", "--threads=2"}, "--threads"},
                      BadLine{{"litmus", "--reproducer=zero_page"}, "needs --target=kernel"},
                      BadLine{{"litmus", "--target=kernel", "--reproducer=zero_pge"}, "zero_page"},
                      BadLine{{"litmus", "--allow=freeze"}, "needs --target=kernel"},
                      BadLine{{"litmus", "--hang-bound=1s"}, "--hang-bound: needs --target=kernel"},
                      BadLine{{"litmus", "--time-bound=1s"}, "--time-bound: needs --target=kernel"},
                      BadLine{{"litmus", "--target=kernel", "--dir=.", "--hang-bound=1ms"}, "at least 100ms"},
                      BadLine{{"litmus", "--target=kernel", "--dir=.", "--time-bound=2h"}, "at most 1h"},
                      BadLine{{"litmus", "--target=kernel", "--dir=/", "--allow=freez"}, "freeze"},
                      BadLine{{"litmus", "--target=kernel", "--dir=/", "--allow=freeze"}, "/ lies on"},
                      BadLine{{"litmus", "--target=kernel", "--dir=.", "--allow=umount"}, "lies on"},
                      BadLine{{"litmus", "--require=decide"}, "did you mean 'decided'?"},
                      BadLine{{"litmus", "--require=decided,dx"}, "did you mean 'dax'?"},
                      BadLine{{"litmus", "--require=dax"}, "--require=dax: needs --target=kernel"},
                      BadLine{{"run", "--target=kernel"}, "needs --dir"},
                      BadLine{{"run", "--dir=/tmp"}, "needs --target=kernel"},
                      BadLine{{"run", "--target=kernel", "--dir=/tmp", "--protocol=ext4"}, "--protocol"},
                      BadLine{{"run", "--target=kernel", "--dir=/tmp", "--refcount=ref0"}, "--refcount"}));

}  // namespace
}  // namespace daxrace::kernel

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  daxrace::Clock::calibrate();
  return RUN_ALL_TESTS();
}
