#pragma once

#include <string>
#include <vector>

#include "harness/live/staging/cell.hpp"

namespace daxrace {

/// Every protocol of the engine, in both refcount regimes, beside what the running kernel did: in how many of
/// the cells that both decide they agree, and for the nearest ones where they differ.
std::string kernel_versus_engine(const std::vector<kernel::CellResult>& cells);

}  // namespace daxrace
