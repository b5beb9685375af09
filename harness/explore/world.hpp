#pragma once

#include <memory>

#include "harness/explore/scenario.hpp"
#include "harness/explore/snapshot.hpp"
#include "harness/litmus/director.hpp"

namespace daxrace::explore {

/// What can happen next: a task runs to its next stop, or something comes to it from outside.
struct Choice {
  enum class What : std::uint8_t { runs, signalled, grace_over };
  What what = What::runs;
  TaskId task = 0;
  friend bool operator==(const Choice&, const Choice&) = default;
};
using Path = std::vector<Choice>;

/// The choices at one state.
struct Choices {
  std::array<Choice, 2 * model::kTasks> list;
  std::uint8_t count = 0;
  std::uint8_t runnable = 0;  ///< one bit for each task that can run

  void add(Choice choice) { list[count++] = choice; }
  const Choice* begin() const { return list.data(); }
  const Choice* end() const { return list.data() + count; }
};

/// One scenario under one protocol: knows what can happen next, makes it happen, and takes it back.
class World {
 public:
  World(const litmus::Script& script, const Scenario& scenario, RefcountRegime regime);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Choices choices() const;
  void take(Choice choice);
  Snapshot::Mark mark() const { return snapshot_.mark(); }
  void back_to(const Snapshot::Mark& mark) { snapshot_.back_to(mark); }
  Key key() const { return snapshot_.key(); }
  const Snapshot& snapshot() const { return snapshot_; }

  bool all_done() const;
  bool done(TaskId task) const { return scene_.machine.done(task); }
  /// Tasks with an end that have not come to it, one bit for each.
  std::uint8_t unfinished() const;
  /// Nobody can run, and not all are done: why. The state stays as it is.
  litmus::End why_stuck();
  /// Once all are done: looks at what is left behind. The state stays as it is but for the record of it.
  Hazards violated_in_the_end(std::uint32_t& detectors);
  /// The same, for good.
  void judge_the_end();
  /// For whoever tells a story.
  void keep_what_is_seen() { scene_.record.keeps_seen = true; }
  Hazards violated() const { return scene_.record.violated; }
  std::uint32_t detectors() const { return scene_.record.detectors; }

  litmus::Scene& scene() { return scene_; }
  const Scenario& scenario() const { return scenario_; }

 private:
  static void run_task(void* world, TaskId task);
  /// For an endless task, between two turns.
  bool goes_on();

  const Scenario& scenario_;
  litmus::Scene scene_;
  Snapshot snapshot_;
};

}  // namespace daxrace::explore
