#include "bench/run/machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/run/episode_config.hpp"
#include "bench/run/memory_limit.hpp"
#include "harness/base/error.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/platform/cpu_kinds.hpp"
#include "harness/platform/numa.hpp"

namespace daxrace {
namespace {

/// One I/O, whatever the frame size.
constexpr std::size_t kPeerBlockBytes = 4096;

bool is_online(int cpu) {
  const std::string directory = fmt::format("/sys/devices/system/cpu/cpu{}", cpu);
  std::ifstream file(directory + "/online");
  if (int online = 0; file >> online) return online == 1;
  return access(directory.c_str(), F_OK) == 0;  // the first CPU cannot go offline
}

void check_cpus(const Topology& topology, const std::vector<int>& cpus) {
  const std::vector<int> allowed = topology.cpus();
  for (const int cpu : cpus)
    if (std::ranges::find(allowed, cpu) == allowed.end()) {
      std::vector<int> sorted = allowed;
      std::ranges::sort(sorted);
      throw Error(fmt::format(
          "--cpus: CPU {} is not there or not allowed; this process may use {}{}", cpu, format_list(sorted),
          is_online(cpu) ? fmt::format("; if it is isolated: taskset -c {} daxrace ...", format_list(cpus))
                         : ""));
    }
}

/// Its own node where that has memory, else the nearest that has, as for the workers' buffers.
int memory_node_of_cpu(const Topology& topology, int cpu) {
  return topology.plan(Placement::local, 1, topology.node_of_cpu(cpu)).worker_nodes.front();
}

/// On one node there is nowhere else for memory to lie.
bool can_bind_memory(const Topology& topology) { return topology.nodes().size() < 2 || binding_error() == 0; }

}  // namespace

void refuse_foreign_topology() {
  const char* const this_system = std::getenv("HWLOC_THISSYSTEM");
  if (this_system != nullptr && std::string_view(this_system) == "1") return;
  for (const char* const name : {"HWLOC_XMLFILE", "HWLOC_SYNTHETIC", "HWLOC_FSROOT", "HWLOC_CPUID_PATH"})
    if (const char* const value = std::getenv(name); value != nullptr && *value != '\0')
      throw Error(fmt::format("{} is set: CPUs and nodes would be those of another machine; unset it", name));
}

std::string affinity_refusal() {
  static const int error = [] {
    std::array<unsigned long, 1024> mask{};
    const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask.data());
    return bytes <= 0 || syscall(SYS_sched_setaffinity, 0, bytes, mask.data()) == 0 ? 0 : errno;
  }();
  if (error == 0) return "";
  return fmt::format("cannot bind threads to CPUs: {}: --placement=none leaves them where they are",
                     std::strerror(error));
}

std::size_t usable_cpus(const Topology& topology, const std::vector<int>& cpus) {
  check_cpus(topology, cpus);
  return cpus.empty() ? topology.cpus().size() : cpus.size();
}

std::size_t bytes_needed(const Configuration& config) {
  return std::size_t{frames_needed(episode_config(config))} * config.frame_bytes;
}

std::string memory_shortage(std::size_t bytes, std::size_t held_bytes) {
  std::uint64_t available = available_memory_bytes();
  available -= std::min<std::uint64_t>(available, held_bytes);
  if (bytes <= available) return "";
  return fmt::format(
      "the memory backing needs {} MiB and {} MiB are available: give a smaller --file-pages or "
      "--frame-bytes",
      bytes >> 20, available >> 20);
}

RegionKey region_key(const Configuration& config) {
  return {config.source.choice.text(), config.frame_bytes};
}

std::map<RegionKey, std::size_t> region_bytes(const std::vector<Configuration>& matrix) {
  std::map<RegionKey, std::size_t> bytes;
  for (const Configuration& config : matrix) {
    std::size_t& most = bytes[region_key(config)];
    most = std::max(most, bytes_needed(config));
  }
  return bytes;
}

