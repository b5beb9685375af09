#include "harness/model/machine.hpp"

#include <algorithm>
#include <vector>

#include <boost/context/detail/fcontext.hpp>

#include "harness/model/fiber_switch.hpp"

namespace daxrace::model {

// The bare context switch rather than boost::context::fiber: a run that ends in a deadlock leaves fibers in
// the middle of protocol code, and they must be forgotten where they stand, not unwound through it.
namespace fc = boost::context::detail;

struct Machine::Stacks {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr std::size_t kBytes = std::size_t{256} << 10;
  static constexpr std::size_t kUsed = std::size_t{32} << 10;
#else
  static constexpr std::size_t kBytes = std::size_t{32} << 10;
  static constexpr std::size_t kUsed = std::size_t{8} << 10;
#endif
  struct alignas(64) Stack {
    std::array<std::byte, kBytes> bytes;
  };
  std::vector<Stack> stacks{kTasks};
  std::array<SanitizerFiber, kTasks> sanitizer{};
};

// --- RwSem

bool RwSem::exclusive_in_queue(TaskId task) const {
  return std::any_of(queue_.begin(), queue_.begin() + queued_,
                     [task](const Waiter& waiter) { return waiter.task == task && waiter.exclusive; });
}

void RwSem::take(TaskId task, bool exclusive) {
  touch(this);
  if (exclusive) {
    writer_ = task;
  } else {
    readers_ |= 1U << task;
  }
}

void RwSem::dequeue(TaskId task) {
  touch(this);
  const auto end = queue_.begin() + queued_;
  const auto last =
      std::remove_if(queue_.begin(), end, [task](const Waiter& waiter) { return waiter.task == task; });
  std::fill(last, end, Waiter{});  // nothing of the past stays: equal situations are equal bytes
  queued_ = static_cast<std::uint32_t>(last - queue_.begin());
}

void RwSem::release(TaskId task, bool exclusive) {
  touch(this);
  if (exclusive) {
    writer_ = kNobody;
  } else {
    readers_ &= ~(1U << task);
  }
}

// --- Fibers

struct FiberEntry {
  static void enter(fc::transfer_t from) {
    auto& machine = *static_cast<Machine*>(from.data);
    machine.director_ = from.fctx;
    const TaskId id = machine.current_;
    machine.entered();
    machine.switch_out();
    machine.tasks_[id].body(machine.tasks_[id].scene, id);
    machine.note({.what = TraceLine::What::ends, .task = id});
    machine.tasks_[id].done = true;
    for (;;) machine.switch_out();
  }
};

Machine::Machine() : stacks_(std::make_unique<Stacks>()) {}
Machine::~Machine() = default;

void Machine::reset() {
  tasks_.fill(Task{});
  shots_ = {};
  current_ = kNobody;
  stops_ = 0;
  trace_size_ = 0;
}

void Machine::start(TaskId id, Body body, void* scene) {
  Task& task = tasks_[id];
  auto& stack = stacks_->stacks[id].bytes;
  stacks_->sanitizer[id].begins_on(stack.data(), stack.size());
  task.started = true;
  task.body = body;
  task.scene = scene;
  task.context = fc::make_fcontext(stack.data() + stack.size(), stack.size(), &FiberEntry::enter);
  // Into the frame at its bottom, which may keep the director's place: here that is the same for every state.
  current_ = id;
  switch_in(id);
}

std::span<std::byte> Machine::stack(TaskId id) {
  auto& bytes = stacks_->stacks[id].bytes;
  return std::span(bytes).last(Stacks::kUsed);
}

void Machine::advance(TaskId id) {
  touched = false;
  ++stops_;
  current_ = id;
  running = this;
  tasks_[id].blocked = Blocked::no;
  switch_in(id);
}

void Machine::switch_in(TaskId id) {
  stacks_->sanitizer[id].leaves_to_fiber();
  const fc::transfer_t back = fc::jump_fcontext(tasks_[id].context, this);
  stacks_->sanitizer[id].back_from_fiber();
  tasks_[id].context = back.fctx;
  current_ = kNobody;
}

void Machine::entered() { stacks_->sanitizer[current_].entered_fiber(); }

void Machine::switch_out() {
  touched = false;
  SanitizerFiber& sanitizer = stacks_->sanitizer[current_];
  sanitizer.leaves_fiber();
  // At once, so that no register is saved on the stack that is watched: where the director stands says
  // nothing of the task.
  director_ = fc::jump_fcontext(director_, nullptr).fctx;
  sanitizer.entered_fiber();
}

void Machine::stop() {
  if (current_ == kNobody || (merge_equal_stops_ && !touched)) return;
  switch_out();
}

void Machine::block(Blocked why) {
  tasks_[current_].blocked = why;
  note({.what = TraceLine::What::blocks, .task = current_, .key = waits_for(current_)});
  switch_out();
}

bool Machine::runnable(TaskId id) const {
  const Task& task = tasks_[id];
  if (!task.started || task.done) return false;
  switch (task.blocked) {
    case Blocked::no:
      return true;
    case Blocked::on_lock:
      return task.lock->admits_queued(id);
    case Blocked::asleep:
      touch(&task.waits);
      return task.waits.awake;
    case Blocked::asleep_for_grace:
      touch(&task.waits);
      return task.waits.awake || task.grace_over;
    case Blocked::in_shootdown:
      note_touch(&shots_);
      return shots_[id] == 0;
  }
  return false;
}

WaitKey Machine::waits_for(TaskId id) const {
  const Task& task = tasks_[id];
  switch (task.blocked) {
    case Blocked::no:
      return {};
    case Blocked::on_lock:
      return {task.lock, task.lock->name, 0};
    case Blocked::asleep:
    case Blocked::asleep_for_grace:
      return task.waits.queued == 0 ? WaitKey{} : task.waits.queued_on[task.waits.queued - 1];
    case Blocked::in_shootdown:
      return {nullptr, WaitFor::shootdown, task.shot_mapping};
  }
  return {};
}

void Machine::end_grace(TaskId id) {
  tasks_[id].grace_over = true;
  note({.what = TraceLine::What::grace_over, .task = id});
}

void Machine::signal(TaskId id) {
  Waits& waits = tasks_[id].waits;
  touch(&waits);
  waits.signal_pending = true;
  waits.awake = true;
  note({.what = TraceLine::What::signal, .task = id});
}

void Machine::keep(TraceLine line) {
  if (trace_size_ == trace_.size()) return;
  if (line.task < kTasks) {
    const Task& task = tasks_[line.task];
    std::copy_n(task.held.begin(), std::min(task.held_count, line.held.size()), line.held.begin());
  }
  trace_[trace_size_++] = line;
}

// --- Locks

void Machine::down(RwSem& sem, bool exclusive) {
  const TaskId id = current_;
  stop();
  if (!sem.admits_newcomer(exclusive)) {
    tasks_[id].lock = &sem;
    tasks_[id].lock_exclusive = exclusive;
    sem.enqueue(id, exclusive);
    block(Blocked::on_lock);
    sem.dequeue(id);
    tasks_[id].lock = nullptr;
    tasks_[id].lock_exclusive = false;
  }
  sem.take(id, exclusive);
  push_held(&sem, sem.name, exclusive);
}

void Machine::up(RwSem& sem, bool exclusive) {
  sem.release(current_, exclusive);
  pop_held(&sem);
  stop();
}

void Machine::push_held(const void* lock, WaitFor name, bool exclusive) {
  if (current_ == kNobody) return;
  Task& task = tasks_[current_];
  if (task.held_count < task.held.size()) task.held[task.held_count++] = {lock, name, exclusive};
  note({.what = TraceLine::What::takes, .task = current_, .exclusive = exclusive, .key = {lock, name, 0}});
}

void Machine::pop_held(const void* lock) {
  if (current_ == kNobody) return;
  Task& task = tasks_[current_];
  const auto end = task.held.begin() + static_cast<std::ptrdiff_t>(task.held_count);
  const auto found =
      std::find_if(task.held.begin(), end, [lock](const auto& held) { return held.lock == lock; });
  if (found == end) return;
  const TraceLine::HeldLock dropped = *found;
  std::move(found + 1, end, found);
  task.held[--task.held_count] = {};
  note({.what = TraceLine::What::drops,
        .task = current_,
        .exclusive = dropped.exclusive,
        .key = {lock, dropped.name, 0}});
}

bool Machine::holds(TaskId id, const void* lock) const {
  const auto& held = tasks_[id].held;
  return lock != nullptr &&
         std::any_of(held.begin(), held.end(), [lock](const auto& one) { return one.lock == lock; });
}

// --- Sleeping

void Machine::prepare_to_wait(const WaitKey& key, bool& queued) {
  if (current_ == kNobody) return;
  Waits& waits = tasks_[current_].waits;
  if (stop_at_waits_) stop();
  touch(&waits);
  if (!queued && waits.queued < waits.queued_on.size()) {
    waits.queued_on[waits.queued++] = key;
    queued = true;
  }
  waits.awake = false;
  if (stop_at_waits_) stop();
}

void Machine::finish_wait(const WaitKey& key) {
  touched = true;
  if (current_ == kNobody) return;
  Waits& waits = tasks_[current_].waits;
  touch(&waits);
  waits.awake = true;
  if (waits.queued != 0 && waits.queued_on[waits.queued - 1].address == key.address)
    waits.queued_on[--waits.queued] = {};
}

/// True: somebody woke the task, or somebody had before it slept.
bool Machine::sleep(Blocked how) {
  Waits& waits = tasks_[current_].waits;
  note_touch(&waits);
  if (!waits.awake) {
    block(how);
    note_touch(&waits);
  }
  const bool woken = waits.awake;
  waits.awake = true;
  return woken;
}

void Machine::schedule() { sleep(Blocked::asleep); }

bool Machine::schedule_grace() {
  tasks_[current_].grace_over = false;
  return sleep(Blocked::asleep_for_grace);
}

bool Machine::somebody_waits(const WaitKey& key) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const Task& task) {
    const Waits& waits = task.waits;
    note_touch(&waits);
    return std::any_of(waits.queued_on.begin(),
                       waits.queued_on.begin() + static_cast<std::ptrdiff_t>(waits.queued),
                       [&](const WaitKey& on) { return on.address == key.address; });
  });
}

