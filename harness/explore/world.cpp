#include "harness/explore/world.hpp"

#include <algorithm>
#include <cstring>

#include "harness/base/error.hpp"

namespace daxrace::explore {
namespace {

using model::Blocked;

constexpr Number kNotKnown = ~Number{0};

/// While it lives, what is touched is noted.
struct Noting {
  explicit Noting(model::Footprint& footprint) {
    footprint.begin();
    model::footprint = &footprint;
  }
  ~Noting() { model::footprint = nullptr; }
  Noting(const Noting&) = delete;
  Noting& operator=(const Noting&) = delete;
};

}  // namespace

World::World(const litmus::Script& script, const Scenario& scenario, RefcountRegime regime)
    : scenario_(scenario),
      scene_(script, scenario.staging, regime),
      parts_(scene_, scenario.tasks.size()),
      record_part_(parts_.of(&scene_.record.seen)) {
  scene_.rewind();
  scene_.record.keeps_seen = false;
  if (script.furnish != nullptr) script.furnish(scene_);
  scene_.machine.stop_at_waits(true);
  scene_.machine.merge_equal_stops(true);
  for (TaskId task = 0; task < scenario.tasks.size(); ++task) scene_.machine.start(task, run_task, this);
  parts_.begin();
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    state_.push_back(parts_.read(static_cast<Part>(part)));
    key_ += Key::of(static_cast<Part>(part), state_.back());
  }
  in_memory_ = state_;
}

void World::run_task(void* world, TaskId task) {
  auto& self = *static_cast<World*>(world);
  const TaskSpec& spec = self.scenario_.tasks[task];
  self.do_once(spec);
  while (spec.endless && self.goes_on()) self.do_once(spec);
  if (spec.endless || !self.scenario_.is_endless()) return;
  model::touch(&self.scene_.said);
  ++self.scene_.said.ended;
}

void World::do_once(const TaskSpec& spec) {
  for (std::size_t i = 0; i < spec.ops.size(); ++i) {
    if (i != 0) scene_.machine.stop();
    scene_.script.perform(scene_, spec.ops[i]);
  }
}

bool World::goes_on() {
  scene_.machine.stop();
  model::touch(&scene_.said);
  return scene_.said.ended != std::ranges::count(scenario_.tasks, false, &TaskSpec::endless);
}

std::uint8_t World::unfinished(const Choices& at) const {
  std::uint8_t endless = 0;
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task)
    if (scenario_.tasks[task].endless) endless |= static_cast<std::uint8_t>(1U << task);
  return at.unfinished & static_cast<std::uint8_t>(~endless);
}

litmus::Scene& World::scene() {
  materialise();
  return scene_;
}

void World::materialise() {
  for (std::size_t part = 0; part < state_.size(); ++part) {
    if (in_memory_[part] == state_[part]) continue;
    parts_.write(static_cast<Part>(part), state_[part]);
    in_memory_[part] = state_[part];
  }
}

// --- What can happen

Choices World::choices() {
  Choices out;
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task) out.known[task] = find(Kind::task, task);
  if (scenario_.signalled != model::kNobody)
    out.known[model::kTasks] = find(Kind::signal, scenario_.signalled);
  list(out);
  return out;
}

Choices World::choices_after(const Choices& before, StepId taken) {
  const auto still = [&](StepId known, Kind kind, TaskId task) {
    if (!audits_ && !steps_.at(known).reads_from.meets(steps_.at(taken).writes_to)) return known;
    return find(kind, task);
  };
  Choices out;
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task)
    out.known[task] = still(before.known[task], Kind::task, task);
  if (scenario_.signalled != model::kNobody)
    out.known[model::kTasks] = still(before.known[model::kTasks], Kind::signal, scenario_.signalled);
  list(out);
  return out;
}

void World::list(Choices& out) const {
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task) {
    const Step& step = steps_.at(out.known[task]);
    const auto bit = static_cast<std::uint8_t>(1U << task);
    if (!step.ended) out.unfinished |= bit;
    if (!step.possible) continue;
    if (step.choice.what == Choice::What::runs) out.runnable |= bit;
    out.add(step.choice, out.known[task]);
  }
  if (scenario_.signalled == model::kNobody) return;
  const StepId signal = out.known[model::kTasks];
  out.signal_comes = scenario_.signal_comes;
  if (steps_.at(signal).possible) out.add(steps_.at(signal).choice, signal);
}

StepId World::find(Kind kind, TaskId task) {
  const StepId id = steps_.find(kind, task, state_);
  if (id == Steps::kUnknown) return learn(kind, task);
  if (audits_) check(kind, id);
  return id;
}

StepId World::learn(Kind kind, TaskId task) {
  const bool tracing = scene_.machine.tracing();
  scene_.machine.trace(false);
  const Step step = run(kind, task);
  scene_.machine.trace(tracing);
  return steps_.add(kind, task, state_, touched_, written_, step);
}

/// Somebody runs; what was touched and written is in touched_ and written_ then, the state is as it was.
Step World::run(Kind kind, TaskId task) {
  materialise();
  Step step;
  {
    const Noting noting(parts_.footprint());
    parts_.footprint().touch_part(static_cast<Part>(task));
    if (scene_.script.furnish != nullptr) all_is_touched();
    step = kind == Kind::signal ? signal(task) : advance(task);
  }
  forget_the_order_of_the_past();
  const auto touched = parts_.footprint().touched();
  touched_.assign(touched.begin(), touched.end());
  std::ranges::sort(touched_);
  written_.clear();
  for (const Part part : touched_) {
    in_memory_[part] = parts_.read(part);
    if (in_memory_[part] != state_[part]) written_.push_back({part, in_memory_[part]});
  }
  return step;
}

