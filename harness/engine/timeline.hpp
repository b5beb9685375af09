#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/env.hpp"
#include "harness/core/words.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace {

/// One thing that happened, as it is read back out of a timeline.
struct TimelineEvent {
  Clock::Ticks at = 0;
  Event event = Event::violation;
  std::uint8_t ino = 0;
  std::uint32_t task = 0;
  PageOffset page = 0;
  FrameNumber frame = core::kNoFrame;
  std::uint32_t value = 0;
};

/// The last events of one task: written by that task alone, read by whoever finds a violation. Words are
/// relaxed atomics; an event that is overwritten while it is read is dropped by the reader.
class alignas(64) Timeline {
 public:
  static constexpr std::size_t kEvents = 512;

  void record(Event event, std::uint32_t ino, PageOffset page, FrameNumber frame,
              std::uint32_t value) noexcept {
    const std::uint64_t next = next_.load(std::memory_order_relaxed);
    Slot& slot = slots_[next % kEvents];
    slot.at.store(Clock::now(), std::memory_order_relaxed);
    slot.what.store(
        std::uint64_t{value} << 32 | std::uint64_t{ino & 0xffU} << 8 | static_cast<std::uint64_t>(event),
        std::memory_order_relaxed);
    slot.where.store(std::uint64_t{page} << 32 | frame, std::memory_order_relaxed);
    next_.store(next + 1, std::memory_order_release);
  }

  /// Appends the events that are still whole.
  void copy_to(std::vector<TimelineEvent>& out, std::uint32_t task) const;

 private:
  struct Slot {
    std::atomic<std::uint64_t> at{0};
    std::atomic<std::uint64_t> what{0};
    std::atomic<std::uint64_t> where{0};
  };
  std::atomic<std::uint64_t> next_{0};
  std::array<Slot, kEvents> slots_;
};

}  // namespace daxrace