void Machine::wake_up(const WaitKey& key) {
  const bool stops = stop_at_waits_ && somebody_waits(key);
  if (stops) stop();
  touched = true;
  for (TaskId id = 0; id < kTasks; ++id) {
    Waits& waits = tasks_[id].waits;
    touch(&waits);
    for (std::size_t i = 0; i < waits.queued; ++i) {
      if (waits.queued_on[i].address != key.address) continue;
      if (!waits.awake) note({.what = TraceLine::What::wakes, .task = current_, .key = key, .value = id});
      waits.awake = true;
    }
  }
  if (stops) stop();
}

void Machine::set_sleeping(const WaitKey& key) {
  Waits& waits = tasks_[current_].waits;
  touch(&waits);
  waits.queued_on[0] = key;
  waits.queued = 1;
  waits.awake = false;
}

void Machine::set_running() {
  Waits& waits = tasks_[current_].waits;
  touch(&waits);
  waits.queued_on[0] = {};
  waits.queued = 0;
  waits.awake = true;
}

bool Machine::sleeping(TaskId id) const {
  touch(&tasks_[id].waits);
  return !tasks_[id].waits.awake;
}

void Machine::wake(TaskId id) {
  Waits& waits = tasks_[id].waits;
  touch(&waits);
  if (!waits.awake) note({.what = TraceLine::What::wakes, .task = current_, .value = id});
  waits.awake = true;
}

