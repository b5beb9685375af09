#pragma once

#include <type_traits>

#include "harness/model/machine.hpp"

/// The Env of a lock that is explored itself: every access to an atomic is a step of its own.
namespace daxrace::model {

class SteppedEnv {
 public:
  /// A task as a lock sees it. It gives up when it gets a signal.
  class TaskType {
   public:
    void set_sleeping() noexcept {
      machine().stop();
      machine().set_sleeping({this, WaitFor::iolock, 0});
    }
    void set_running() noexcept {
      machine().stop();
      machine().set_running();
    }
    bool sleeping() const noexcept {
      machine().stop();
      return machine().sleeping(id);
    }
    void wake() noexcept {
      machine().stop();
      machine().wake(id);
    }
    void schedule() {
      machine().stop();
      if (!machine().signal_pending()) machine().schedule();
      if (machine().signal_pending()) given_up = true;
    }

    TaskId id = kNobody;
    bool given_up = false;
  };

  template <class T>
  class Atomic {
   public:
    explicit(false) Atomic(T value) : value_(value) {}

    T load() const noexcept {
      step();
      tell("load");
      return value_;
    }
    void store(T value) noexcept {
      step();
      value_ = value;
      tell("store");
    }
    T fetch_add(T by) noexcept {
      step();
      const T old = value_;
      value_ += by;
      tell("fetch_add");
      return old;
    }
    T fetch_sub(T by) noexcept { return fetch_add(T{0} - by); }
    bool compare_exchange_strong(T& expected, T wanted) noexcept {
      step();
      const bool same = value_ == expected;
      expected = value_;
      if (same) value_ = wanted;
      tell(same ? "cmpxchg" : "cmpxchg fails");
      return same;
    }
    bool compare_exchange_weak(T& expected, T wanted) noexcept {
      return compare_exchange_strong(expected, wanted);
    }

   private:
    void step() const noexcept {
      machine().stop();
      touch(this);
    }
    void tell(std::string_view how) const noexcept {
      if (running == nullptr || !running->tracing()) return;
      TraceLine line{.what = TraceLine::What::atomic, .task = running->current(), .text = how};
      if constexpr (std::is_pointer_v<T>) {
        line.name = "owner";
        line.value = value_ == nullptr ? 0 : value_->id + 1;
      } else {
        line.name = std::is_same_v<T, bool> ? "granted" : "count";
        line.value = static_cast<std::uint32_t>(value_);
      }
      running->note(line);
    }

    T value_;
  };

  /// The lock's own spinlock: whoever finds it taken does not run until it is free.
  struct SpinlockType {
    void lock() { machine().down(sem, true); }
    void unlock() { machine().up(sem, true); }
    RwSem sem{WaitFor::nothing};
  };

  static constexpr unsigned kSpinTurns = 2;
  static constexpr unsigned kMaxSteals = 1;  ///< so that few tasks get as far as the hand-off

  explicit SteppedEnv(TaskType& task) : task_(task) {}
  TaskType& task() { return task_; }
  bool given_up() const { return task_.given_up; }
  void relax() {}

 private:
  static Machine& machine() { return *running; }

  TaskType& task_;
};

}  // namespace daxrace::model
