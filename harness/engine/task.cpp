#include "harness/engine/task.hpp"

#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/platform/clock.hpp"

namespace daxrace {
namespace {

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec* timeout) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace

void Task::schedule() {
  while (sleeping()) {
    if (aborting.load()) {
      set_running();
      throw Aborted();
    }
    if (io != nullptr && io->in_flight()) {
      in_ring_.store(true);
      if (sleeping()) io->wait_and_complete();
      in_ring_.store(false);
    } else {
      futex_wait(state_, kSleeping, nullptr);
    }
  }
  if (aborting.load()) throw Aborted();
}

bool Task::schedule(std::uint64_t timeout_ns) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  const Clock::Ticks until = Clock::now() + Clock::from_ns(timeout_ns);
  while (sleeping()) {
    const Clock::Ticks now = Clock::now();
    const bool timed_out = now >= until;
    if (timed_out || aborting.load()) set_running();
    if (aborting.load()) throw Aborted();
    if (timed_out) return false;
    const std::uint64_t left_ns = Clock::to_ns(until - now) + 1;
    if (io != nullptr && io->in_flight()) {
      in_ring_.store(true);
      if (sleeping()) io->wait_and_complete(left_ns);
      in_ring_.store(false);
    } else {
      const timespec left{static_cast<time_t>(left_ns / kNsPerSecond),
                          static_cast<long>(left_ns % kNsPerSecond)};
      futex_wait(state_, kSleeping, &left);
    }
  }
  if (aborting.load()) throw Aborted();
  return true;
}

void Task::wake() noexcept {
  if (state_.exchange(kRunning) != kSleeping) return;
  if (in_ring_.load()) {
    io->poke();
  } else {
    futex_wake(state_);
  }
}

}  // namespace daxrace
