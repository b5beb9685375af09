#pragma once

#include <string>
#include <vector>

#include "bench/run/machine.hpp"
#include "bench/run/matrix.hpp"
#include "harness/results/run_json.hpp"

namespace daxrace {

/// What the report of a run says before its first episode: what was asked for, and of what machine.
void describe_run(RunReport& report, const RunOptions& options, const std::vector<std::string>& command_line,
                  const Machine& machine, const std::vector<Configuration>& matrix);
/// What a zap costs where nobody contends, for each region, into the report and as lines for a reader. All
/// threads share one mm: a zap waits for mmap_lock and IPIs too, and nobody should take that for the
/// protocol.
std::vector<std::string> measure_zaps(RunReport& report, const Machine& machine,
                                      const std::vector<Configuration>& matrix);

}  // namespace daxrace
