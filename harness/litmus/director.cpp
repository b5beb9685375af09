#include "harness/litmus/director.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

namespace daxrace::litmus {
namespace {

using model::Blocked;
using model::Machine;

constexpr std::uint64_t kMaxStops = 4000;
constexpr std::uint32_t kMaxStaged = 200;

/// Sleeps that end by themselves, whatever the access does: they protect nothing but the moment.
constexpr std::uint32_t bit(WaitFor what) { return 1U << static_cast<unsigned>(what); }
constexpr std::uint32_t kMomentary = bit(WaitFor::shootdown) | bit(WaitFor::entry_lock);

/// Whom the schedule stops first: the pin's holder who holds the change up, the fault that a load looks past.
constexpr TaskId staged_task(AccessKind access) {
  const bool helper = access == AccessKind::pin_and_aio || access == AccessKind::zero_page_fault;
  return helper ? kHelperTask : kAccessTask;
}

/// True: the task went through that many stops and is not done.
bool advance_by(Machine& machine, TaskId task, std::uint32_t stops, std::uint64_t limit) {
  std::uint32_t gone = 0;
  while (gone < stops && machine.runnable(task) && machine.stops() < limit) {
    machine.advance(task);
    ++gone;
  }
  return gone == stops && machine.unfinished(task);
}

class Director {
 public:
  Director(Scene& scene, const Schedule& schedule)
      : scene_(scene), machine_(scene.machine), schedule_(schedule) {}

  Outcome run() {
    scene_.rewind();
    start_tasks();
    if (!stage_access()) return out_;
    out_.possible = true;
    run_change();
    if (is_interrupted(scene_.access)) interrupt_change();
    if (scene_.access == AccessKind::lease_silent) outlast_grace();
    out_.access_more = advance(kAccessTask, schedule_.access_more);
    if (staged_task(scene_.access) == kHelperTask) advance(kHelperTask, Schedule::kToTheEnd);
    if (schedule_.access_more != Schedule::kToTheEnd) advance_change(Schedule::kToTheEnd);
    finish();
    return conclude();
  }

 private:
  /// A pin that is to outlive munmap is that of another cell as long as it has not.
  bool outlives_munmap() const {
    return scene_.access != AccessKind::pin_munmap || !scene_.store.is_mapped(scene_.file());
  }
  bool in_flight() const {
    return schedule_.access_stops != 0 &&
           (machine_.unfinished(kAccessTask) || machine_.unfinished(kHelperTask));
  }

  void start_tasks() {
    machine_.start(
        kAccessTask,
        [](void* scene, TaskId task) {
          auto& s = *static_cast<Scene*>(scene);
          s.script.access(s, task, s.access);
        },
        &scene_);
    if (takes_two(scene_.access)) {
      machine_.start(
          kHelperTask,
          [](void* scene, TaskId task) {
            auto& s = *static_cast<Scene*>(scene);
            s.script.access(s, task, s.access);
          },
          &scene_);
    }
    machine_.start(
        kChangeTask,
        [](void* scene, TaskId) {
          auto& s = *static_cast<Scene*>(scene);
          s.script.change(s, s.operation);
        },
        &scene_);
  }

  bool advance(TaskId task, std::uint32_t stops) { return advance_by(machine_, task, stops, kMaxStops); }

  bool advance_change(std::uint32_t stops) {
    const std::uint32_t lost_before = scene_.record.blocks_lost;
    const bool reached = advance(kChangeTask, stops);
    const bool lost = scene_.record.blocks_lost != lost_before;
    if (machine_.unfinished(kChangeTask) && machine_.blocked(kChangeTask) != Blocked::no && in_flight())
      out_.slept_on |= bit(machine_.waits_for(kChangeTask).what);
    out_.changed = out_.changed || lost;
    out_.overlapped = out_.overlapped || (lost && in_flight());
    if (lost) scene_.reuse_freed_blocks();
    return reached;
  }

  bool stage_access() {
    const TaskId staged = staged_task(scene_.access);
    if (schedule_.access_stops == 0) return scene_.operation != Operation::evict;
    if (scene_.access == AccessKind::nested_cross) advance(kHelperTask, schedule_.access_stops);
    if (!advance(staged, schedule_.access_stops)) return false;
    if (machine_.blocked(staged) != Blocked::no) return false;
    return scene_.operation != Operation::evict || scene_.said.closed;
  }

  void run_change() {
    out_.change_stops = advance_change(schedule_.change_stops);
    if (!machine_.unfinished(kChangeTask) || machine_.blocked(kChangeTask) == Blocked::no) return;
    if (!in_flight()) return;
    out_.waited = true;
    if (outlives_munmap()) out_.waited_on |= bit(machine_.waits_for(kChangeTask).what);
  }

