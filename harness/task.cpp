#include "harness/task.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace daxrace {
namespace {

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
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
      futex_wait(state_, kSleeping);
    }
  }
  if (aborting.load()) throw Aborted();
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
