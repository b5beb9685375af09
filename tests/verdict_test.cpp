// A declared finding excuses what it declares, in sign and in number, and nothing else.
#include "harness/base/verdict.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "harness/engine/episode_run.hpp"
#include "protocols/iolock_mmaplock.hpp"
#include "tests/broken/writes_move_nothing.hpp"
#include "tests/test_episode.hpp"

namespace daxrace {
namespace {

constexpr Finding finding(Hazard hazard, Sign sign, double most_per_million) {
  Finding declared;
  declared.hazard = hazard;
  declared.signs = sign;
  declared.most_per_million = most_per_million;
  return declared;
}
constexpr std::array kDeclared{finding(Hazard::h6, Sign::page_mapped, 0),
                               finding(Hazard::h8, Sign::stale_zero_page, 20)};
constexpr ProtocolInfo kProtocol = [] {
  ProtocolInfo protocol;
  protocol.promises = Hazards(Hazard::h1, Hazard::h6, Hazard::h8);
  protocol.findings = kDeclared;
  return protocol;
}();
constexpr auto kAll = [](const Finding&) { return true; };

Verdict verdict_of(Hazard hazard, Sign sign, std::uint64_t times = 1, std::uint64_t operations = 1'000'000) {
  Seen seen;
  seen.add(hazard, sign, times);
  return judge(kProtocol, seen, Verdict::kept, kAll, operations);
}

TEST(Judge, a_finding_excuses_its_own_sign_only) {
  EXPECT_EQ(verdict_of(Hazard::h8, Sign::stale_zero_page), Verdict::finding);
  EXPECT_EQ(verdict_of(Hazard::h8, Sign::stale_data), Verdict::broken);
  EXPECT_EQ(verdict_of(Hazard::h6, Sign::page_mapped), Verdict::finding);
  for (const Sign other : {Sign::page_pinned, Sign::pin_and_lock, Sign::lease, Sign::lock, Sign::lost_wakeup,
                           Sign::other, Sign::starved_page})
    EXPECT_EQ(verdict_of(Hazard::h6, other), Verdict::broken) << kSignNames[static_cast<std::size_t>(other)];
  EXPECT_EQ(verdict_of(Hazard::h1, Sign::stale_zero_page), Verdict::broken) << "of another hazard";
  EXPECT_EQ(verdict_of(Hazard::h2, Sign::corruption), Verdict::expected) << "not promised";
  EXPECT_EQ(judge(kProtocol, Seen(), Verdict::kept, kAll), Verdict::kept);
}

TEST(Judge, one_sign_that_nobody_declares_breaks_what_another_would_excuse) {
  Seen seen;
  seen.add(Hazard::h8, Sign::stale_zero_page);
  EXPECT_EQ(judge(kProtocol, seen, Hazard::h8, kAll), Verdict::finding);
  seen.add(Hazard::h8, Sign::stale_data);
  EXPECT_EQ(judge(kProtocol, seen, Hazard::h8, kAll), Verdict::broken);
}

TEST(Judge, a_finding_excuses_no_more_than_its_rate) {
  EXPECT_EQ(verdict_of(Hazard::h8, Sign::stale_zero_page, 20, 1'000'000), Verdict::finding);
  EXPECT_EQ(verdict_of(Hazard::h8, Sign::stale_zero_page, 21, 1'000'000), Verdict::broken);
  EXPECT_EQ(verdict_of(Hazard::h8, Sign::stale_zero_page, kLeastAllowed, 1), Verdict::finding);
  EXPECT_EQ(verdict_of(Hazard::h8, Sign::stale_zero_page, kLeastAllowed + 1, 1), Verdict::broken);
}

TEST(Judge, a_leak_breaks_a_protocol_that_promises_nothing) {
  Seen seen;
  seen.add(Hazard::h6, Sign::leak);
  EXPECT_EQ(judge(ProtocolInfo{}, seen, Verdict::none, kAll), Verdict::broken);
}

TEST(Judge, where_a_finding_does_not_apply_it_excuses_nothing) {
  Seen seen;
  seen.add(Hazard::h6, Sign::page_mapped);
  EXPECT_EQ(judge(kProtocol, seen, Verdict::kept, [](const Finding&) { return false; }), Verdict::broken);
}

/// A lessee maps his blocks under IOLOCK, like anybody: behind a change that waits for a pin, he cannot
/// return the lease.
TEST(StuckTasks, look_behind_a_lessee_who_waits_for_a_lock_himself) {
  const auto lease_of = [](int holder) { return StuckTask{.waits_for = WaitFor::lease, .holder = holder}; };
  const StuckTask lessee{.overdue = false, .waits_for = WaitFor::iolock, .holder = 2};
  const StuckTask change{.overdue = false, .waits_for = WaitFor::page_idle, .pinned = true};
  EXPECT_EQ(signs_of(std::vector{lease_of(1), lessee, change}), Signs(Sign::pin_and_lock));
  EXPECT_EQ(signs_of(std::vector{lease_of(StuckTask::kNobody), lessee, change}), Signs(Sign::lease));
}

TEST(StuckTasks, say_what_is_waited_for_behind_all_locks) {
  const StuckTask mapped{.waits_for = WaitFor::page_idle};
  const StuckTask pinned{.waits_for = WaitFor::page_idle, .pinned = true};
  const StuckTask idle{.waits_for = WaitFor::page_idle, .is_true = true};
  const auto iolock_of = [](int holder) { return StuckTask{.waits_for = WaitFor::iolock, .holder = holder}; };
  const auto mmaplock_of = [](int holder) {
    return StuckTask{.waits_for = WaitFor::mmaplock, .holder = holder};
  };
  const auto signs = [](std::vector<StuckTask> tasks) { return signs_of(tasks); };
  EXPECT_EQ(signs({mapped}), Signs(Sign::page_mapped));
  EXPECT_EQ(signs({mapped, iolock_of(0), mmaplock_of(1)}), Signs(Sign::page_mapped));
  EXPECT_EQ(signs({idle, iolock_of(0)}), Signs(Sign::lost_wakeup));
  EXPECT_EQ(signs({pinned}), Signs(Sign::page_pinned));
  EXPECT_EQ(signs({pinned, iolock_of(0)}), Signs(Sign::pin_and_lock));
  EXPECT_EQ(signs({pinned, mmaplock_of(0)}), Signs(Sign::page_pinned));
  EXPECT_EQ(signs({iolock_of(1), mmaplock_of(0)}), Signs(Sign::lock)) << "a circle";
  EXPECT_EQ(signs({mapped, iolock_of(StuckTask::kNobody)}), Signs(Sign::page_mapped, Sign::lock));
  EXPECT_EQ(signs({StuckTask{.waits_for = WaitFor::dio}}), Signs(Sign::other));
  EXPECT_EQ(signs({StuckTask{.overdue = false}, mapped}), Signs(Sign::page_mapped));
  EXPECT_EQ(signs({StuckTask{.overdue = false, .waits_for = WaitFor::page_idle}, iolock_of(0)}),
            Signs(Sign::page_mapped))
      << "it began to wait a little later than those whom it keeps out";
  EXPECT_EQ(signs({StuckTask{}, mapped}), Signs(Sign::page_mapped, Sign::other)) << "one runs without end";
}

/// Zeros after a finished write, as the oracle tells them apart.
class StaleZeros : public testing::Test {
 protected:
  static constexpr PageOffset kPage = 2;
  static constexpr core::Block kBlock{3, 0};
  static constexpr core::Block kNone{};

