#pragma once

#include <cmath>
#include <cstdint>

#include <sched.h>

#include "harness/engine/episode_support.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/engine/recorder.hpp"
#include "harness/engine/spinlock.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace {

/// The paced load of one worker, whatever its operations are made of: draws intended starts, each at the mean
/// interval give or take half of it, waits for them, and counts in the recorder what was offered in the
/// measured part and what of that was served (begun before it ended).
///
/// Offered is every intended start before the end of the measured time, or before the moment of an early
/// stop, also if the worker never came to it: because it was late, or aborted in the middle of an operation.
template <class Time = Clock>
class Pacer {
 public:
  struct Setup {
    const EpisodeClock& clock;
    double interval;     ///< mean, in ticks
    bool overcommitted;  ///< whoever waits gives the CPU away
    Random& random;
    Recorder& recorder;
  };

  explicit Pacer(const Setup& setup) noexcept
      : setup_(setup), next_(static_cast<double>(setup.clock.start) + setup.interval * setup.random.unit()) {}
  ~Pacer() { count_unserved(); }
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  /// Until the episode ends. `perform(intended, measured)` makes one operation, `poll()` is called again and
  /// again while nothing else is to be done.
  template <class Poll, class Perform>
  void run(Poll poll, Perform perform) {
    while (wait(poll)) {
      const auto intended = static_cast<Clock::Ticks>(next_);
      const bool measured = intended >= setup_.clock.measure;
      next_ += setup_.interval * (0.5 + setup_.random.unit());
      setup_.recorder.offered += measured;
      setup_.recorder.served += measured;
      perform(intended, measured);
    }
  }

 private:
  /// False: the episode ends before the next intended start.
  template <class Poll>
  bool wait(Poll& poll) {
    const auto intended = static_cast<Clock::Ticks>(next_);
    if (intended >= setup_.clock.end) return false;
    for (;;) {
      poll();
      const Clock::Ticks now = Time::now();
      if (now >= setup_.clock.end || setup_.clock.stop.load(std::memory_order_relaxed)) return false;
      if (now >= intended) return true;
      if (setup_.overcommitted) {
        sched_yield();
      } else {
        cpu_relax();
      }
    }
  }

  /// What is left of the schedule, without jitter.
  void count_unserved() noexcept {
    double from = next_;
    const double warm_up = static_cast<double>(setup_.clock.measure) - from;
    if (warm_up > 0) from += std::ceil(warm_up / setup_.interval) * setup_.interval;
    const double left = static_cast<double>(setup_.clock.offered_until()) - from;
    if (left > 0) setup_.recorder.offered += static_cast<std::uint64_t>(std::ceil(left / setup_.interval));
  }

  const Setup setup_;
  double next_;  ///< intended start, in ticks
};

}  // namespace daxrace