  /// A signal must end the wait; what an interrupted change leaves behind is looked at when all is over.
  void interrupt_change() {
    const Blocked how = machine_.blocked(kChangeTask);
    if (how != Blocked::asleep && how != Blocked::asleep_for_grace) return;
    machine_.signal(kChangeTask);
    out_.signalled = true;
    advance_change(Schedule::kToTheEnd);
    if (!machine_.done(kChangeTask)) return;  // it waits for what no signal ends
    if (scene_.said.change_error != -EINTR)
      scene_.env.oracle().report(Detector::leak, Hazard::h6, kFileIno, 0, core::kNoFrame, 0);
  }

  /// The lessee goes on for longer than its grace time.
  void outlast_grace() {
    if (machine_.blocked(kChangeTask) != Blocked::asleep_for_grace) return;
    machine_.end_grace(kChangeTask);
    advance_change(Schedule::kToTheEnd);
  }

  bool any_unfinished() const {
    for (TaskId task = 0; task < model::kTasks; ++task)
      if (machine_.unfinished(task)) return true;
    return false;
  }

  void finish() {
    while (any_unfinished()) {
      const std::uint64_t stops_before = machine_.stops();
      advance(kAccessTask, Schedule::kToTheEnd);
      advance(kHelperTask, Schedule::kToTheEnd);
      advance_change(Schedule::kToTheEnd);
      if (machine_.stops() >= kMaxStops) {
        out_.end = End::livelock;
        stuck_as_ = Sign::other;
        return;
      }
      if (machine_.stops() != stops_before || end_a_grace() || interrupt_late()) continue;
      const Stuck stuck = how_stuck(scene_);
      out_.end = stuck.end;
      stuck_as_ = stuck.signs;
      return;
    }
  }

  /// A silent lessee would be waited for without end.
  bool interrupt_late() {
    if (scene_.access != AccessKind::lease_interrupted || out_.signalled) return false;
    interrupt_change();
    return out_.signalled;
  }

  /// Time only passes when nobody can run.
  bool end_a_grace() {
    for (TaskId task = 0; task < model::kTasks; ++task) {
      if (!machine_.unfinished(task) || machine_.blocked(task) != Blocked::asleep_for_grace) continue;
      machine_.end_grace(task);
      return true;
    }
    return false;
  }

  Outcome conclude() {
    if (out_.end == End::finished) {
      scene_.check_what_is_left();
    } else {
      scene_.record.violated.add(Hazard::h6);
    }
    out_.fenced = scene_.said.fenced;
    out_.error = scene_.said.change_error;
    out_.violated = scene_.record.violated;
    out_.signs = scene_.record.signs;
    out_.signs[static_cast<std::size_t>(Hazard::h6)].add(stuck_as_);
    out_.detectors = scene_.record.detectors;
    return out_;
  }

  Scene& scene_;
  Machine& machine_;
  const Schedule& schedule_;
  Outcome out_;
  Signs stuck_as_;
};

/// Of a lock that several hold, somebody who waits for no lock, if there is one.
int holder_of(const Machine& machine, TaskId waiter) {
  int holder = StuckTask::kNobody;
  for (TaskId task = 0; task < model::kTasks; ++task) {
    if (task == waiter || !machine.holds(task, machine.waits_for(waiter).address)) continue;
    const bool waits_for_lock = machine.blocked(task) != Blocked::no && is_lock(machine.waits_for(task).what);
    if (holder == StuckTask::kNobody || !waits_for_lock) holder = static_cast<int>(task);
  }
  return holder;
}

StuckTask where_it_stands(Scene& scene, TaskId task) {
  const Machine& machine = scene.machine;
  if (!machine.unfinished(task) || machine.blocked(task) == Blocked::no) return {.overdue = false};
  const WaitKey key = machine.waits_for(task);
  StuckTask stands{.waits_for = key.what};
  if (is_lock(key.what)) {
    stands.holder = holder_of(machine, task);
  } else if (key.what == WaitFor::page_idle) {
    const auto& frame = scene.store.frame(key.detail);
    const std::uint32_t references = frame.refcount.load();
    stands.is_true = references == scene.rule.idle;
    stands.pinned = references - scene.rule.per_mapping * frame.mapcount.load() != scene.rule.idle;
  }
  return stands;
}

/// The schedules at which the change waited, the first of each kind: which of them shows best what it waits
/// for is known when all have run.
class Waits {
 public:
  void add(const Outcome& outcome, const Schedule& schedule) {
    if (!outcome.waited) return;
    const auto same = [&](const Seen& seen) {
      return seen.slept_on == outcome.slept_on && seen.signalled == outcome.signalled;
    };
    if (std::ranges::none_of(seen_, same)) seen_.push_back({outcome.slept_on, outcome.signalled, schedule});
  }
  bool empty() const { return seen_.empty(); }
  std::vector<Schedule> that_show(std::uint32_t waits) const {
    const auto shows = [&](const Seen& seen) {
      return std::pair(seen.signalled, std::popcount(seen.slept_on & waits));
    };
    std::vector<Schedule> out;
    while (waits != 0) {
      const Seen& best = *std::ranges::max_element(seen_, {}, shows);
      out.push_back(best.schedule);
      if ((best.slept_on & waits) == 0) break;
      waits &= ~best.slept_on;
    }
    return out;
  }

