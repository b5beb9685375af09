#pragma once

#include "harness/live/staging/cell.hpp"
#include "harness/live/staging/means.hpp"

namespace daxrace::kernel {

/// H7: page 1 is stored through a mapping, the layout of the rest changes, fsync returns: was the page
/// written back? Throws Skipped.
CellResult decide_persistence(const Directory& directory, Operation operation, Access access, Means& means);

}  // namespace daxrace::kernel
