#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/run/matrix.hpp"
#include "harness/platform/cpu_kinds.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/placement.hpp"
#include "harness/platform/region.hpp"

namespace daxrace {

/// How many CPUs a run may use: those of --cpus, else all that the process may. Throws Error for a CPU of
/// --cpus that it may not.
std::size_t usable_cpus(const Topology& topology, const std::vector<int>& cpus);
/// Throws Error where the environment makes hwloc tell of another machine.
void refuse_foreign_topology();
/// Why threads cannot be bound to CPUs here (a sandbox), or nothing.
std::string affinity_refusal();
/// What an episode writes to of its backing.
std::size_t bytes_needed(const Configuration& config);
/// Why a memory backing of that size cannot be had beside those that will hold `held_bytes`, or nothing. The
/// kernel would not refuse it, but kill somebody for it.
std::string memory_shortage(std::size_t bytes, std::size_t held_bytes = 0);

/// Configurations of one backing and frame size share a region.
using RegionKey = std::pair<std::string, std::size_t>;
RegionKey region_key(const Configuration& config);
/// The size of each region: what the largest of its configurations needs. In the order in which they are
/// opened.
std::map<RegionKey, std::size_t> region_bytes(const std::vector<Configuration>& matrix);

/// What the episodes of a run share: one region per backing and frame size, and one peer. Opened before the
/// first episode, so that what the user must mend is said at once.
class Machine {
 public:
  /// Throws Error. What this machine does not have is remembered and thrown as Skipped where it is asked for.
  Machine(const Topology& topology, const std::vector<Configuration>& matrix, const RunOptions& options);

  const Topology& topology() const { return topology_; }
  /// Null where the region is skipped or was not wanted.
  const RegionFacts* facts(const Configuration& config) const;
  Region& region(const Configuration& config) const;
  /// Null where the workload does no I/O.
  Peer* peer(const Configuration& config) const;
  PlacementPlan plan(const Configuration& config) const;
  /// What is worth knowing of the CPUs that an episode ran on, or nothing.
  std::string remark_on_cpus(const PlacementPlan& plan) const;
  /// The peer, if there is one.
  const Peer* any_peer() const { return peer_.get(); }

 private:
  struct OpenRegion {
    std::unique_ptr<Region> region;
    std::string skip_reason;
  };
  void open_regions(const std::vector<Configuration>& matrix, const RunOptions& options);
  void open_peer(const std::vector<Configuration>& matrix, const RunOptions& options);

  const Topology& topology_;
  std::vector<int> cpus_;
  bool can_bind_memory_;
  std::vector<std::vector<int>> cpu_kinds_ = cpus_by_kind();
  std::map<RegionKey, OpenRegion> regions_;
  std::unique_ptr<Peer> peer_;
  std::string peer_skip_reason_;
};

}  // namespace daxrace
