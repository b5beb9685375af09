// An operation that never ends must end the episode, not the program: reported with waiter, holder and
// condition.
#include "harness/engine/watchdog.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "harness/base/disturbance.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/run_protocol.hpp"
#include "harness/engine/standstill.hpp"
#include "protocols/iolock_mmaplock.hpp"
#include "tests/test_episode.hpp"

namespace daxrace {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// Waits for what nobody will make true, with IOLOCK held.
struct waits_for_ever : protocol::iolock_mmaplock {
  template <class K>
  static int change(K& k, core::InodeOf<K>& ip, core::Change&) {
    core::Exclusive iolock(k, ip.i_rwsem);
    return wait_event(k.env, core::page_key(k, 7), Sleep::uninterruptible, [] { return false; });
  }
};

/// Forgets to let go of direct I/O that it counted.
struct loses_a_count : protocol::iolock_mmaplock {
  template <class K>
  static int change(K& k, core::InodeOf<K>& ip, core::Change& change) {
    const int error = protocol::iolock_mmaplock::change(k, ip, change);
    core::inode_dio_begin(k, ip);
    return error;
  }
};

/// A layout change that gets its turn only once nobody reads any more: not a hang, and no good either.
struct starved_by_readers : protocol::iolock_mmaplock {
  static inline std::atomic<std::uint64_t> reads{0};

  template <class K, class Body>
  static void read(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    reads.fetch_add(1);
    protocol::iolock_mmaplock::read(k, ip, range, body);
  }
  template <class K>
  static int change(K& k, core::InodeOf<K>& ip, core::Change& change) {
    for (std::uint64_t seen = 0; reads.load() != seen;) {
      seen = reads.load();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return protocol::iolock_mmaplock::change(k, ip, change);
  }
};

/// Reads that take 10 ms.
struct reads_slowly : protocol::iolock_mmaplock {
  template <class K, class Body>
  static void read(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    protocol::iolock_mmaplock::read(k, ip, range, body);
  }
};

/// Puts the calling thread last on its CPU, and for 1.2 s something else there: what a machine with more to
/// do than CPUs does to any thread.
class HeldUp {
 public:
  HeldUp() : cpu_(sched_getcpu()) {
    sched_getaffinity(0, sizeof before_, &before_);
    stay_here();
    const sched_param none{};
    hog_ = std::thread([this] { burn(); });
    while (!burns_.load()) std::this_thread::yield();
    sched_setscheduler(0, SCHED_IDLE, &none);
  }
  ~HeldUp() {
    while (burns_.load()) {
    }
    hog_.join();
    sched_setaffinity(0, sizeof before_, &before_);
  }
  HeldUp(const HeldUp&) = delete;
  HeldUp& operator=(const HeldUp&) = delete;

 private:
  void stay_here() const {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(cpu_), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  void burn() {
    stay_here();
    burns_ = true;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1200);
    while (std::chrono::steady_clock::now() < end) {
    }
    const sched_param none{};
    sched_setscheduler(held_up_, SCHED_OTHER, &none);
    burns_ = false;
  }

  int cpu_;
  pid_t held_up_ = gettid();
  cpu_set_t before_{};
  std::atomic<bool> burns_{false};
  std::thread hog_;
};

/// Has no CPU for four bounds, once.
struct held_up_once : protocol::iolock_mmaplock {
  static inline std::atomic<bool> done{false};

