#include "bench/overhead/rig.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/base/stamp.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/load/workload.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::overhead {
namespace {

int worker_cpu(const std::vector<int>& cpus, int wanted) {
  if (wanted < 0) return cpus.back();
  if (std::ranges::find(cpus, wanted) != cpus.end()) return wanted;
  throw Error(fmt::format("--cpu: CPU {} is not there or not allowed; this process may use {}", wanted,
                          format_list(cpus)));
}

const ProtocolEntry& protocol_named(std::string_view name) {
  const auto& all = protocols();
  const auto found = std::ranges::find(all, name, [](const ProtocolEntry& entry) { return entry.info.name; });
  if (found == all.end()) throw Error(fmt::format("this build has no protocol {}", name));
  return *found;
}

}  // namespace

const Workload& workload_named(std::string_view name) {
  const Workload* workload = find_workload(name);
  if (workload == nullptr) throw Error(fmt::format("there is no workload {}", name));
  return *workload;
}

Rig::Rig(const RigOptions& options) : options_(options) {
  Clock::calibrate();
  const Topology topology;
  std::vector<int> cpus = topology.cpus();
  std::ranges::sort(cpus);
  cpu_ = worker_cpu(cpus, options.cpu);
  node_ = topology.node_of_cpu(cpu_);
  const auto other = std::ranges::find_if(cpus, [&](int cpu) { return cpu != cpu_; });
  if (other != cpus.end()) bind_thread_to_cpu(*other);
  RegionSpec spec;
  spec.numa_node = node_;
  spec.frame_bytes = kIoBytes;
  spec.bytes = std::size_t{frames_needed(config(workload_named("fault"), 0))} * kIoBytes;
  region_ = Region::open(spec);
  open_peer();
}

void Rig::open_peer() {
  EpisodeConfig deepest = config(workload_named("aio_read"), 0);
  deepest.queue_depth = kMaxDepth;
  try {
    peer_ = Peer::open(options_.peer_file, kIoBytes, peer_slots_needed(deepest), false);
    if (peer_->async_share() >= kLeastAsyncShare) return;
    no_peer_reason_ = fmt::format("{} completes inline: no I/O would be in flight", peer_->path());
    peer_ = nullptr;
  } catch (const Skipped& reason) {
    no_peer_reason_ = reason.what();
  }
}

EpisodeConfig Rig::config(const Workload& workload, std::uint64_t seed) const {
  EpisodeConfig config;
  config.workload = &workload;
  config.load = Load::closed;
  config.threads = 1;
  config.file_pages = kFilePages;
  config.seed = seed;
  config.warmup_ns = 0;
  config.measure_ns = options_.episode_ns;
  config.placement.placement = Placement::local;
  config.placement.worker_cpus = {cpu_};
  config.placement.worker_nodes = {node_};
  return config;
}

EpisodeResult Rig::run(std::string_view protocol, const EpisodeConfig& config) const {
  EpisodeResult result = protocol_named(protocol).run(config, *region_, peer_.get());
  const bool broken = result.verdict == Verdict::broken;
  if (result.status == Status::ok && !broken) return result;
  throw Error(
      fmt::format("{} under {} ended {}{}: {}", config.workload->name, protocol,
                  name_in(kStatusNames, result.status), broken ? ", a promise broken" : "", result.reason),
      Exit::broken);
}

std::string Rig::facts() const {
  return fmt::format("worker on CPU {}, everything else on another; {} frames of {} bytes on memory; peer {}",
                     cpu_, region_->facts().frames, region_->facts().frame_bytes,
                     peer_ ? peer_->path() : "none: " + no_peer_reason_);
}

}  // namespace daxrace::overhead
