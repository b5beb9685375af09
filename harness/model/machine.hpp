#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "harness/core/env.hpp"
#include "harness/model/footprint.hpp"

/// A machine of a few tasks on one OS thread: each task is a fiber that runs until its next stop point, and
/// whoever directs the machine says which task runs next. There is no clock and no luck: the same choices
/// give the same run.
namespace daxrace::model {

using TaskId = std::uint32_t;
inline constexpr TaskId kTasks = 5;
inline constexpr TaskId kNobody = kTasks;

/// The machine whose task runs on this thread.
class Machine;
inline thread_local constinit Machine* running = nullptr;

/// A reader-writer lock as one atomic object with the admission rules of the kernel's rwsem: waiters queue
/// first in, first out; a reader at the head lets every queued reader in; a lock that is free may be stolen
/// by a newcomer; behind readers that hold it and somebody who queues, new readers queue too.
class RwSem {
 public:
  explicit RwSem(WaitFor name_for_reports) : name(name_for_reports) {}

  bool admits_newcomer(bool exclusive) const {
    touch(this);
    return free() || (!exclusive && writer_ == kNobody && queued_ == 0);
  }
  bool admits_queued(TaskId task) const {
    touch(this);
    if (queue_[0].exclusive) return free() && queue_[0].task == task;
    return writer_ == kNobody && !exclusive_in_queue(task);
  }
  void take(TaskId task, bool exclusive);
  void enqueue(TaskId task, bool exclusive) {
    touch(this);
    queue_[queued_++] = {task, exclusive};
  }
  void dequeue(TaskId task);
  void release(TaskId task, bool exclusive);

  bool held_by(TaskId task) const { return writer_ == task || (readers_ >> task & 1) != 0; }
  bool free() const { return writer_ == kNobody && readers_ == 0; }

  WaitFor name;

 private:
  struct Waiter {
    TaskId task = kNobody;
    bool exclusive = false;
  };
  bool exclusive_in_queue(TaskId task) const;

  TaskId writer_ = kNobody;
  std::uint32_t readers_ = 0;  ///< one bit for each task
  std::array<Waiter, kTasks> queue_{};
  std::uint32_t queued_ = 0;
};

/// Why a task does not run.
enum class Blocked : std::uint8_t { no, on_lock, asleep, asleep_for_grace, in_shootdown };

/// One line of what happened, in the order in which it did.
struct TraceLine {
  enum class What : std::uint8_t {
    ends,
    step,
    event,
    takes,
    drops,
    wakes,
    blocks,
    atomic,
    signal,
    grace_over,
    violation
  };
  static constexpr std::size_t kHeldShown = 4;
  struct HeldLock {
    const void* lock = nullptr;
    WaitFor name = WaitFor::nothing;
    bool exclusive = false;
  };

  What what = What::step;
  TaskId task = kNobody;
  Step step = Step::access;
  Event event = Event::violation;
  bool exclusive = false;
  WaitKey key = {};
  std::uint32_t ino = 0;
  PageOffset page = 0;
  FrameNumber frame = 0;
  std::uint32_t value = 0;
  std::string_view name = {};  ///< atomic: of the word
  std::string_view text = {};  ///< atomic: what was done
  std::array<HeldLock, kHeldShown> held = {};
};

class Machine {
 public:
  using Body = void (*)(void* scene, TaskId task);
  static constexpr std::size_t kTraceLines = 1024;

  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // For whoever directs.

  /// Forgets every task, wherever it stands: protocol code owns nothing that would have to be given back.
  void reset();
  void start(TaskId task, Body body, void* scene);
  bool started(TaskId task) const { return tasks_[task].started; }
  bool done(TaskId task) const { return tasks_[task].done; }
  bool unfinished(TaskId task) const { return started(task) && !done(task); }
  bool runnable(TaskId task) const;
  /// Runs one task, which must be runnable, to its next stop point, block or end.
  void advance(TaskId task);
  Blocked blocked(TaskId task) const { return tasks_[task].blocked; }
  /// What a blocked task waits for.
  WaitKey waits_for(TaskId task) const;
  /// Wakes a sleeper without a reason, as the kernel may.
  void wake_spuriously(TaskId task) { tasks_[task].waits.awake = true; }
  /// The grace time of the task that sleeps for it is over.
  void end_grace(TaskId task);
  void signal(TaskId task);
  std::uint64_t stops() const { return stops_; }
  TaskId current() const { return current_; }
  bool holds(TaskId task, const void* lock) const;

