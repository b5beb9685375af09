#pragma once

#include <array>
#include <cstdint>

#include "harness/core/env.hpp"

namespace daxrace::core {

enum class LockMode : bool { shared, exclusive };

/// A lock on ranges of pages: first come, first served among those that overlap and do not share, as the
/// interval trees of the range-locking proposals have it. Ranges that do not touch each other never wait. A
/// place in the table is taken before the wait; when all are taken, the caller waits for one.
template <Env E>
class RangeLock {
 public:
  using Place = std::size_t;

  explicit RangeLock(WaitFor name_for_reports) : name(name_for_reports) {}

  Place lock(E& env, PageRange range, LockMode mode, std::uint32_t ino) {
    Place place = enqueue(range, mode);
    if (place == kNoPlace || !granted(place)) {
      [[maybe_unused]] auto timed = env.timed(Phase::lock_wait);
      wait_event(env, key(ino), Sleep::uninterruptible, [&] {
        if (place == kNoPlace) place = enqueue(range, mode);
        return place != kNoPlace && granted(place);
      });
    }
    if constexpr (requires { env.range_locked(this, name, true); })
      env.range_locked(this, name, mode == LockMode::exclusive);
    return place;
  }
  void unlock(E& env, Place place, std::uint32_t ino) {
    lock_.lock();
    held_[place].ticket = 0;
    lock_.unlock();
    env.wake_up(key(ino));
    if constexpr (requires { env.range_unlocked(this); }) env.range_unlocked(this);
  }

  /// Numbers the tickets anew, in their order, and forgets whoever has left: two locks that differ only in
  /// how often they were taken are equal then. For whoever compares states, with nobody inside a call.
  void renumber_tickets() {
    const auto before = held_;
    last_ticket_ = 0;
    for (Held& held : held_) {
      if (held.ticket == 0) {
        held = {};
        continue;
      }
      ++last_ticket_;
      std::uint64_t not_later = 0;
      for (const Held& other : before) not_later += other.ticket != 0 && other.ticket <= held.ticket;
      held.ticket = not_later;
    }
  }

  WaitFor name;

 private:
  static constexpr Place kNoPlace = ~Place{0};

  struct Held {
    PageRange range;
    std::uint64_t ticket = 0;  ///< 0: the place is free
    LockMode mode = LockMode::shared;
  };

  WaitKey key(std::uint32_t ino) const { return {this, name, ino}; }

  Place enqueue(PageRange range, LockMode mode) {
    Place place = 0;
    lock_.lock();
    while (place < held_.size() && held_[place].ticket != 0) ++place;
    if (place == held_.size()) {
      place = kNoPlace;
    } else {
      held_[place] = {range, ++last_ticket_, mode};
    }
    lock_.unlock();
    return place;
  }

  /// Nobody who came earlier is in the way.
  bool granted(Place place) {
    lock_.lock();
    const Held& mine = held_[place];
    bool free = true;
    for (const Held& other : held_) {
      const bool earlier = other.ticket != 0 && other.ticket < mine.ticket;
      const bool overlaps = other.range.first < mine.range.end && mine.range.first < other.range.end;
      const bool shares = other.mode == LockMode::shared && mine.mode == LockMode::shared;
      if (earlier && overlaps && !shares) free = false;
    }
    lock_.unlock();
    return free;
  }

  typename E::SpinlockType lock_;
  std::array<Held, E::kRangeSlots> held_{};
  std::uint64_t last_ticket_ = 0;
};

}  // namespace daxrace::core
