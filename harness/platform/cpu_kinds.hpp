#pragma once

#include <cstddef>
#include <vector>

namespace daxrace {

/// The CPUs of this machine by kind (efficiency and performance cores), the slowest first, as hwloc knows
/// them; one list or none where they are all alike or nothing is known.
std::vector<std::vector<int>> cpus_by_kind();

/// How many kinds there are among `cpus`; 0: not known.
std::size_t kinds_among(const std::vector<std::vector<int>>& kinds, const std::vector<int>& cpus);

}  // namespace daxrace
