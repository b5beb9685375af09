#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/types.hpp"

namespace daxrace {

/// Where the workers run and where their DRAM buffers lie, decided before they start.
struct PlacementPlan {
  Placement placement = Placement::none;
  std::vector<int> worker_cpus;   ///< one CPU number per worker; empty for `none` (the scheduler decides)
  std::vector<int> worker_nodes;  ///< the NUMA node of each worker's buffers; empty for `none`
  bool overcommitted = false;     ///< more workers than distinct CPUs that this process may use
};

/// The machine as hwloc sees it, limited to the CPUs that this process may use.
class Topology {
 public:
  Topology();
  ~Topology();
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  std::vector<int> cpus() const;  ///< allowed CPU numbers; a core's SMT siblings come after all first threads
  std::vector<int> nodes() const;  ///< NUMA nodes that have memory
  int node_of_cpu(int cpu) const;

  /// Places `workers` relative to the pmem's node. `cpus` (--cpus) limits the choice; empty: all allowed
  /// ones. Throws Skipped where the machine has no such placement (`remote` on one node, or an unknown pmem
  /// node).
  PlacementPlan plan(Placement placement, std::size_t workers, int pmem_node,
                     const std::vector<int>& cpus = {}) const;

  /// One line: sockets, nodes, cores, hardware threads.
  std::string summary() const;

 private:
  struct Impl;
  Impl* impl_;
};

/// Binds the calling thread to one CPU. Throws Error if the kernel refuses.
void bind_thread_to_cpu(int cpu);
/// The CPUs that the kernel says the calling thread may run on, as `0-3,8`.
std::string thread_affinity();
/// Page-aligned zeroed memory on a NUMA node (-1: anywhere), populated. Throws Error if it cannot be had.
class NodeBuffer {
 public:
  NodeBuffer() = default;
  NodeBuffer(std::size_t bytes, int node);
  ~NodeBuffer();
  NodeBuffer(NodeBuffer&& other) noexcept;
  NodeBuffer& operator=(NodeBuffer&& other) noexcept;
  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }
  /// The node on which the kernel says the page at `offset` lies, or nothing if it cannot be told.
  std::optional<int> node_of(std::size_t offset) const;

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};
/// As `0-3,8`: the form of every CPU and node list that is printed or read.
std::string format_list(const std::vector<int>& numbers);
/// The reverse; throws Error naming what was wrong.
std::vector<int> parse_list(const std::string& text);

}  // namespace daxrace
