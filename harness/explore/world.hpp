#pragma once

#include <vector>

#include "harness/explore/scenario.hpp"
#include "harness/explore/steps.hpp"
#include "harness/litmus/director.hpp"

namespace daxrace::explore {

using Path = std::vector<Choice>;

/// The choices at one state.
struct Choices {
  std::array<Choice, model::kTasks + 1> list;
  std::array<StepId, model::kTasks + 1> steps;  ///< what each choice does
  std::array<StepId, model::kTasks + 1> known;  ///< what each task does, if it can; then what the signal does
  std::uint8_t count = 0;
  std::uint8_t runnable = 0;    ///< one bit for each task that can run
  std::uint8_t unfinished = 0;  ///< one bit for each task that has not ended
  bool signal_comes = false;    ///< sooner or later; else it may stay away

  void add(Choice choice, StepId step) {
    list[count] = choice;
    steps[count++] = step;
  }
  bool all_done() const { return unfinished == 0; }
  const Choice* begin() const { return list.data(); }
  const Choice* end() const { return list.data() + count; }
};

/// One scenario under one protocol: knows what can happen next, makes it happen, and takes it back. A state
/// is a list of numbers; the fibers run where something is met for the first time.
class World {
 public:
  World(const litmus::Script& script, const Scenario& scenario, RefcountRegime regime);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Choices choices();
  void take(Choice choice);

  /// A state to come back to.
  struct Mark {
    std::size_t changes = 0;
    Key key;
  };
  Mark mark() const { return {undo_.size(), key_}; }
  void back_to(const Mark& mark);
  Key key() const { return key_; }
  const std::vector<Number>& state() const { return state_; }

  /// For whoever goes through all choices: the same in less time.
  Choices choices_after(const Choices& before, StepId taken);
  Key key_after(StepId step) const { return key_ + steps_.at(step).change; }
  void take_step(StepId step);

  bool done(TaskId task) { return (choices().unfinished >> task & 1) == 0; }
  bool all_done() { return choices().all_done(); }
  /// Tasks with an end that have not come to it, one bit for each.
  std::uint8_t unfinished(const Choices& at) const;
  /// Nobody can run, and not all are done: why. The state stays as it is.
  litmus::Stuck how_stuck();
  /// What the oracle has seen.
  struct Recorded {
    Hazards violated;
    SignSets signs{};
    std::uint32_t detectors = 0;
  };
  const Recorded& recorded();
  /// Once all are done: looks at what is left behind. The state stays as it is.
  Recorded recorded_in_the_end();
  /// The same, for good.
  void judge_the_end();
  /// For whoever tells a story.
  void keep_what_is_seen() { scene_.record.keeps_seen = true; }
  Hazards violated() { return recorded().violated; }
  std::uint32_t detectors() { return recorded().detectors; }

  /// Runs each step whenever it is taken, and compares. Throws Error for a step that looked at or changed
  /// something that it was not known to.
  void audit(bool on) { audits_ = on; }
  const Steps& steps() const { return steps_; }
  litmus::Scene& scene();
  const Scenario& scenario() const { return scenario_; }

 private:
  struct Undo {
    Part part;
    Number content;
  };
  static void run_task(void* world, TaskId task);
  void do_once(const TaskSpec& spec);
  /// For an endless task, between two turns.
  bool goes_on();
  void all_is_touched();

  using Kind = Steps::Kind;
  StepId find(Kind kind, TaskId task);
  StepId learn(Kind kind, TaskId task);
  void check(Kind kind, StepId id);
  Step run(Kind kind, TaskId task);
  Step advance(TaskId task);
  Step signal(TaskId task);
  void forget_the_order_of_the_past();
  bool may_start(TaskId task);
  void list(Choices& out) const;
  void look_at_what_is_left();
  void materialise();

  const Scenario& scenario_;
  litmus::Scene scene_;
  Parts parts_;
  Steps steps_;
  std::vector<Number> state_;
  std::vector<Number> in_memory_;
  Key key_;
  std::vector<Undo> undo_;
  Part record_part_ = 0;
  std::vector<Recorded> records_;     ///< by the content of that part
  std::vector<Part> touched_;         ///< by the step that ran last
  std::vector<Step::Write> written_;  ///< by it
  bool audits_ = false;
};

}  // namespace daxrace::explore
