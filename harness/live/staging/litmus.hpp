#pragma once

#include <vector>

#include "harness/live/observe/kernel_log.hpp"
#include "harness/live/staging/cell.hpp"
#include "harness/live/staging/decider.hpp"

namespace daxrace::kernel {

/// Which cells are wanted; empty lists mean all.
struct Selection {
  std::vector<Operation> operations;
  std::vector<Access> accesses;
  Allowed allowed{};
};

/// Decides every cell of the selection on the live kernel, in processes of their own, and gives them in the
/// order of the tables. What cannot be staged here is a cell `skipped` with its reason.
std::vector<CellResult> decide(const Directory& directory, const Selection& selection, KernelLog& log,
                               Patience& patience, const Course& course = {});
std::vector<CellResult> decide(const Directory& directory, const Selection& selection, KernelLog& log);

}  // namespace daxrace::kernel
