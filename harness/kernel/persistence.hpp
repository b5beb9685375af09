#pragma once

#include "harness/kernel/cell.hpp"
#include "harness/kernel/trace.hpp"

namespace daxrace::kernel {

/// H7: page 1 is stored through a mapping, the layout of the rest changes, fsync returns: was the page
/// written back? `trace` has fs_dax:dax_writeback_one enabled. Throws Skipped.
CellResult decide_persistence(const Directory& directory, Operation operation, Access access, Trace& trace);

}  // namespace daxrace::kernel
