#pragma once

#include "harness/explore/explorer.hpp"

/// Starvation: a way to go on for ever, fair to every task, on which one that has only so much to do never
/// gets it done.
///
/// Fair is an endless run in which every task that can run again and again does run again and again. For a
/// task that can run until it does, that asks of the scheduler no more than that it forgets nobody. For one
/// that waits for a lock it asks that the lock is not kept from it for ever, which the kernel's rwsem sees
/// to: first in, first out, and a hand-off after a bounded time of stealing. For one that waits for accesses
/// in progress (a TLB shootdown) it asks what an interrupt to every CPU gives. A grace time passes. A signal
/// may never come.
namespace daxrace::explore {

/// States and the steps between them; sets of tasks are one bit for each.
struct StateGraph {
  struct Step {
    std::uint32_t to = 0;
    Choice by;
  };
  struct State {
    std::uint32_t first = 0;      ///< of its steps
    std::uint32_t end = 0;        ///< behind its last step
    std::uint8_t can_run = 0;     ///< tasks
    std::uint8_t unfinished = 0;  ///< tasks with an end
  };
  std::vector<State> states;  ///< the first is where all begins
  std::vector<Step> steps;

  std::span<const Step> steps_of(std::uint32_t state) const {
    return std::span(steps).subspan(states[state].first, states[state].end - states[state].first);
  }
};

/// The task that takes the step as far as fairness goes: none for a signal.
std::uint8_t runs_in(Choice choice);

/// Sets of states in which a fair run can stay for ever while a task with an end does not come to it:
/// strongly connected, and whoever can run in one of them does. Empty: no starvation.
using StateSet = std::vector<std::uint32_t>;
std::vector<StateSet> starving_sets(const StateGraph& graph);

/// The nearest of them.
std::optional<Lasso> find_lasso(const StateGraph& graph);

/// A scenario with tasks that never end: what is wrong, and starvation. Looks no further once either
/// is found.
Result explore_endless(World& world, const Limits& limits);

/// The same question for a scenario whose states are known to be a number that can be kept.
std::optional<Lasso> find_starvation(World& world);

/// Whether the path's last `cycle` steps lead back to where they began, are fair, and leave somebody
/// unfinished who has an end.
bool starves(World& world, const Path& path, std::size_t cycle);

}  // namespace daxrace::explore
