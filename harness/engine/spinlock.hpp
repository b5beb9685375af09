#pragma once

#include <atomic>

#include <sched.h>

namespace daxrace {

inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Spins politely: gives the CPU away now and then, because the holder may have lost its own.
class Backoff {
 public:
  void pause() noexcept {
    if (++turns_ % kTurnsPerYield == 0) {
      sched_yield();
    } else {
      cpu_relax();
    }
  }

 private:
  static constexpr unsigned kTurnsPerYield = 64;
  unsigned turns_ = 0;
};

/// For sections of a few instructions that neither sleep nor fault.
class Spinlock {
 public:
  void lock() noexcept {
    Backoff backoff;
    while (locked_.exchange(true, std::memory_order_acquire)) {
      while (locked_.load(std::memory_order_relaxed)) backoff.pause();
    }
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace daxrace