  template <class K>
  static int change(K& k, core::InodeOf<K>& ip, core::Change& change) {
    if (!done.exchange(true)) const HeldUp held_up;
    return protocol::iolock_mmaplock::change(k, ip, change);
  }
};

const Workload& readers_and_a_puncher() {
  static const Workload workload{
      .name = "readers_and_a_puncher",
      .summary = "for this test",
      .roles = {{.name = "reader", .ops = {{Op::read, 1}}}, {.name = "puncher", .ops = {{Op::punch, 1}}}}};
  return workload;
}

/// What is overdue ends it long before its time is over, unless the machine has no CPU to give.
template <class P>
EpisodeResult run(std::uint64_t hang_bound_ns, unsigned bounds = 20) {
  EpisodeConfig config = closed_config(readers_and_a_puncher(), 1);
  config.measure_ns = std::max(config.measure_ns, bounds * hang_bound_ns);
  config.hang_bound_ns = hang_bound_ns;
  return run_protocol<P>(config, *TestMachine::get().region, nullptr);
}

/// A protocol that ends, with more time than a busy machine keeps a thread from its CPU.
EpisodeResult run_unhurried() {
  EpisodeConfig config = closed_config(readers_and_a_puncher(), 1);
  config.hang_bound_ns = 30'000'000'000;
  return run_protocol<protocol::iolock_mmaplock>(config, *TestMachine::get().region, nullptr);
}

TEST(Watchdog, reports_a_hang_with_waiter_holder_and_condition_and_ends) {
  const EpisodeResult result = run<waits_for_ever>(300'000'000);
  EXPECT_EQ(result.status, Status::hang);
  EXPECT_EQ(result.hangs, 1U);
  EXPECT_EQ(result.verdict, Verdict::broken);
  EXPECT_TRUE(result.violated.has(Hazard::h6));
  EXPECT_THAT(result.hang_report, Contains(HasSubstr("punch for")));
  EXPECT_THAT(result.hang_report, Contains(HasSubstr("waits for blk 7 to become idle: refcount 1")));
  EXPECT_THAT(result.hang_report,
              Contains(HasSubstr("waits for iolock of inode 1, held by task 1 (exclusive)")));
}

/// What others keep from its turn ends once they have stopped: that is told apart from what never ends.
TEST(Watchdog, tells_a_starved_change_from_one_that_hangs) {
  const EpisodeResult result = run<starved_by_readers>(300'000'000);
  EXPECT_EQ(result.status, Status::starved) << result;
  EXPECT_EQ(result.hangs, 0U);
  EXPECT_EQ(result.verdict, Verdict::broken);
  EXPECT_TRUE(result.violated.has(Hazard::h6));
  EXPECT_THAT(result.hang_report, Contains(HasSubstr("punch for")));
}

/// A thread that is given no CPU is the machine's fault, and so is what waits for a lock that it holds.
TEST(Watchdog, takes_no_thread_without_a_cpu_for_one_that_hangs) {
  const EpisodeResult result = run<held_up_once>(300'000'000, 5);
  EXPECT_TRUE(held_up_once::done.load());
  EXPECT_EQ(result.status, Status::ok) << result;
  EXPECT_EQ(result.verdict, Verdict::kept);
}

/// One task in an operation that does not end, and what the scheduler says of its thread.
class WatchedTask {
 public:
  static constexpr std::uint64_t kBoundNs = 200'000'000;

