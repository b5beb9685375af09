#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "harness/core/env.hpp"
#include "harness/core/rwsem.hpp"
#include "harness/engine/oracle.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/engine/pthread_rwlock.hpp"
#include "harness/engine/spinlock.hpp"
#include "harness/engine/task.hpp"
#include "harness/engine/wait_table.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace {

/// "I am accessing page P of mapping M", one word per task; 0 outside an access section.
struct alignas(64) AccessSlot {
  std::atomic<std::uint64_t> word{0};
};

/// What the Envs of all tasks of an episode share.
struct RunShared {
  explicit RunShared(std::size_t tasks) : slots(tasks) {}

  WaitTable wait_table;
  std::vector<AccessSlot> slots;
  std::uint64_t lease_grace_ns = 2'000'000;
};

/// Time by phase, exclusive: what an inner phase takes is not counted again by the one around it.
class PhaseClock {
 public:
  void clear() noexcept { sums_.fill(0); }
  const std::array<Clock::Ticks, kPhaseCount>& sums() const noexcept { return sums_; }

  class Timed {
   public:
    Timed(PhaseClock& clock, Phase phase) noexcept
        : clock_(clock), phase_(phase), outer_(clock.inner_), start_(Clock::now()) {
      clock_.inner_ = 0;
    }
    ~Timed() { end(Clock::now()); }
    /// Ends the phase and begins the next one, with one look at the clock.
    void next(Phase phase) noexcept {
      const Clock::Ticks now = Clock::now();
      end(now);
      phase_ = phase;
      outer_ = clock_.inner_;
      start_ = now;
      clock_.inner_ = 0;
    }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    void end(Clock::Ticks now) noexcept {
      const Clock::Ticks elapsed = now - start_;
      clock_.sums_[static_cast<std::size_t>(phase_)] += elapsed - clock_.inner_;
      clock_.inner_ = outer_ + elapsed;
    }

    PhaseClock& clock_;
    Phase phase_;
    Clock::Ticks outer_;
    Clock::Ticks start_;
  };

 private:
  std::array<Clock::Ticks, kPhaseCount> sums_{};
  Clock::Ticks inner_ = 0;
};

/// The lock behind IOLOCK and MMAPLOCK, with a name for reports.
template <class E, template <class> class LockT>
struct NamedLock : LockT<E> {
  explicit NamedLock(WaitFor name_for_reports) : name(name_for_reports) {}
  WaitFor name;
};

/// The Env of measured runs: real locks, real atomics, real sleeping. With Perturb it delays at the steps;
/// without, a step is nothing. OracleT is Oracle or NullOracle.
template <template <class> class LockT, class OracleT, class PerturbT>
class RunEnv {
 public:
  template <class T>
  using Atomic = std::atomic<T>;
  using RwSem = NamedLock<RunEnv, LockT>;
  using SpinlockType = Spinlock;
  using TaskType = Task;
  using WaitEntry = daxrace::WaitEntry;
  using Oracle = OracleT;
  static constexpr std::size_t kUnmapBatch = 512;
  static constexpr unsigned kSpinTurns = 256;
  static constexpr std::size_t kRangeSlots = 64;

  RunEnv(RunShared& shared, Task& task, OracleT& oracle, PerturbT perturb)
      : shared_(shared), task_(task), oracle_(oracle), perturb_(perturb) {}
  RunEnv(const RunEnv&) = delete;
  RunEnv& operator=(const RunEnv&) = delete;

  void step(Step at) noexcept { perturb_.step(at); }

  void down_read(RwSem& sem) {
    if (!sem.try_down_read()) {
      const WaitingFor waiting(*this, sem);
      sem.down_read_slow(*this);
    }
    task_.push_held(&sem, false);
  }
  void up_read(RwSem& sem) noexcept {
    task_.pop_held(&sem);
    sem.up_read();
  }
  void down_write(RwSem& sem) {
    if (!sem.try_down_write(*this)) {
      const WaitingFor waiting(*this, sem);
      sem.down_write_slow(*this);
    }
    task_.push_held(&sem, true);
  }
  void up_write(RwSem& sem) noexcept {
    task_.pop_held(&sem);
    sem.up_write();
  }

  void prepare_to_wait(WaitEntry& wait) noexcept { shared_.wait_table.prepare(wait, task_); }
  bool signal_pending() const noexcept { return task_.signal_pending.load(std::memory_order_relaxed); }
  void schedule() { task_.schedule(); }
  /// Sleeps no longer than the grace time that a lessee has. False: it has passed.
  bool schedule_grace() { return task_.schedule(shared_.lease_grace_ns); }
  void finish_wait(WaitEntry& wait) noexcept { shared_.wait_table.finish(wait, task_); }
  void wake_up(WaitKey key) noexcept { shared_.wait_table.wake(key.address); }

  /// Sequentially consistent: a shootdown that saw no section must not be overtaken by the load of the
  /// translation.
  void access_begin(std::uint32_t mapping, PageOffset page) noexcept {
    slot().store((std::uint64_t{mapping} + 1) << 32 | page);
  }
  void access_end() noexcept { slot().store(0, std::memory_order_release); }
  void tlb_shootdown(std::uint32_t mapping, PageRange range) noexcept;

  PhaseClock::Timed timed(Phase phase) noexcept { return {phases_, phase}; }
  OracleT& oracle() noexcept { return oracle_; }
  /// Constant, so that nothing of what a release does differently is left in a measured run.
  static constexpr KernelRules rules() noexcept { return {}; }

  Task& task() noexcept { return task_; }
  PhaseClock& phases() noexcept { return phases_; }
  void relax() noexcept { cpu_relax(); }

 private:
  /// Names a contended lock for the watchdog and times the wait.
  class WaitingFor {
   public:
    WaitingFor(RunEnv& env, RwSem& sem) noexcept : env_(env), timed_(env.phases_, Phase::lock_wait) {
      outer_address_ = env_.task_.wait_address.exchange(&sem, std::memory_order_relaxed);
      outer_for_ = env_.task_.wait_for.exchange(sem.name, std::memory_order_relaxed);
    }
    ~WaitingFor() {
      env_.task_.wait_address.store(outer_address_, std::memory_order_relaxed);
      env_.task_.wait_for.store(outer_for_, std::memory_order_relaxed);
    }
    WaitingFor(const WaitingFor&) = delete;
    WaitingFor& operator=(const WaitingFor&) = delete;

   private:
    RunEnv& env_;
    PhaseClock::Timed timed_;
    const void* outer_address_;
    WaitFor outer_for_;
  };

  std::atomic<std::uint64_t>& slot() noexcept { return shared_.slots[task_.id].word; }

  RunShared& shared_;
  Task& task_;
  OracleT& oracle_;
  [[no_unique_address]] PerturbT perturb_;
  PhaseClock phases_;
};

/// Returns when no access that used a removed translation of the range is in progress. Waits for such
/// accesses only.
template <template <class> class LockT, class OracleT, class PerturbT>
void RunEnv<LockT, OracleT, PerturbT>::tlb_shootdown(std::uint32_t mapping, PageRange range) noexcept {
  for (AccessSlot& other : shared_.slots) {
    Backoff backoff;
    for (;;) {
      const std::uint64_t word = other.word.load();
      if (word >> 32 != std::uint64_t{mapping} + 1 || !range.contains(static_cast<PageOffset>(word))) break;
      backoff.pause();
    }
  }
}

}  // namespace daxrace
