#pragma once

#include <string>

#include "bench/run/matrix.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace {

/// For --dry-run: what stands in the way of a configuration here, as `skipped: one NUMA node` or `refused:
/// ...`; nothing: as far as can be told without opening or making anything, it would run.
std::string obstacle_to(const Configuration& config, const Topology& topology, const RunOptions& options);

}  // namespace daxrace
