#include "harness/explore/world.hpp"

#include <cerrno>

namespace daxrace::explore {

using litmus::End;
using model::Blocked;

World::World(const litmus::Script& script, const Scenario& scenario, RefcountRegime regime)
    : scenario_(scenario), scene_(script, scenario.staging, regime) {
  scene_.rewind();
  scene_.record.keeps_seen = false;
  scene_.machine.stop_at_waits(true);
  scene_.machine.merge_equal_stops(true);
  for (TaskId task = 0; task < scenario.tasks.size(); ++task) scene_.machine.start(task, run_task, this);
  const auto watch = [this](auto& object) { snapshot_.watch(std::as_writable_bytes(std::span(&object, 1))); };
  snapshot_.watch(scene_.machine.state());
  watch(scene_.record);
  watch(scene_.store);
  watch(scene_.said);
  if (script.furnish != nullptr) {
    script.furnish(scene_);
    watch(scene_.room);
    snapshot_.watch_all_stacks();
  }
  for (TaskId task = 0; task < scenario.tasks.size(); ++task) snapshot_.watch_stack(scene_.machine, task);
}

void World::run_task(void* world, TaskId task) {
  auto& self = *static_cast<World*>(world);
  const TaskSpec& spec = self.scenario_.tasks[task];
  do {
    for (std::size_t i = 0; i < spec.ops.size(); ++i) {
      if (i != 0) self.scene_.machine.stop();
      self.scene_.script.perform(self.scene_, spec.ops[i]);
    }
  } while (spec.endless && self.goes_on());
}

bool World::goes_on() {
  scene_.machine.stop();
  model::touched = true;
  return unfinished() != 0;
}

std::uint8_t World::unfinished() const {
  std::uint8_t tasks = 0;
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task)
    if (!scenario_.tasks[task].endless && !scene_.machine.done(task))
      tasks |= static_cast<std::uint8_t>(1U << task);
  return tasks;
}

Choices World::choices() const {
  Choices out;
  const model::Machine& machine = scene_.machine;
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task) {
    if (!machine.unfinished(task)) continue;
    if (scenario_.tasks[task].after_close && !scene_.said.closed) continue;
    if (machine.runnable(task)) {
      out.add({Choice::What::runs, task});
      out.runnable |= static_cast<std::uint8_t>(1U << task);
    } else if (machine.blocked(task) == Blocked::asleep_for_grace) {
      out.add({Choice::What::grace_over, task});
    }
  }
  const TaskId to = scenario_.signalled;
  if (to != model::kNobody && machine.unfinished(to) && !machine.signalled(to))
    out.add({Choice::What::signalled, to});
  return out;
}

void World::take(Choice choice) {
  model::Machine& machine = scene_.machine;
  const std::uint32_t lost_before = scene_.record.blocks_lost;
  snapshot_.begin(choice.task);
  if (choice.what == Choice::What::signalled) machine.signal(choice.task);
  if (choice.what == Choice::What::grace_over) machine.end_grace(choice.task);
  if (choice.what != Choice::What::signalled) machine.advance(choice.task);
  if (scene_.record.blocks_lost != lost_before) scene_.reuse_freed_blocks();
  snapshot_.commit(choice.task);
}

bool World::all_done() const {
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task)
    if (!scene_.machine.done(task)) return false;
  return true;
}

End World::why_stuck() {
  const bool tracing = scene_.machine.tracing();
  const End end = litmus::why_stuck(scene_.machine);
  scene_.machine.trace(tracing);
  snapshot_.forget();
  return end;
}

void World::judge_the_end() {
  // An interrupted change leaves everything as it was.
  const bool touched = scene_.record.blocks_lost != 0 || scene_.file().i_size.load() != litmus::kFilePages;
  if (scenario_.signalled != model::kNobody && scene_.said.change_error == -EINTR && touched)
    scene_.env.oracle().report(Detector::leak, Hazard::h6, litmus::kFileIno, 0, core::kNoFrame, 0);
  scene_.check_what_is_left();
  if (scene_.script.check != nullptr) scene_.script.check(scene_);
}

Hazards World::violated_in_the_end(std::uint32_t& detectors) {
  judge_the_end();
  const Hazards seen = scene_.record.violated;
  detectors = scene_.record.detectors;
  snapshot_.forget();
  return seen;
}

}  // namespace daxrace::explore