Machine::Machine(const Topology& topology, const std::vector<Configuration>& matrix,
                 const RunOptions& options)
    : topology_(topology), cpus_(options.cpus), can_bind_memory_(can_bind_memory(topology)) {
  open_regions(matrix, options);
  open_peer(matrix, options);
}

void Machine::open_regions(const std::vector<Configuration>& matrix, const RunOptions& options) {
  const std::map<RegionKey, std::size_t> bytes = region_bytes(matrix);
  std::map<RegionKey, RegionSpec> wanted;
  const int first_cpu = cpus_.empty() ? topology_.cpus().front() : cpus_.front();
  for (const Configuration& config : matrix) {
    RegionSpec& spec = wanted[region_key(config)];
    spec.backing = config.source.choice.kind;
    spec.path = config.source.choice.path;
    spec.bytes = bytes.at(region_key(config));
    spec.frame_bytes = config.frame_bytes;
    spec.numa_node = can_bind_memory_ ? memory_node_of_cpu(topology_, first_cpu) : -1;
    spec.destroy_data = options.destroy_data;
    spec.durable = options.durable;
    spec.sync_mapping = config.target == Target::engine;  // the kernel's own files lie beside it
  }
  for (const auto& [key, spec] : wanted) {
    if (spec.backing == Backing::memory)
      if (const std::string why = memory_shortage(spec.bytes); !why.empty()) throw Error(why);
    OpenRegion& slot = regions_[key];
    try {
      slot.region = Region::open(spec);
    } catch (const Skipped& skipped) {
      slot.skip_reason = skipped.what();
    }
  }
}

void Machine::open_peer(const std::vector<Configuration>& matrix, const RunOptions& options) {
  std::size_t slots = 0;
  for (const Configuration& config : matrix)
    if (config.workload->needs_peer()) slots = std::max(slots, peer_slots_needed(episode_config(config)));
  if (slots == 0) return;
  try {
    peer_ = Peer::open(options.peer_file, kPeerBlockBytes, slots, options.destroy_data);
    if (peer_->async_share() < kLeastAsyncShare)
      peer_skip_reason_ = fmt::format(
          "peer completes inline ({}): no I/O would be in flight; name a file on a disk "
          "with --peer-file",
          peer_->path());
  } catch (const Skipped& skipped) {
    peer_skip_reason_ = skipped.what();
  } catch (const Error& error) {
    if (!options.peer_file.empty()) throw;
    peer_skip_reason_ = error.what();
  }
}

const RegionFacts* Machine::facts(const Configuration& config) const {
  const auto slot = regions_.find(region_key(config));
  return slot != regions_.end() && slot->second.region ? &slot->second.region->facts() : nullptr;
}

Region& Machine::region(const Configuration& config) const {
  const auto& slot = regions_.at(region_key(config));
  if (!slot.region) throw Skipped(slot.skip_reason);
  return *slot.region;
}

Peer* Machine::peer(const Configuration& config) const {
  if (!config.workload->needs_peer()) return nullptr;
  if (!peer_skip_reason_.empty()) throw Skipped(peer_skip_reason_);
  return peer_.get();
}

PlacementPlan Machine::plan(const Configuration& config) const {
  if (config.placement != Placement::none)
    if (const std::string why = affinity_refusal(); !why.empty()) throw Skipped(why);
  int node = region(config).facts().pmem_node;
  // Memory that could not be bound lies near whoever touched it first; where that was nobody says.
  if (node < 0 && !can_bind_memory_ && config.placement == Placement::local)
    node = topology_.node_of_cpu(cpus_.empty() ? topology_.cpus().front() : cpus_.front());
  PlacementPlan plan = topology_.plan(config.placement, config.threads, node, cpus_);
  if (!can_bind_memory_) std::ranges::fill(plan.worker_nodes, -1);
  return plan;
}

std::string Machine::remark_on_cpus(const PlacementPlan& plan) const {
  const std::size_t kinds = kinds_among(cpu_kinds_, plan.worker_cpus);
  return kinds < 2 ? "" : fmt::format("CPUs of {} kinds", kinds);
}

}  // namespace daxrace
