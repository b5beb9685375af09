#pragma once

#include <array>
#include <vector>

#include "harness/explore/steps.hpp"

namespace daxrace::explore {

/// What each task may still touch and change from where it stands, as far as steps are known. A step that
/// meets nothing of what the others may still do can go first: every order of the rest comes to the same.
/// What is not known may touch everything.
class Futures {
 public:
  /// Works it out anew from all steps that are known.
  void work_out(const Steps& steps);
  /// Whether that still holds, of the steps that have become known since.
  bool still_hold(const Steps& steps);
  /// Whether the step meets anything that the task may do from that content of its own part on.
  bool meets(const Step& step, TaskId task, Number own) const {
    const Future& future = of(task, own);
    return step.reads_from.meets(future.changes) || step.writes_to.meets(future.touches);
  }

 private:
  struct Future {
    PartSet touches;
    PartSet changes;

    void add(const Future& other);
    bool covers(const Future& other) const;
  };

  static Future everything();
  /// What one step adds to what can be done from where it starts.
  Future after(const Steps& steps, const Step& step) const;
  const Future& of(TaskId task, Number own) const {
    return own < futures_[task].size() ? futures_[task][own] : kEverything;
  }

  static const Future kEverything;
  std::array<std::vector<Future>, model::kTasks> futures_;
  StepId looked_at_ = 0;
};

}  // namespace daxrace::explore
