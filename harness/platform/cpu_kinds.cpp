#include "harness/platform/cpu_kinds.hpp"

#include <algorithm>

#include <hwloc.h>
#include <hwloc/cpukinds.h>

namespace daxrace {
namespace {

std::vector<int> cpus_of_kind(hwloc_topology_t topology, unsigned kind) {
  std::vector<int> cpus;
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  if (set == nullptr) return cpus;
  if (hwloc_cpukinds_get_info(topology, kind, set, nullptr, nullptr, nullptr, 0) == 0)
    for (int cpu = hwloc_bitmap_first(set); cpu >= 0; cpu = hwloc_bitmap_next(set, cpu)) cpus.push_back(cpu);
  hwloc_bitmap_free(set);
  return cpus;
}

}  // namespace

std::vector<std::vector<int>> cpus_by_kind() {
  std::vector<std::vector<int>> kinds;
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return kinds;
  if (hwloc_topology_load(topology) == 0) {
    const int count = hwloc_cpukinds_get_nr(topology, 0);
    for (int kind = 0; kind < count; ++kind) {
      std::vector<int> cpus = cpus_of_kind(topology, static_cast<unsigned>(kind));
      if (!cpus.empty()) kinds.push_back(std::move(cpus));
    }
  }
  hwloc_topology_destroy(topology);
  return kinds;
}

std::size_t kinds_among(const std::vector<std::vector<int>>& kinds, const std::vector<int>& cpus) {
  return static_cast<std::size_t>(std::ranges::count_if(kinds, [&](const std::vector<int>& kind) {
    return std::ranges::any_of(cpus, [&](int cpu) { return std::ranges::find(kind, cpu) != kind.end(); });
  }));
}

}  // namespace daxrace
