#pragma once

#include <cstdint>

#include "harness/platform/region.hpp"

namespace daxrace {

/// What dropping and refilling one real translation costs while no other thread of the process runs: the part
/// of a zap that is neither mmap_lock contention nor IPIs to busy neighbours. Medians, in nanoseconds.
struct ZapCost {
  std::uint64_t zap_ns = 0;
  std::uint64_t touch_ns = 0;
};

/// Zaps and touches the region's first frame some hundred times; changes nothing in it.
ZapCost measure_zap_cost(Region& region);

}  // namespace daxrace
