#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace daxrace {

/// The clock of every measured interval. It reads the TSC where the kernel itself trusts it (current
/// clocksource `tsc`), because a clock_gettime costs 2.5 times as much; elsewhere it is CLOCK_MONOTONIC. Call
/// calibrate() once, before any thread starts.
class Clock {
 public:
  using Ticks = std::uint64_t;

  static Ticks now() noexcept {
#if defined(__x86_64__)
    if (use_tsc_) return __rdtsc();
#endif
    return monotonic_ns();
  }
  static std::uint64_t to_ns(Ticks ticks) noexcept {
    return static_cast<std::uint64_t>(static_cast<double>(ticks) * ns_per_tick_);
  }
  static Ticks from_ns(std::uint64_t ns) noexcept {
    return static_cast<Ticks>(static_cast<double>(ns) / ns_per_tick_);
  }
  static std::uint64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
  }

  /// Decides which clock to read and measures its rate. Idempotent; takes about 20 ms the first time.
  static void calibrate();
  /// `tsc` or `clock_gettime`, for RUN.json.
  static std::string_view source() noexcept { return use_tsc_ ? "tsc" : "clock_gettime"; }
  /// Mean cost of one now(), in nanoseconds, measured by calibrate().
  static double read_cost_ns() noexcept { return read_cost_ns_; }

 private:
  static inline bool use_tsc_ = false;
  static inline double ns_per_tick_ = 1.0;
  static inline double read_cost_ns_ = 0.0;
};

}  // namespace daxrace
