#include "harness/explore/futures.hpp"

namespace daxrace::explore {

const Futures::Future Futures::kEverything = Futures::everything();

Futures::Future Futures::everything() { return {PartSet::all(), PartSet::all()}; }

void Futures::Future::add(const Future& other) {
  touches.add(other.touches);
  changes.add(other.changes);
}

bool Futures::Future::covers(const Future& other) const {
  return touches.covers(other.touches) && changes.covers(other.changes);
}

Futures::Future Futures::after(const Steps& steps, const Step& step) const {
  Future future{step.reads_from, step.writes_to};
  if (step.possible) future.add(of(step.choice.task, steps.own_after(step)));
  return future;
}

void Futures::work_out(const Steps& steps) {
  for (auto& of_task : futures_) of_task.clear();
  for (StepId id = 0; id < steps.size(); ++id) {
    const TaskId task = steps.at(id).choice.task;
    const Number own = steps.own_before(steps.at(id));
    if (own >= futures_[task].size()) futures_[task].resize(own + std::size_t{1}, kEverything);
    futures_[task][own] = {};
  }
  looked_at_ = static_cast<StepId>(steps.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (StepId id = looked_at_; id-- > 0;) {
      const Step& step = steps.at(id);
      Future& before = futures_[step.choice.task][steps.own_before(step)];
      const Future now = after(steps, step);
      if (before.covers(now)) continue;
      before.add(now);
      changed = true;
    }
  }
}

bool Futures::still_hold(const Steps& steps) {
  for (; looked_at_ < steps.size(); ++looked_at_) {
    const Step& step = steps.at(looked_at_);
    if (!of(step.choice.task, steps.own_before(step)).covers(after(steps, step))) return false;
  }
  return true;
}

}  // namespace daxrace::explore
