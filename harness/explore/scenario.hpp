#pragma once

#include <string>
#include <vector>

#include "harness/litmus/scene.hpp"

/// What is explored: a few tasks with a list of operations each. Adding a scenario is a row in scenario.cpp.
namespace daxrace::explore {

using litmus::AccessKind;
using litmus::Op;
using litmus::Operation;
using model::TaskId;

struct TaskSpec {
  std::string name;
  std::vector<Op> ops;
  bool after_close = false;  ///< starts when the file is unmapped and closed
  /// Does it again and again until the tasks that have an end have come to it. It only reads: if anything
  /// grew that is counted, the states would have no end either.
  bool endless = false;
};

struct Scenario {
  std::string name;
  std::string summary;
  litmus::Staging staging;
  std::vector<TaskSpec> tasks;
  TaskId signalled = model::kNobody;  ///< gets a signal at any time, or none
  /// Accesses that several tasks make up together: what is declared as a finding of them may be met here.
  std::vector<AccessKind> amounts_to = {};
  bool signal_comes = false;  ///< at any time, but it does: without it somebody would wait for ever

  bool has(Operation operation) const;
  bool has(AccessKind access) const;
  bool is_endless() const;
  bool is_of_a_lock() const;
};

/// Those that are explored by default.
const std::vector<Scenario>& scenarios();

/// A cell of the safety table, as a scenario: `punch/gup_fast`.
Scenario cell_scenario(Operation operation, AccessKind access);
/// Every cell in which the two can meet.
const std::vector<Scenario>& cell_scenarios();

}  // namespace daxrace::explore
