#include <fmt/format.h>

#include "bench/overhead/comparisons.hpp"
#include "bench/overhead/fio.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/load/workload.hpp"

namespace daxrace::overhead {
namespace {

const Workload& direct_writes() { return workload_named("aio_read"); }

/// The loop's blocks on the peer: as many as may be in flight.
FioJob job_of(const Rig& rig, unsigned depth) {
  const PeerLayout layout{Rig::kFilePages};
  const Peer& peer = *rig.peer();
  return {peer.path(),
          peer.offset_of(layout.scratch(0, depth, 0)),
          peer.block_bytes(),
          depth,
          depth,
          rig.cpu(),
          rig.options().io_ns};
}

std::vector<double> of_fio(const Rig& rig, unsigned depth) {
  const FioResult result = run_fio(job_of(rig, depth));
  return {result.iops, result.cpu_ns_per_io};
}

std::vector<double> of_engine(const Rig& rig, unsigned depth, std::uint64_t seed) {
  EpisodeConfig config = rig.config(direct_writes(), seed);
  config.queue_depth = depth;
  config.measure_ns = rig.options().io_ns;
  const EpisodeResult result = rig.run("none", config);
  const auto path = result.paths.find(Path::aio_read);
  if (path == result.paths.end()) throw Error("the aio_read preset did no I/O");
  const auto ops = static_cast<double>(path->second.ops);
  return {ops * 1e9 / static_cast<double>(result.worker_run_ns),
          static_cast<double>(result.worker_cpu_ns) / ops};
}

}  // namespace

std::vector<Comparison> direct_io_comparisons(const Rig& rig) {
  const std::vector<Figure> figures = {
      {"IOPS", "1/s", Effect::ratio, {Bar::Kind::at_least, 1.0, 0, 0}},
      {"CPU time per I/O", "ns", Effect::ratio, {Bar::Kind::at_most, 1.05, 0, 0}},
  };
  std::vector<Comparison> all;
  for (const unsigned depth : {1U, Rig::kMaxDepth}) {
    all.push_back({"O_DIRECT against fio", fmt::format("depth {}", depth), figures,
                   [&rig, depth](std::uint64_t) { return of_fio(rig, depth); },
                   [&rig, depth](std::uint64_t seed) { return of_engine(rig, depth, seed); }});
  }
  return all;
}

}  // namespace daxrace::overhead
