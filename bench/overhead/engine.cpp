#include <fmt/format.h>

#include "bench/overhead/comparisons.hpp"
#include "harness/base/error.hpp"
#include "harness/load/workload.hpp"

namespace daxrace::overhead {
namespace {

constexpr std::string_view kProtocol = "iolock_mmaplock";
/// A disk spreads more than anything else here, and does fewer operations in the same time.
constexpr unsigned kLongerForIo = 3;

/// Mean of all but the slowest 1 %: as steady as a median against what interrupts a run, and finer on a clock
/// that ticks in steps of 10 ns.
double trimmed_mean(const Histogram& histogram) {
  constexpr int kSteps = 990;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const auto value = histogram.quantile((i + 0.5) / 1000, 1);
    if (!value) return 0;
    sum += static_cast<double>(*value);
  }
  return sum / kSteps;
}

/// The path that a single-path preset is named after.
Path path_of(const Workload& workload) {
  for (std::size_t i = 0; i < kPathCount; ++i) {
    if (kPathNames[i] == workload.name) return static_cast<Path>(i);
  }
  throw Error(fmt::format("the preset {} is not named after a path", workload.name));
}

EpisodeConfig uncontended(const Rig& rig, const Workload& workload, std::uint64_t seed) {
  EpisodeConfig config = rig.config(workload, seed);
  // Else a lease's time would be the time for which it is kept.
  config.lease_hold_ns = 0;
  return config;
}

std::vector<double> service_time(const Rig& rig, const Workload& workload, bool oracle, std::uint64_t seed) {
  EpisodeConfig config = uncontended(rig, workload, seed);
  config.oracle = oracle;
  if (workload.needs_peer()) config.measure_ns *= kLongerForIo;
  const EpisodeResult result = rig.run(kProtocol, config);
  const auto path = result.paths.find(path_of(workload));
  const double time = path == result.paths.end() ? 0 : trimmed_mean(path->second.service_ns);
  if (time == 0) throw Error(fmt::format("{} recorded too little of its path", workload.name));
  return {time};
}

std::vector<double> operation_time(const Rig& rig, const Workload& workload, bool record,
                                   std::uint64_t seed) {
  EpisodeConfig config = uncontended(rig, workload, seed);
  config.record = record;
  const EpisodeResult result = rig.run(kProtocol, config);
  std::uint64_t ops = 0;
  for (const auto& [path, stats] : result.paths) ops += stats.ops;
  if (ops == 0) throw Error(fmt::format("{} did nothing", workload.name));
  return {static_cast<double>(result.worker_cpu_ns) / static_cast<double>(ops)};
}

}  // namespace

std::vector<Comparison> oracle_comparisons(const Rig& rig) {
  constexpr Bar kBar{Bar::Kind::at_most, 1.05, 2000, 1.10};
  std::vector<Comparison> all;
  for (const Workload& workload : workloads()) {
    if (!workload.uncontended) continue;
    all.push_back(
        {"oracle",
         std::string(workload.name),
         {{"service time", "ns", Effect::ratio, kBar}},
         [&rig, &workload](std::uint64_t seed) { return service_time(rig, workload, false, seed); },
         [&rig, &workload](std::uint64_t seed) { return service_time(rig, workload, true, seed); }});
  }
  return all;
}

std::vector<Comparison> recorder_comparisons(const Rig& rig) {
  std::vector<Comparison> all;
  for (const Workload& workload : workloads()) {
    if (!workload.uncontended || workload.needs_peer()) continue;
    all.push_back(
        {"recorder",
         std::string(workload.name),
         {{"time per operation", "ns", Effect::difference, {}}},
         [&rig, &workload](std::uint64_t seed) { return operation_time(rig, workload, false, seed); },
         [&rig, &workload](std::uint64_t seed) { return operation_time(rig, workload, true, seed); }});
  }
  return all;
}

}  // namespace daxrace::overhead