 private:
  struct Seen {
    std::uint32_t slept_on = 0;
    bool signalled = false;
    Schedule schedule;
  };
  std::vector<Seen> seen_;
};

void add(CellResult& cell, const Outcome& outcome, const Schedule& schedule) {
  ++cell.schedules;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const auto hazard = static_cast<Hazard>(i);
    if (!outcome.violated.has(hazard) || cell.violated.has(hazard)) continue;
    cell.violated.add(hazard);
    cell.breaking[i] = schedule;
  }
  for (std::size_t i = 0; i < outcome.signs.size(); ++i) cell.signs[i].add(outcome.signs[i]);
  cell.detectors |= outcome.detectors;
  cell.waited_on |= outcome.waited_on;
  cell.ends |= 1U << static_cast<unsigned>(outcome.end);
  cell.overlapped = cell.overlapped || outcome.overlapped;
  cell.changed = cell.changed || outcome.changed;
  cell.fenced = cell.fenced || outcome.fenced;
  if (outcome.error != 0) cell.error = outcome.error;
}

}  // namespace

End why_stuck(Machine& machine) {
  machine.trace(false);  // what follows is a test of the sleepers, not of the protocol
  int unfinished = 0;
  for (TaskId task = 0; task < model::kTasks; ++task) unfinished += machine.unfinished(task) ? 1 : 0;
  const std::uint64_t limit = machine.stops() + kMaxStops;
  const End stuck = unfinished > 1 ? End::deadlock : End::forever;
  for (TaskId task = 0; task < model::kTasks; ++task) {
    if (!machine.unfinished(task) || machine.blocked(task) != Blocked::asleep) continue;
    const void* slept_on = machine.waits_for(task).address;
    machine.wake_spuriously(task);
    advance_by(machine, task, Schedule::kToTheEnd, limit);
    if (machine.done(task)) return End::lost_wakeup;
    if (machine.blocked(task) == Blocked::asleep && machine.waits_for(task).address != slept_on)
      return End::lost_wakeup;
  }
  return stuck;
}

Stuck how_stuck(Scene& scene) {
  std::array<StuckTask, model::kTasks> tasks;
  for (TaskId task = 0; task < model::kTasks; ++task) tasks[task] = where_it_stands(scene, task);
  const Signs signs = signs_of(tasks);
  const End end = why_stuck(scene.machine);
  return {end, end == End::lost_wakeup ? Signs(Sign::lost_wakeup) : signs};
}

Outcome run(Scene& scene, const Schedule& schedule) { return Director(scene, schedule).run(); }

CellResult sweep(Scene& scene) {
  CellResult cell;
  Waits waits;
  const auto try_one = [&](const Schedule& schedule) {
    const Outcome outcome = run(scene, schedule);
    if (outcome.possible) add(cell, outcome, schedule);
    if (outcome.possible) waits.add(outcome, schedule);
    return outcome;
  };
  for (std::uint32_t staged = 0; staged < kMaxStaged; ++staged) {
    const Outcome whole = try_one({.access_stops = staged});
    if (!whole.possible) {
      const TaskId task = staged_task(scene.access);
      if (!scene.machine.done(task) && scene.machine.blocked(task) == Blocked::no) continue;
      break;
    }
    if (staged != 0) ++cell.stops;
    cell.waiting = {{.access_stops = staged}};
    for (std::uint32_t more = 1; more < kMaxStaged && whole.waited; ++more)
      if (!try_one({.access_stops = staged, .access_more = more}).access_more) break;
    for (std::uint32_t stops = 1; stops < kMaxStaged; ++stops) {
      if (!try_one({.access_stops = staged, .change_stops = stops}).change_stops) break;
      const bool both = staged == 0 || has_parts(scene.access);
      for (std::uint32_t more = 1; both && more < kMaxStaged; ++more)
        if (!try_one({.access_stops = staged, .change_stops = stops, .access_more = more}).access_more) break;
    }
  }
  cell.waited_on = (cell.waited_on & ~kMomentary) != 0 ? cell.waited_on & ~kMomentary : cell.waited_on;
  if (!waits.empty()) cell.waiting = waits.that_show(cell.waited_on);
  return cell;
}

}  // namespace daxrace::litmus
