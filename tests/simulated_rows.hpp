#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "harness/results/csv.hpp"
#include "harness/results/histogram.hpp"

namespace daxrace {

/// Results as a machine with known noise would give them: what was injected into them must be found.
struct Simulation {
  std::vector<std::string> workloads = {"punch", "fault"};
  std::vector<std::string> protocols = {"ext4", "iolock_mmaplock", "lease_break"};
  unsigned repetitions = 12;
  unsigned samples = 600;          ///< operations of a repetition
  double p50_ns = 20'000;          ///< of the first workload; each further one takes twice as long
  double spread = 0.3;             ///< of the operations within a repetition, sigma of their logarithm
  double repetition_noise = 0.03;  ///< of the repetitions, likewise
  double run_noise = 0;            ///< of the whole run, likewise
  double slower = 1;               ///< factor on every operation of `slow_protocol`
  double slower_tail = 1;          ///< factor on its slowest 2 %
  std::string slow_protocol = "ext4";
  std::string commit = "0123456789ab";
  std::string run_id = "run-1";
};

inline Row simulated_row(const Simulation& s) {
  Row row;
  row.run_id = s.run_id;
  row.git_commit = s.commit;
  row.time_utc = "2026-11-25T00:00:00Z";
  row.host = "pmem1";
  row.cpu = "Simulated";
  row.kernel = "6.18.0";
  row.target = "engine";
  row.backing = "memory";
  row.granularity = "page";
  row.placement = "local";
  row.refcount_regime = "ref1";
  row.lock = "rwsem";
  row.load = "paced";
  row.threads = 1;
  row.frame_bytes = 4096;
  row.oracle = true;
  row.perturb = false;
  row.overcommitted = false;
  return row;
}

inline Histogram simulated_latencies(const Simulation& s, double middle_ns, bool slow,
                                     std::mt19937_64& random) {
  std::normal_distribution<double> noise;
  Histogram out;
  for (unsigned i = 0; i < s.samples; ++i) {
    const double z = noise(random);
    double ns = middle_ns * std::exp(s.spread * z) * (slow ? s.slower : 1);
    if (slow && z > 2.054) ns *= s.slower_tail;
    out.record(static_cast<std::uint64_t>(ns));
  }
  return out;
}

/// All rows of one run, as `daxrace run` writes them: the path of each episode, then its row `all`.
inline std::vector<Row> simulated_rows(const Simulation& s, std::mt19937_64& random) {
  std::normal_distribution<double> noise;
  std::vector<Row> out;
  const double run_factor = std::exp(s.run_noise * noise(random));
  for (unsigned repetition = 1; repetition <= s.repetitions; ++repetition) {
    double middle = s.p50_ns * run_factor;
    for (const std::string& workload : s.workloads) {
      for (const std::string& protocol : s.protocols) {
        Row row = simulated_row(s);
        row.workload = workload;
        row.protocol = protocol;
        row.repetition = repetition;
        Row all = row;
        const double factor = std::exp(s.repetition_noise * noise(random));
        const Histogram latencies =
            simulated_latencies(s, middle * factor, protocol == s.slow_protocol, random);
        row.path = workload;
        row.ops = latencies.count();
        row.ops_per_s = 1e9 / (middle * factor);
        row.lat_p50_ns = latencies.quantile(0.5);
        row.lat_p99_ns = latencies.quantile(0.99);
        row.lat_hist = latencies.encode();
        all.path = kAllPaths;
        all.verdict = "kept";
        all.status = "ok";
        out.push_back(row);
        out.push_back(all);
      }
      middle *= 2;
    }
  }
  return out;
}

}  // namespace daxrace