  void allocated_by(Oracle& who, Event next) {
    who.event(Event::allocated, 1, kPage, kBlock.frame, 0);
    who.event(next, 1, kPage, kBlock.frame, 0);
  }
  void write() { writer_.written(1, kPage, writer_.next_sequence(1, kPage)); }
  void read_zeros(core::Block through) { reader_.judge(1, kPage, through, reader_.before_read(1, kPage), 0); }
  std::uint64_t seen(Sign sign) const { return shared_.seen().count(Hazard::h8, sign); }

  OracleShared shared_{3, {8}};
  Oracle reader_{shared_, 0};
  Oracle writer_{shared_, 1};
  Oracle faulter_{shared_, 2};
};

TEST_F(StaleZeros, through_the_zero_page_of_a_block_that_a_fault_brought_are_the_finding_once_for_a_block) {
  allocated_by(faulter_, Event::fault_installed);
  write();
  read_zeros(kNone);
  read_zeros(kNone);
  EXPECT_EQ(seen(Sign::stale_zero_page), 1U);
  EXPECT_EQ(seen(Sign::stale_data), 0U);
  EXPECT_EQ(shared_.detected()[static_cast<std::size_t>(Detector::stale_data)], 2U);
  writer_.event(Event::freed, 1, kPage, kBlock.frame, 0);
  writer_.page_removing(1, kPage);
  writer_.page_removed(1, kPage);
  allocated_by(faulter_, Event::fault_installed);
  write();
  read_zeros(kNone);
  EXPECT_EQ(seen(Sign::stale_zero_page), 2U);
}

TEST_F(StaleZeros, through_a_frame_are_not) {
  allocated_by(faulter_, Event::fault_installed);
  write();
  read_zeros(kBlock);
  EXPECT_EQ(seen(Sign::stale_data), 1U);
  EXPECT_EQ(seen(Sign::stale_zero_page), 0U);
}

TEST_F(StaleZeros, through_a_zero_page_that_the_write_itself_left_mapped_are_not) {
  allocated_by(writer_, Event::copy_written);
  write();
  read_zeros(kNone);
  EXPECT_EQ(seen(Sign::stale_data), 1U);
  EXPECT_EQ(seen(Sign::stale_zero_page), 0U);
}

/// Punches are few: while one waits for a fault with IOLOCK held, nobody writes. A hole is loaded from before
/// it is filled, as a rule.
const Workload& files_with_holes() {
  static const Workload workload{
      .name = "files_with_holes",
      .summary = "for this test",
      .roles = {{.name = "loader", .ops = {{Op::touch_read, 1}}},
                {.name = "storer", .ops = {{Op::touch_read, 10}, {Op::touch_write, 1}}},
                {.name = "writer", .ops = {{Op::touch_read, 10}, {Op::write, 1}}},
                {.name = "puncher", .ops = {{Op::touch_read, 200}, {Op::read, 20}, {Op::punch, 1}}}}};
  return workload;
}

template <class P, class PerturbT = NoPerturb>
EpisodeResult run(EpisodeConfig config) {
  TestMachine& machine = TestMachine::get();
  check_episode(config, machine.region->facts(), machine.peer.get());
  return run_protocol_on<P, RunEnv<Rwsem, Oracle, PerturbT>>(config, *machine.region, machine.peer.get());
}

TEST(Run, a_write_that_moves_no_data_is_broken_whatever_is_declared_of_the_zero_page) {
  const EpisodeResult result =
      run<broken::writes_move_nothing>(closed_config(files_with_holes(), test_seed()));
  EXPECT_EQ(result.violated.text(), "H8") << result;
  EXPECT_EQ(result.verdict, Verdict::broken) << result;
}

/// A store to a hole loses the CPU between the block and the end of the zero page, `kTimes` in an episode.
template <int kTimes>
struct Stalls {
  static inline std::atomic<int> left{0};
  explicit(false) Stalls(const Perturb&) {}
  void step(Step at) noexcept {
    if (at == Step::fault_allocated && left.fetch_sub(1) > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
};

template <int kTimes>
EpisodeResult run_until_zeros_are_seen() {
  using Often = Stalls<kTimes>;
  EpisodeResult result;
  for (std::uint64_t i = 0; i < 50; ++i) {
    Often::left.store(kTimes);
    EpisodeConfig config = closed_config(files_with_holes(), test_seed() + i);
    config.file_pages = 2;
    config.measure_ns = 300'000'000;
    result = run<protocol::iolock_mmaplock, Often>(config);
    if (result.seen.count(Hazard::h8, Sign::stale_zero_page) > (kTimes > 3 ? kLeastAllowed : 0)) break;
  }
  return result;
}

TEST(Run, zeros_through_a_zero_page_that_outlives_the_allocation_are_a_finding) {
  const EpisodeResult result = run_until_zeros_are_seen<3>();
  EXPECT_EQ(result.violated.text(), "H8") << result;
  EXPECT_EQ(result.verdict, Verdict::finding) << result;
}

TEST(Run, and_broken_where_they_are_the_rule) {
  const EpisodeResult result = run_until_zeros_are_seen<1000>();
  EXPECT_EQ(result.violated.text(), "H8") << result;
  EXPECT_EQ(result.verdict, Verdict::broken) << result;
}

/// Sleeps for a pinned page where no put wakes it, with MMAPLOCK kept, so that nobody maps the page again.
struct loses_its_wakeup : protocol::iolock_mmaplock {
  template <class K>
  static int change(K& k, core::InodeOf<K>& ip, core::Change&) {
    core::Exclusive iolock(k, ip.i_rwsem);
    core::Exclusive mmaplock(k, ip.invalidate_lock);
    const FrameNumber busy = core::dax_layout_busy_page(k, ip, core::kWholeFile);
    if (busy == core::kNoFrame) return 0;
    const WaitKey wakes_nobody{&k.store.frame(busy).generation, WaitFor::page_idle, busy};
    return wait_event(k.env, wakes_nobody, Sleep::uninterruptible,
                      [&] { return core::page_is_idle(k, busy); });
  }
};

class HangsUnderRef0 : public testing::Test {
 protected:
  void SetUp() override {
    if (TestMachine::get().peer == nullptr) GTEST_SKIP() << TestMachine::get().no_peer_reason;
  }

  template <class P>
  static EpisodeResult run_until_it_hangs() {
    EpisodeResult result;
    for (std::uint64_t i = 0; i < 20 && result.status != Status::hang; ++i) {
      EpisodeConfig config = closed_config(*find_workload("gup_vs_punch"), test_seed() + i);
      config.refcount_regime = RefcountRegime::ref0;
      config.measure_ns = 500'000'000;
      config.hang_bound_ns = 2'000'000'000;  // a busy machine keeps a runnable task waiting, too
      try {
        result = run<P>(config);
      } catch (const Skipped& skipped) {
        return result;
      }
    }
    return result;
  }
};

TEST_F(HangsUnderRef0, on_a_page_that_is_mapped_again_are_a_finding) {
  const EpisodeResult result = run_until_it_hangs<protocol::iolock_mmaplock>();
  if (result.status != Status::hang) GTEST_SKIP() << "no direct I/O in flight on this machine's peer";
  EXPECT_EQ(result.verdict, Verdict::finding) << result;
}

TEST_F(HangsUnderRef0, on_an_idle_page_are_broken) {
  const EpisodeResult result = run_until_it_hangs<loses_its_wakeup>();
  if (result.status != Status::hang) GTEST_SKIP() << "no direct I/O in flight on this machine's peer";
  EXPECT_EQ(result.verdict, Verdict::broken) << result;
}

}  // namespace
}  // namespace daxrace
