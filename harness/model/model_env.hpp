#pragma once

#include <atomic>
#include <cstdint>

#include "harness/core/env.hpp"
#include "harness/model/machine.hpp"
#include "harness/model/model_oracle.hpp"

namespace daxrace::model {

/// A plain value: tasks only change places at stop points, so that every operation is one step.
template <class T>
class ModelAtomic {
 public:
  ModelAtomic() = default;
  explicit(false) ModelAtomic(T value) : value_(value) {}

  T load(std::memory_order = std::memory_order_seq_cst) const {
    touch(this);
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) {
    touch(this);
    value_ = value;
  }
  T exchange(T value) {
    touch(this);
    const T old = value_;
    value_ = value;
    return old;
  }
  T fetch_add(T by) { return exchange(static_cast<T>(value_ + by)); }
  T fetch_sub(T by) { return exchange(static_cast<T>(value_ - by)); }
  bool compare_exchange_weak(T& expected, T wanted) {
    touch(this);
    if (value_ == expected) {
      value_ = wanted;
      return true;
    }
    expected = value_;
    return false;
  }

 private:
  T value_{};
};

/// The Env of the deterministic machine: a step is a stop point, locks are atomic objects, sleeping gives the
/// machine back to whoever directs it.
class ModelEnv {
 public:
  template <class T>
  using Atomic = ModelAtomic<T>;
  using RwSem = model::RwSem;
  using Oracle = ModelOracle;
  struct SpinlockType {
    void lock() { touch(this); }
    void unlock() {}
  };
  struct WaitEntry {
    explicit WaitEntry(WaitKey k) : key(k) {}
    WaitKey key;
    bool queued = false;
  };
  struct Timed {
    void next(Phase) {}
    ~Timed() {}  // NOLINT(modernize-use-equals-default): what is held only for its scope is not unused
  };
  static constexpr std::size_t kUnmapBatch = kPages;
  static constexpr std::size_t kRangeSlots = kTasks;  ///< nobody holds two

  ModelEnv(Machine& machine, Record& record, FrameContents& contents, const KernelRules& rules = {})
      : machine_(machine), oracle_(machine, record, contents), rules_(rules) {}

  void step(Step at) {
    if (machine_.tracing())
      machine_.note({.what = TraceLine::What::step, .task = machine_.current(), .step = at});
    machine_.stop();
  }

  void down_read(RwSem& sem) { machine_.down(sem, false); }
  void up_read(RwSem& sem) { machine_.up(sem, false); }
  void down_write(RwSem& sem) { machine_.down(sem, true); }
  void up_write(RwSem& sem) { machine_.up(sem, true); }
  void range_locked(const void* lock, WaitFor name, bool exclusive) {
    machine_.push_held(lock, name, exclusive);
  }
  void range_unlocked(const void* lock) { machine_.pop_held(lock); }

  void prepare_to_wait(WaitEntry& wait) { machine_.prepare_to_wait(wait.key, wait.queued); }
  bool signal_pending() const { return machine_.signal_pending(); }
  void schedule() { machine_.schedule(); }
  bool schedule_grace() { return machine_.schedule_grace(); }
  void finish_wait(WaitEntry& wait) {
    if (wait.queued) machine_.finish_wait(wait.key);
  }
  void wake_up(WaitKey key) { machine_.wake_up(key); }

  void access_begin(std::uint32_t mapping, PageOffset page) { machine_.section_begin(mapping, page); }
  void access_end() { machine_.section_end(); }
  void tlb_shootdown(std::uint32_t mapping, PageRange range) { machine_.shoot_down(mapping, range); }

  Timed timed(Phase) { return {}; }
  /// Of the release that is modelled. They never change, so that to look at them touches nothing.
  const KernelRules& rules() const { return rules_; }
  ModelOracle& oracle() {
    touched = true;
    return oracle_;
  }

 private:
  Machine& machine_;
  ModelOracle oracle_;
  KernelRules rules_;
};

static_assert(Env<ModelEnv>);

}  // namespace daxrace::model