  explicit WatchedTask(std::function<ThreadCpu(std::uint64_t)> cpu_at) : cpu_at_(std::move(cpu_at)) {
    tasks_.push_back(std::make_unique<Task>(0));
    tasks_[0]->op = static_cast<std::uint8_t>(Op::punch);
    tasks_[0]->ops_begun = 1;
  }
  /// The age of the operation when the watchdog calls it overdue, in bounds.
  double bounds_until_overdue() {
    const std::uint64_t start_ns = Clock::monotonic_ns();
    Watchdog watchdog(
        tasks_, kBoundNs, [](const Task&) { return std::string(); },
        [&](const Task&) { return cpu_at_(Clock::monotonic_ns() - start_ns); });
    while (!watchdog.overdue()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return static_cast<double>(Clock::monotonic_ns() - start_ns) / kBoundNs;
  }

 private:
  std::function<ThreadCpu(std::uint64_t)> cpu_at_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

/// One bound; more only where this thread is given no CPU itself.
TEST(Watchdog, counts_what_sleeps_and_what_spins_from_the_start) {
  EXPECT_LT(WatchedTask([](std::uint64_t) { return ThreadCpu{}; }).bounds_until_overdue(), 8.0);
  EXPECT_LT(WatchedTask([](std::uint64_t ns) { return ThreadCpu{ns, 0, true}; }).bounds_until_overdue(), 8.0);
}

/// The kernel adds a wait for a CPU to the sum only when it is over.
TEST(Watchdog, does_not_count_a_wait_for_a_cpu_while_it_lasts_nor_after_it) {
  WatchedTask waits([](std::uint64_t ns) {
    const std::uint64_t until = 3 * WatchedTask::kBoundNs;
    return ns < until ? ThreadCpu{0, 0, true} : ThreadCpu{ns, until, true};
  });
  EXPECT_GT(waits.bounds_until_overdue(), 3.0);
  // On and off: a share of nine in ten.
  WatchedTask has_little([](std::uint64_t ns) { return ThreadCpu{ns / 10, ns / 10 * 9, true}; });
  EXPECT_GT(has_little.bounds_until_overdue(), 2.5);
}

/// A process that was stopped, or a watch that got no CPU.
TEST(Watchdog, does_not_count_the_time_in_which_it_did_not_look_itself) {
  std::vector<std::unique_ptr<Task>> tasks;
  tasks.push_back(std::make_unique<Task>(0));
  tasks[0]->op = static_cast<std::uint8_t>(Op::punch);
  tasks[0]->ops_begun = 1;
  Watchdog watchdog(
      tasks, WatchedTask::kBoundNs, [](const Task&) { return std::string(); },
      [](const Task&) { return ThreadCpu{}; });
  watchdog.overdue();
  std::this_thread::sleep_for(std::chrono::nanoseconds(3 * WatchedTask::kBoundNs));
  EXPECT_FALSE(watchdog.overdue());
}

/// Stopped, it uses no CPU; a watch that is late while others run is only late.
TEST(Standstill, is_a_gap_in_which_nobody_ran) {
  Standstill idle(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_GE(idle.look(), 400'000'000U);
  EXPECT_GE(idle.total_ns(), 400'000'000U);
  EXPECT_EQ(disturbance_in("saturated; " + standstill_remark(idle.total_ns())), kStandstill);
  Standstill busy(1);
  const std::uint64_t until_ns = thread_cpu_ns() + 300'000'000;
  while (thread_cpu_ns() < until_ns) {
  }
  EXPECT_GE(busy.look(), 300'000'000U);
  EXPECT_EQ(busy.total_ns(), 0U);
  idle.look();
  const std::uint64_t before_ns = idle.total_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  idle.look();
  EXPECT_EQ(idle.total_ns(), before_ns) << "or this machine gave nothing a CPU for 250 ms";
}

/// The decider of live cells looks at threads of a process of its own.
TEST(ThreadCpu, is_told_of_a_thread_of_another_process) {
  if (getppid() == 0 || ThreadCpu::of(gettid()).ran_ns == 0) GTEST_SKIP() << "the kernel does not keep it";
  EXPECT_GT(ThreadCpu::of(getppid()).ran_ns, 0U);
}

TEST(Watchdog, waits_no_longer_than_ten_bounds_for_a_thread_without_a_cpu) {
  const double bounds = WatchedTask([](std::uint64_t) {
                          return ThreadCpu{0, 0, true};
                        }).bounds_until_overdue();
  EXPECT_GT(bounds, 9.0);
  EXPECT_LT(bounds, 20.0);
}

TEST(Watchdog, an_engine_can_be_used_again_after_a_hang) {
  run<waits_for_ever>(200'000'000);
  const EpisodeResult result = run_unhurried();
  EXPECT_EQ(result.status, Status::ok) << result;
  EXPECT_EQ(result.verdict, Verdict::kept);
}

TEST(Books, a_count_that_is_left_is_a_leak_and_breaks_any_protocol) {
  EpisodeConfig config = closed_config(*find_workload("punch"), 1);
  config.threads = 1;
  config.hang_bound_ns = 300'000'000;
  const EpisodeResult result = run_protocol<loses_a_count>(config, *TestMachine::get().region, nullptr);
  // The next punch waits for that count: it hangs, or the episode is over first and the books do not balance.
  EXPECT_TRUE(result.status == Status::hang || result.detected[static_cast<std::size_t>(Detector::leak)] > 0);
  EXPECT_EQ(result.verdict, Verdict::broken);
}

TEST(Episode, refuses_a_region_that_is_too_small) {
  EpisodeConfig config = closed_config(*find_workload("punch"), 1);
  config.file_pages = 1'000'000;
  EXPECT_THROW(run_protocol<protocol::iolock_mmaplock>(config, *TestMachine::get().region, nullptr), Error);
}

TEST(Episode, skips_a_workload_that_needs_a_peer_where_there_is_none) {
  EpisodeConfig config = closed_config(*find_workload("gup_vs_punch"), 1);
  EXPECT_THROW(run_protocol<protocol::iolock_mmaplock>(config, *TestMachine::get().region, nullptr), Skipped);
}

/// Every translation that the engine installed was a real CPU page fault, and no other path took one.
TEST(Episode, real_faults_are_those_that_the_engine_counts) {
  if (kSanitized) GTEST_SKIP() << "shadow memory faults too";
  EpisodeConfig config = closed_config(*find_workload("fault"), 1);
  config.threads = 1;
  config.measure_ns = 300'000'000;
  const EpisodeResult result =
      run_protocol<protocol::iolock_mmaplock>(config, *TestMachine::get().region, nullptr);
  EXPECT_GT(result.faults_engine, 1'000U);
  EXPECT_NEAR(static_cast<double>(result.faults_real), static_cast<double>(result.faults_engine),
              0.01 * static_cast<double>(result.faults_engine) + 16);
}

/// At 1000 a second: whoever is in the middle of an operation when the watch ends the episode is late, not
/// done.
TEST(Episode, that_cannot_serve_its_load_is_saturated_whoever_sees_the_end_first) {
  static const Workload workload{.name = "slow_reader",
                                 .summary = "for this test",
                                 .roles = {{.name = "reader", .ops = {{Op::read, 1}}, .rate_per_s = 1000}}};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    EpisodeConfig config = closed_config(workload, seed);
    config.load = Load::paced;
    config.threads = 1;
    config.measure_ns = 50'000'000;
    const EpisodeResult result = run_protocol<reads_slowly>(config, *TestMachine::get().region, nullptr);
    ASSERT_TRUE(result.served_share) << seed;
    EXPECT_LT(*result.served_share, 0.2) << seed;
    EXPECT_EQ(result.status, Status::ok) << result;
    EXPECT_EQ(result.reason, "") << seed;
    EXPECT_EQ(result.remark.substr(0, 9), "saturated") << result.remark;
  }
}

TEST(Episode, that_hangs_owes_what_it_was_offered_until_it_was_stopped) {
  EpisodeConfig config = closed_config(readers_and_a_puncher(), 1);
  config.load = Load::paced;
  config.hang_bound_ns = 300'000'000;
  config.measure_ns = 2 * config.hang_bound_ns;
  const EpisodeResult result = run_protocol<waits_for_ever>(config, *TestMachine::get().region, nullptr);
  EXPECT_EQ(result.status, Status::hang);
  ASSERT_TRUE(result.served_share);
  EXPECT_LT(*result.served_share, 0.5);
}

TEST(Episode, has_no_served_share_under_closed_load) {
  const EpisodeResult result = run_unhurried();
  EXPECT_EQ(result.served_share, std::nullopt);
  EXPECT_EQ(result.remark, "");
}

}  // namespace
}  // namespace daxrace
