#pragma once

#include <string>
#include <vector>

#include "bench/cli/options.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {

/// Gives `options`, into which `table` writes, what the run of --resume was asked for. Throws Error naming
/// both values where an option of the command line contradicts it: one file must not hold two plans under one
/// key.
void repeat_recorded_plan(RunOptions& options, const OptionTable& table);

/// Makes this run the one that is gone on with: `info` takes its identity, so that its rows and its entry in
/// the report are those of one run. Returns the rows of it that are finished; those of unfinished episodes
/// are gone from the file then. Throws Error, and leaves the file as it is, where it was begun by another
/// commit or on another machine.
std::vector<Row> go_on_with(const std::string& path, RunInfo& info);

/// The expression of --benchmark_filter, if it was given.
std::string benchmark_filter_of(const RunOptions& options);

/// The command that goes on with a run that was interrupted.
std::string resume_command(const RunOptions& options, const std::string& path);

}  // namespace daxrace