/// What a script keeps beside the files does not say what is touched, and waiters on the stacks of others do
/// not either.
void World::all_is_touched() {
  for (TaskId task = 0; task < scenario_.tasks.size(); ++task)
    parts_.footprint().touch_part(static_cast<Part>(task));
  model::note_touch(&scene_.room);
}

/// Range locks count everybody who ever came.
void World::forget_the_order_of_the_past() {
  for (std::uint32_t ino = 1; ino <= model::kFiles; ++ino) {
    litmus::ModelInode& ip = scene_.store.inode(ino);
    for (core::RangeLock<model::ModelEnv>* lock : {&ip.io_range, &ip.mapping_range})
      if (parts_.footprint().was_touched(parts_.of(lock))) lock->renumber_tickets();
  }
}

Step World::signal(TaskId task) {
  model::Machine& machine = scene_.machine;
  Step step;
  step.choice = {Choice::What::signalled, task};
  step.possible = machine.unfinished(task) && !machine.signalled(task);
  if (step.possible) machine.signal(task);
  return step;
}

Step World::advance(TaskId task) {
  model::Machine& machine = scene_.machine;
  Step step;
  step.choice = {Choice::What::runs, task};
  step.ended = machine.done(task);
  if (step.ended || !may_start(task)) return step;
  if (!machine.runnable(task)) {
    if (machine.blocked(task) != Blocked::asleep_for_grace) return step;
    step.choice.what = Choice::What::grace_over;
    machine.end_grace(task);
  }
  step.possible = true;
  parts_.clear_unused_stack(task);
  const std::uint32_t lost_before = scene_.record.blocks_lost;
  machine.advance(task);
  if (scene_.record.blocks_lost != lost_before) scene_.reuse_freed_blocks();
  return step;
}

bool World::may_start(TaskId task) {
  if (!scenario_.tasks[task].after_close) return true;
  model::note_touch(&scene_.said);
  return scene_.said.closed;
}

void World::check(Kind kind, StepId id) {
  const Step known = steps_.at(id);
  const Step now = run(kind, known.choice.task);
  const auto unnoticed = [this](std::size_t part) {
    return !parts_.footprint().was_touched(static_cast<Part>(part)) &&
           !parts_.holds(static_cast<Part>(part), state_[part]);
  };
  bool same = now.possible == known.possible && now.ended == known.ended && now.choice == known.choice &&
              std::ranges::equal(written_, steps_.writes(known)) && parts_.rest_is_unchanged();
  for (std::size_t part = 0; part < state_.size() && same; ++part) same = !unnoticed(part);
  if (!same) throw Error("--audit: a step depends on something, or changed something, that nobody noticed");
}

// --- Going there and back

void World::take(Choice choice) {
  const bool signal = choice.what == Choice::What::signalled;
  const Kind kind = signal ? Kind::signal : Kind::task;
  const StepId step = find(kind, choice.task);
  if (scene_.machine.tracing()) run(kind, choice.task);
  take_step(step);
}

void World::take_step(StepId id) {
  const Step& step = steps_.at(id);
  for (const Step::Write& write : steps_.writes(step)) {
    undo_.push_back({write.part, state_[write.part]});
    state_[write.part] = write.content;
  }
  key_ += step.change;
}

void World::back_to(const Mark& mark) {
  while (undo_.size() > mark.changes) {
    state_[undo_.back().part] = undo_.back().content;
    undo_.pop_back();
  }
  key_ = mark.key;
}

// --- What came of it

const World::Recorded& World::recorded() {
  const Number content = state_[record_part_];
  while (records_.size() <= content) {
    model::Record record;
    const auto bytes = parts_.content(record_part_, static_cast<Number>(records_.size()));
    std::memcpy(static_cast<void*>(&record.seen), bytes.data(), bytes.size());
    records_.push_back({record.violated, record.signs, record.detectors});
  }
  return records_[content];
}

litmus::Stuck World::how_stuck() {
  materialise();
  const bool tracing = scene_.machine.tracing();
  const litmus::Stuck stuck = litmus::how_stuck(scene_);
  scene_.machine.trace(tracing);
  std::ranges::fill(in_memory_, kNotKnown);
  return stuck;
}

void World::look_at_what_is_left() {
  materialise();
  scene_.check_what_is_left();
  if (scene_.script.check != nullptr) scene_.script.check(scene_);
}

void World::judge_the_end() {
  look_at_what_is_left();
  undo_.clear();
  key_ = {};
  for (std::size_t i = 0; i < state_.size(); ++i) {
    const auto part = static_cast<Part>(i);
    state_[i] = in_memory_[i] = parts_.read(part);
    key_ += Key::of(part, state_[i]);
  }
}

World::Recorded World::recorded_in_the_end() {
  look_at_what_is_left();
  const Recorded recorded{scene_.record.violated, scene_.record.signs, scene_.record.detectors};
  std::ranges::fill(in_memory_, kNotKnown);
  return recorded;
}

}  // namespace daxrace::explore