  /// Also stops where a task queues for a wake-up and where one is about to wake somebody: the gaps in which
  /// wake-ups are lost.
  void stop_at_waits(bool on) { stop_at_waits_ = on; }
  /// Passes over stops between which nothing shared was touched: nobody can tell them apart.
  void merge_equal_stops(bool on) { merge_equal_stops_ = on; }

  /// What only the task itself looks at, beside its stack.
  std::span<std::byte> own(TaskId task) { return bytes_between(&tasks_[task], &tasks_[task].waits); }
  /// The parts of a task that others look at and change.
  template <class Fn>
  void for_each_part(TaskId task, Fn&& fn) {
    fn(bytes_of(tasks_[task].waits));
    fn(bytes_of(tasks_[task].section));
  }
  /// Sections that TLB shootdowns wait for: for each task those of which tasks, one bit for each.
  using Shots = std::array<std::uint8_t, kTasks>;
  Shots& shots() { return shots_; }
  /// The part of a task's stack that may be in use; it is never used below.
  std::span<std::byte> stack(TaskId task);
  /// Where the used part begins: registers of the stopped task, then its frames.
  std::byte* stack_pointer(TaskId task) const { return static_cast<std::byte*>(tasks_[task].context); }

  void trace(bool on) { tracing_ = on; }
  bool tracing() const { return tracing_; }
  std::size_t trace_size() const { return trace_size_; }
  const TraceLine& trace_line(std::size_t i) const { return trace_[i]; }
  void note(const TraceLine& line) {
    if (tracing_) [[unlikely]]
      keep(line);
  }

  // For the tasks, through ModelEnv. Outside a task a stop point is nothing.

  void stop();
  void down(RwSem& sem, bool exclusive);
  void up(RwSem& sem, bool exclusive);
  void push_held(const void* lock, WaitFor name, bool exclusive);
  void pop_held(const void* lock);
  void prepare_to_wait(const WaitKey& key, bool& queued);
  void finish_wait(const WaitKey& key);
  void schedule();
  bool schedule_grace();
  void wake_up(const WaitKey& key);
  /// The same without a queue: the sleeper says so, and whoever wakes it knows it.
  void set_sleeping(const WaitKey& key);
  void set_running();
  bool sleeping(TaskId task) const;
  void wake(TaskId task);
  bool signalled(TaskId task) const {
    note_touch(&tasks_[task].waits);
    return tasks_[task].waits.signal_pending;
  }
  bool signal_pending() const {
    if (current_ == kNobody) return false;
    touch(&tasks_[current_].waits);
    return tasks_[current_].waits.signal_pending;
  }
  void section_begin(std::uint32_t mapping, PageOffset page);
  void section_end();
  void shoot_down(std::uint32_t mapping, PageRange range);

 private:
  static constexpr std::size_t kNested = 4;
  static constexpr std::size_t kHeld = 8;

  struct Waits {
    std::array<WaitKey, kNested> queued_on{};
    std::size_t queued = 0;
    bool awake = true;
    bool signal_pending = false;
  };
  struct Section {
    bool open = false;
    std::uint32_t mapping = 0;
    PageOffset page = 0;
  };
  struct Task {
    bool started = false;
    bool done = false;
    Body body = nullptr;
    void* scene = nullptr;
    void* context = nullptr;
    Blocked blocked = Blocked::no;
    RwSem* lock = nullptr;
    bool lock_exclusive = false;
    bool grace_over = false;
    std::uint32_t shot_mapping = 0;
    std::array<TraceLine::HeldLock, kHeld> held{};
    std::size_t held_count = 0;
    Waits waits;
    Section section;
  };
  struct Stacks;

  void keep(TraceLine line);
  bool somebody_waits(const WaitKey& key) const;
  void switch_in(TaskId id);
  void switch_out();
  void block(Blocked why);
  bool sleep(Blocked how);
  void entered();

  std::array<Task, kTasks> tasks_{};
  Shots shots_{};
  TaskId current_ = kNobody;
  void* director_ = nullptr;
  std::uint64_t stops_ = 0;
  std::unique_ptr<Stacks> stacks_;
  bool stop_at_waits_ = false;
  bool merge_equal_stops_ = false;
  bool tracing_ = false;
  std::size_t trace_size_ = 0;
  std::array<TraceLine, kTraceLines> trace_{};

  friend struct FiberEntry;
};

}  // namespace daxrace::model
