#pragma once

#include <array>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <string_view>

#include "harness/base/kernel_rules.hpp"
#include "harness/base/types.hpp"

/// Env: everything that a protocol and the core need from the outside. It supplies locks, atomics, sleeping
/// and waking, the TLB shootdown and named steps; it has no clock. One Env object belongs to one task and is
/// passed by reference. RunEnv measures, and with Perturb it delays at the steps; ModelEnv stops at them, for
/// litmus and explore.
namespace daxrace {

/// Named points between the steps of every path: nothing in RunEnv, a seeded yield or delay with Perturb, a
/// stop in ModelEnv. A step is never taken inside a spinlock.
enum class Step : std::uint8_t {
  fault_locked,     ///< MMAPLOCK as the protocol has it, nothing looked up yet
  fault_looked_up,  ///< the block is known, its translation is not installed
  fault_allocated,  ///< others see the block in the extent map, the zero page may still be mapped
  fault_touched,    ///< the frame was touched, its translation is not installed
  fault_installed,
  access,          ///< inside an access section, before the access itself
  gup_pinned,      ///< inside the section: reference taken, translation not checked again
  gup_in_flight,   ///< pinned, I/O not submitted yet
  io_in_flight,    ///< submitted, no lock held, the device not done yet
  copy_looked_up,  ///< read or write: blocks known, nothing copied
  copy_done,
  aio_counted,     ///< i_dio_count raised, blocks not looked up
  aio_looked_up,   ///< blocks known, request not submitted
  aio_submitted,   ///< the submission's locks are still held
  unmapped,        ///< translations of the range are gone, entries still stand
  busy_scanned,    ///< no busy page was found
  break_unlocked,  ///< the waiter dropped MMAPLOCK and is about to sleep
  break_relocked,
  lease_recalled,  ///< leases recalled, locks still held
  lease_unlocked,
  layout_broken,    ///< break_layouts is done, blocks not freed yet
  entries_removed,  ///< DAX entries are gone, blocks not freed yet
  block_unlinked,   ///< out of the extent map, not free yet
  block_freed,
  block_moved,    ///< it stands at its new offset
  lease_mapped,   ///< the lessee knows the frames
  leased_access,  ///< inside the section of a leased access, before the access itself
  lease_fenced,   ///< lessees are turned away, who is inside an access is not waited for yet
  writeback       ///< fsync cleared the tag, the frame is not flushed yet
};

/// What happened, for the timeline of a violation.
enum class Event : std::uint8_t {
  allocated,
  freed,
  fault_installed,
  unmapped,
  pinned,
  unpinned,
  copy_read,
  copy_written,
  dio_submitted,
  dio_completed,
  gup_submitted,
  gup_completed,
  lease_granted,
  lease_recalled,
  lease_returned,
  lease_revoked,
  moved,
  busy_wait,
  flushed,
  violation
};
inline constexpr std::array<std::string_view, 20> kEventNames = {
    "alloc blk",      "free blk",         "install pte",   "zap pte",      "pin",
    "unpin",          "dax read",         "dax write",     "submit aio",   "complete aio",
    "submit gup I/O", "complete gup I/O", "grant lease",   "recall lease", "return lease",
    "revoke lease",   "move blk",         "wait for page", "flush",        "VIOLATION"};
/// What a task sleeps on; for the watchdog's report and for whoever decides that an operation "waits".
enum class WaitFor : std::uint8_t {
  nothing,
  iolock,
  mmaplock,
  entry_lock,
  page_idle,
  dio,
  lease,
  io_slot,
  io_range,
  mapping_range,
  shootdown
};
inline constexpr std::array<std::string_view, 11> kWaitForNames = {
    "nothing",       "iolock",        "mmaplock",      "entry lock",         "page idle",    "i_dio_count 0",
    "lease release", "free I/O slot", "io range lock", "mapping range lock", "TLB shootdown"};

/// What to sleep on: an address that both sides know, and what to call it.
struct WaitKey {
  const void* address = nullptr;
  WaitFor what = WaitFor::nothing;
  std::uint32_t detail = 0;  ///< frame or inode number, for reports
};

/// Whether a signal ends a wait, as in the kernel's TASK_INTERRUPTIBLE and TASK_UNINTERRUPTIBLE.
enum class Sleep : std::uint8_t { interruptible, uninterruptible };

/// The requirements, spelled out where the compiler names them.
template <class E>
concept Env = requires(E env, typename E::RwSem& sem, typename E::WaitEntry& wait, WaitKey key,
                       typename E::SpinlockType& spinlock, typename E::template Atomic<std::uint64_t>& word,
                       PageRange range) {
  env.step(Step::access);
  env.down_read(sem);
  env.up_read(sem);
  env.down_write(sem);
  env.up_write(sem);
  env.prepare_to_wait(wait);
  { env.signal_pending() } -> std::same_as<bool>;
  env.schedule();
  { env.schedule_grace() } -> std::same_as<bool>;
  env.finish_wait(wait);
  env.wake_up(key);
  env.access_begin(std::uint32_t{}, PageOffset{});
  env.access_end();
  env.tlb_shootdown(std::uint32_t{}, range);
  env.timed(Phase::shootdown).next(Phase::zap);
  env.oracle();
  { env.rules() } -> std::convertible_to<const KernelRules&>;
  spinlock.lock();
  spinlock.unlock();
  { E::kRangeSlots } -> std::convertible_to<std::size_t>;
  { word.load() } -> std::same_as<std::uint64_t>;
};

/// The kernel's ___wait_event: the entry is queued before the condition is checked, so that a wake-up between
/// check and sleep is not lost. `sleep` stands for its `cmd` argument and may drop and retake locks around
/// schedule(). Returns 0, or -EINTR if the wait is interruptible and a signal is pending.
template <Env E, class Condition, class SleepFn>
int wait_event(E& env, WaitKey key, Sleep mode, Condition&& condition, SleepFn&& sleep) {
  struct Finish {
    E& env;
    typename E::WaitEntry& wait;
    ~Finish() { env.finish_wait(wait); }
  };
  typename E::WaitEntry wait(key);
  const Finish finish{env, wait};
  for (;;) {
    env.prepare_to_wait(wait);
    if (condition()) return 0;
    if (mode == Sleep::interruptible && env.signal_pending()) return -EINTR;
    sleep();
  }
}

template <Env E, class Condition>
int wait_event(E& env, WaitKey key, Sleep mode, Condition&& condition) {
  return wait_event(env, key, mode, condition, [&env] { env.schedule(); });
}

}  // namespace daxrace
