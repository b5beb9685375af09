#pragma once

#include <string>

#include "harness/results/csv.hpp"

namespace daxrace {

/// The row of a whole episode as a run without trouble writes it.
inline Row episode_row(const std::string& workload, const std::string& protocol, std::uint64_t block) {
  Row row;
  row.run_id = "run1";
  row.git_commit = "0123456789ab";
  row.host = "pmem1";
  row.cpu = "Xeon";
  row.kernel = "6.1.0";
  row.target = "engine";
  row.backing = "memory";
  row.protocol = protocol;
  row.workload = workload;
  row.load = "paced";
  row.offered_per_s = 4000;
  row.threads = 2;
  row.overcommitted = false;
  row.perturb = false;
  row.discard = "zap";
  row.path = kAllPaths;
  row.repetition = block;
  row.ops = 400;
  row.promises = "H1+H2+H3+H4";
  row.verdict = "kept";
  row.status = "ok";
  return row;
}

}  // namespace daxrace