// --- Access sections

void Machine::section_begin(std::uint32_t mapping, PageOffset page) {
  touched = true;
  if (current_ == kNobody) return;
  Section& section = tasks_[current_].section;
  touch(&section);
  section = {true, mapping, page};
}

void Machine::section_end() {
  touched = true;
  if (current_ == kNobody) return;
  Section& section = tasks_[current_].section;
  touch(&section);
  section = {};
  note_touch(&shots_);
  for (std::uint8_t& sections : shots_) sections &= static_cast<std::uint8_t>(~(1U << current_));
}

/// An interrupt reaches each CPU once: sections that begin later find the translation gone, and are not
/// waited for.
void Machine::shoot_down(std::uint32_t mapping, PageRange range) {
  touched = true;
  if (current_ == kNobody) return;
  std::uint8_t in_the_way = 0;
  for (TaskId id = 0; id < kTasks; ++id) {
    const Section& section = tasks_[id].section;
    note_touch(&section);
    if (id != current_ && section.open && section.mapping == mapping && range.contains(section.page))
      in_the_way |= static_cast<std::uint8_t>(1U << id);
  }
  if (in_the_way == 0) return;
  note_touch(&shots_);
  shots_[current_] = in_the_way;
  tasks_[current_].shot_mapping = mapping;
  block(Blocked::in_shootdown);
  tasks_[current_].shot_mapping = 0;
}

}  // namespace daxrace::model
