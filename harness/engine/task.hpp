#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>

#include "harness/core/env.hpp"

namespace daxrace {

/// Thrown out of a sleep when the watchdog gives the episode up: every lock of that engine is void from then
/// on.
class Aborted : public std::exception {
 public:
  const char* what() const noexcept override { return "episode aborted by the watchdog"; }
};

/// A task that has I/O in flight must go on completing it while it sleeps: its own pins may be what others
/// wait for.
class IoCompleter {
 public:
  virtual ~IoCompleter() = default;
  virtual bool in_flight() const noexcept = 0;
  /// Sleeps until a completion or poke(), then completes what is done.
  virtual void wait_and_complete() = 0;
  virtual void wait_and_complete(std::uint64_t timeout_ns) = 0;
  /// Completes what is done already; does not sleep.
  virtual void complete_ready() = 0;
  virtual void poke() noexcept = 0;
};

/// One worker thread as the locks and wait queues see it: what task_struct is to the kernel's.
class alignas(64) Task {
 public:
  static constexpr std::size_t kMaxHeld = 6;

  explicit Task(std::uint32_t number) : id(number) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  void set_sleeping() noexcept { state_.store(kSleeping); }
  void set_running() noexcept { state_.store(kRunning); }
  bool sleeping() const noexcept { return state_.load() == kSleeping; }
  /// Sleeps until somebody wakes this task; returns at once if that happened since set_sleeping().
  /// Throws Aborted if the episode was given up.
  void schedule();
  /// The same for a bounded time. False: nobody woke it, and it is running again.
  bool schedule(std::uint64_t timeout_ns);
  void wake() noexcept;

  void push_held(const void* lock, bool exclusive) noexcept;
  void pop_held(const void* lock) noexcept;

  const std::uint32_t id;
  std::atomic<int> tid{0};  ///< the thread's, as the kernel numbers them
  IoCompleter* io = nullptr;

  // What the watchdog reads from outside.
  static constexpr std::uint8_t kIdle = 0xff;
  static constexpr std::uint8_t kDraining = 0xfe;  ///< waits for its last I/O
  std::atomic<std::uint8_t> op{kIdle};             ///< the Op that is under way
  std::atomic<std::uint64_t> ops_begun{0};
  std::atomic<bool> signal_pending{false};
  std::atomic<bool> aborting{false};
  std::atomic<const void*> wait_address{nullptr};
  std::atomic<std::uint32_t> wait_detail{0};
  std::atomic<WaitFor> wait_for{WaitFor::nothing};
  /// Locks held: the address, plus one if exclusive.
  std::array<std::atomic<std::uintptr_t>, kMaxHeld> held_locks{};

 private:
  static constexpr std::uint32_t kRunning = 0;
  static constexpr std::uint32_t kSleeping = 1;

  std::atomic<std::uint32_t> state_{kRunning};
  std::atomic<bool> in_ring_{false};
};

inline void Task::push_held(const void* lock, bool exclusive) noexcept {
  for (auto& slot : held_locks) {
    if (slot.load(std::memory_order_relaxed) != 0) continue;
    slot.store(reinterpret_cast<std::uintptr_t>(lock) | (exclusive ? 1U : 0U), std::memory_order_relaxed);
    return;
  }
}

inline void Task::pop_held(const void* lock) noexcept {
  for (auto& slot : held_locks) {
    if ((slot.load(std::memory_order_relaxed) & ~std::uintptr_t{1}) != reinterpret_cast<std::uintptr_t>(lock))
      continue;
    slot.store(0, std::memory_order_relaxed);
    return;
  }
}

}  // namespace daxrace
