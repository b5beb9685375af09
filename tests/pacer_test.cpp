// The paced load on a clock of its own: what is offered, and what of it is served.
#include "harness/load/pacer.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace daxrace {
namespace {

/// Ticks are nanoseconds; each look takes one microsecond.
struct FakeClock {
  static constexpr Clock::Ticks kMillisecond = 1'000'000;
  static inline Clock::Ticks time = 0;
  static Clock::Ticks now() noexcept { return time += 1'000; }
};

/// 1000 starts a second; measured from 50 to 250 ms.
class PacerTest : public testing::Test {
 protected:
  static constexpr Clock::Ticks kMillisecond = FakeClock::kMillisecond;

  void SetUp() override {
    FakeClock::time = kMillisecond;
    clock_.stop.store(false);
    clock_.stopped_at.store(0);
    clock_.start = kMillisecond;
    clock_.measure = clock_.start + 50 * kMillisecond;
    clock_.end = clock_.measure + 200 * kMillisecond;
  }

  /// One worker whose operations take so long. A watch that is always first says stop at the end.
  template <class Perform>
  Recorder run(std::uint64_t seed, bool watch_is_first, Perform perform) {
    Recorder recorder;
    Random random(seed);
    const auto watch = [&] {
      if (watch_is_first && FakeClock::time >= clock_.end) clock_.stop_at(FakeClock::time);
    };
    try {
      Pacer<FakeClock> pacer({clock_, kMillisecond, false, random, recorder});
      pacer.run(watch, [&](Clock::Ticks, bool) {
        perform();
        watch();
      });
    } catch (const std::runtime_error&) {
      return recorder;
    }
    return recorder;
  }
  static auto taking(Clock::Ticks ticks) {
    return [ticks] { FakeClock::time += ticks; };
  }
  static double share(const Recorder& recorder) {
    return static_cast<double>(recorder.served) / static_cast<double>(recorder.offered);
  }

  EpisodeClock clock_;
};

TEST_F(PacerTest, a_worker_that_is_too_slow_is_told_so_whoever_sees_the_end_first) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SetUp();
    clock_.measure = clock_.start;
    const Recorder recorder = run(seed, seed % 2 == 0, taking(10 * kMillisecond));
    EXPECT_NEAR(static_cast<double>(recorder.offered), 250, 8) << seed;
    EXPECT_NEAR(static_cast<double>(recorder.served), 25, 1) << seed;
    EXPECT_LT(share(recorder), 0.2) << seed;
  }
}

TEST_F(PacerTest, serves_everything_where_there_is_time) {
  const Recorder recorder = run(1, false, taking(kMillisecond / 10));
  EXPECT_NEAR(static_cast<double>(recorder.offered), 200, 10);
  EXPECT_EQ(recorder.served, recorder.offered);
}

TEST_F(PacerTest, a_worker_that_gets_no_cpu_before_the_end_has_served_nothing) {
  FakeClock::time = clock_.end + kMillisecond;
  clock_.stop_at(FakeClock::time);
  const Recorder recorder = run(1, true, taking(0));
  EXPECT_EQ(recorder.offered, 200U);
  EXPECT_EQ(recorder.served, 0U);
}

TEST_F(PacerTest, offers_nothing_after_an_early_stop) {
  const Clock::Ticks stop = clock_.measure + 50 * kMillisecond;
  const Recorder quick = run(1, false, [&] {
    FakeClock::time += 10'000;
    if (FakeClock::time >= stop) clock_.stop_at(FakeClock::time);
  });
  EXPECT_NEAR(static_cast<double>(quick.offered), 50, 5);
  EXPECT_EQ(quick.served, quick.offered);
}

TEST_F(PacerTest, counts_what_a_late_worker_owed_at_an_early_stop) {
  const Recorder slow = run(1, false, [&] {
    FakeClock::time += 10 * kMillisecond;
    if (FakeClock::time >= clock_.measure + 50 * kMillisecond) clock_.stop_at(FakeClock::time);
  });
  EXPECT_NEAR(static_cast<double>(slow.offered), 55, 7);
  EXPECT_LT(share(slow), 0.2);
}

TEST_F(PacerTest, offers_nothing_where_the_stop_came_before_the_measured_part) {
  clock_.stop_at(clock_.start);
  EXPECT_EQ(run(1, false, taking(0)).offered, 0U);
}

TEST_F(PacerTest, counts_what_an_aborted_operation_left_undone) {
  const Recorder recorder = run(1, false, [&] {
    FakeClock::time = clock_.end + kMillisecond;
    clock_.stop_at(FakeClock::time);
    throw std::runtime_error("aborted");
  });
  EXPECT_EQ(recorder.offered, 200U);
  EXPECT_EQ(recorder.served, 0U) << "it began in the warm-up";
}

TEST_F(PacerTest, the_first_stop_is_the_one_that_counts) {
  clock_.stop_at(clock_.measure);
  clock_.stop_at(clock_.end);
  EXPECT_EQ(clock_.offered_until(), clock_.measure);
}

}  // namespace
}  // namespace daxrace
