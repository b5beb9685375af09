#pragma once

#include "harness/live/staging/cell.hpp"

namespace daxrace::kernel {

/// H8: a hole's zero page is mapped; one thread stores to the page, another writes to it with a system call
/// and loads through the mapping as soon as that has returned. A race of a bounded number of rounds: where no
/// load was stale the cell is inconclusive, never safe. Throws Skipped.
CellResult decide_zero_page(const Directory& directory, Operation operation, Access access);

}  // namespace daxrace::kernel
