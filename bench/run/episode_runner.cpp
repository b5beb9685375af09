#include "bench/run/episode_runner.hpp"

#include <utility>

#include <fmt/format.h>

#include "bench/cli/signals.hpp"
#include "bench/run/episode_config.hpp"
#include "bench/run/rows.hpp"
#include "harness/base/disturbance.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/platform/clock.hpp"
#include "harness/platform/control_group.hpp"

namespace daxrace {
EpisodeRunner::EpisodeRunner(const std::vector<Configuration>& matrix, const Machine& machine,
                             const RunOptions& options, const RunInfo& info)
    : matrix_(matrix), machine_(machine), options_(options) {
  cells_.reserve(matrix.size());
  for (const Configuration& config : matrix)
    cells_.push_back({canonical_name(config), configuration_row(config, machine.facts(config), info), false});
}

std::uint64_t EpisodeRunner::seed_of(const PlannedEpisode& episode) const {
  const bool own_seed = matrix_[episode.config].perturb && options_.perturb_seed;
  return episode_seed(own_seed ? *options_.perturb_seed : options_.seed, episode.repetition);
}

bool EpisodeRunner::is_finished(const PlannedEpisode& episode, const Finished& finished) const {
  return finished.has(cells_[episode.config].shared, episode.repetition);
}

EpisodeConfig EpisodeRunner::config_of(const PlannedEpisode& episode, PlacementPlan plan) const {
  EpisodeConfig config = episode_config(matrix_[episode.config]);
  config.seed = seed_of(episode);
  config.hang_bound_ns = options_.hang_bound_ns;
  config.placement = std::move(plan);
  config.stop = &stop_requested();
  return config;
}

void EpisodeRunner::record(const PlannedEpisode& episode, const PlacementPlan& plan,
                           const EpisodeResult& result, ResultFile& results) {
  const Cell& cell = cells_[episode.config];
  const std::uint64_t seed = seed_of(episode);
  results.add(episode_rows(cell.shared, matrix_[episode.config], plan, episode.repetition, seed, result));
  if (!result.violations.empty())
    results.report().add_violations(cell.name, episode.repetition, seed, result.violations);
  if (!result.hang_report.empty())
    results.report().add_hang(cell.name, episode.repetition, seed, result.hang_report);
}

MeasuredSeconds EpisodeRunner::run_now(const PlannedEpisode& episode, ResultFile& results) {
  const Configuration& config = matrix_[episode.config];
  Cell& cell = cells_[episode.config];
  PlacementPlan plan;
  EpisodeResult result;
  try {
    plan = machine_.plan(config);
    const std::uint64_t throttled = times_throttled();
    result = config.protocol->run(config_of(episode, plan), machine_.region(config), machine_.peer(config));
    if (const std::uint64_t now = times_throttled(); now > throttled)
      add_remark(result, fmt::format("{} {} times", kThrottled, now - throttled));
    if (const std::string remark = machine_.remark_on_cpus(plan); !remark.empty()) add_remark(result, remark);
  } catch (const Skipped& skipped) {
    cell.skipped = true;
    results.add({skipped_row(cell.shared, config, skipped.what())});
    return std::nullopt;
  } catch (const std::exception& error) {
    results.add({error_row(cell.shared, config, episode.repetition, seed_of(episode), error.what())});
    return std::nullopt;
  }
  if (stop_requested().load()) return std::nullopt;
  record(episode, plan, result, results);
  return static_cast<double>(result.duration_ns) / 1e9;
}

/// The report is rewritten whole each time, so not after every episode.
void EpisodeRunner::report_now_and_then(ResultFile& results) {
  constexpr std::uint64_t kEveryNs = 1'000'000'000;
  const std::uint64_t now = Clock::monotonic_ns();
  if (reported_at_ns_ != 0 && now - reported_at_ns_ < kEveryNs) return;
  reported_at_ns_ = now;
  results.report().write();
}

MeasuredSeconds EpisodeRunner::run(const PlannedEpisode& episode, ResultFile& results, Progress& progress) {
  if (failure_ || stop_requested().load()) return std::nullopt;
  const Configuration& config = matrix_[episode.config];
  const Cell& cell = cells_[episode.config];
  progress.started(cell.name, estimated_ns(config));
  MeasuredSeconds seconds;
  try {
    if (!cell.skipped) {
      seconds = run_now(episode, results);
      report_now_and_then(results);
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
  progress.finished();
  return seconds;
}

void EpisodeRunner::rethrow_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace daxrace
