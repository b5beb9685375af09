#pragma once

#include <cstdint>
#include <ctime>

#include <sched.h>

#include "harness/core/env.hpp"

namespace daxrace {

/// xorshift64*: small, seedable, good enough to pick pages and delays.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed * 0x9e37'79b9'7f4a'7c15U | 1) {}
  std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545'f491'4f6c'dd1dU;
  }
  /// Uniform enough in [0, bound); bound > 0.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }
  /// In [0, 1).
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

struct NoPerturb {
  void step(Step) noexcept {}
};

/// At each step: mostly nothing, sometimes the CPU is given away, now and then a short sleep, so that narrow
/// windows are met on any machine.
class Perturb {
 public:
  explicit Perturb(std::uint64_t seed) noexcept : random_(seed) {}
  void step(Step at) noexcept {
    const std::uint32_t draw = random_.below(kScale);
    if (draw >= kYields + kSleeps) return;
    const bool in_section = at == Step::access || at == Step::gup_pinned;
    if (draw < kSleeps && !in_section) {
      const timespec nap{0, static_cast<long>(random_.below(kLongestSleepNs))};
      clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, nullptr);
    } else {
      sched_yield();
    }
  }

 private:
  static constexpr std::uint32_t kScale = 256;
  static constexpr std::uint32_t kYields = 32;
  static constexpr std::uint32_t kSleeps = 8;
  static constexpr std::uint32_t kLongestSleepNs = 200'000;
  Random random_;
};

}  // namespace daxrace
