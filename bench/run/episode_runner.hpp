#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "bench/cli/progress.hpp"
#include "bench/run/google_benchmark.hpp"
#include "bench/run/machine.hpp"
#include "bench/run/result_file.hpp"
#include "bench/run/schedule.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {

/// Runs episodes and writes each one's rows when it ends.
class EpisodeRunner {
 public:
  EpisodeRunner(const std::vector<Configuration>& matrix, const Machine& machine, const RunOptions& options,
                const RunInfo& info);

  /// Whether `finished` (--resume) has it already.
  bool is_finished(const PlannedEpisode& episode, const Finished& finished) const;

  /// Runs one episode, unless a stop was requested, its configuration cannot run, or results can no longer be
  /// written. Never throws: what must end the run is kept for rethrow_failure().
  MeasuredSeconds run(const PlannedEpisode& episode, ResultFile& results, Progress& progress);
  void rethrow_failure() const;

 private:
  struct Cell {
    std::string name;
    Row shared;
    bool skipped = false;
  };
  std::uint64_t seed_of(const PlannedEpisode& episode) const;
  MeasuredSeconds run_now(const PlannedEpisode& episode, ResultFile& results);
  EpisodeConfig config_of(const PlannedEpisode& episode, PlacementPlan plan) const;
  void record(const PlannedEpisode& episode, const PlacementPlan& plan, const EpisodeResult& result,
              ResultFile& results);
  void report_now_and_then(ResultFile& results);

  const std::vector<Configuration>& matrix_;
  const Machine& machine_;
  const RunOptions& options_;
  std::vector<Cell> cells_;
  std::exception_ptr failure_;
  std::uint64_t reported_at_ns_ = 0;
};

}  // namespace daxrace
