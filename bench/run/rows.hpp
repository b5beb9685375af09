#pragma once

#include <string>
#include <vector>

#include "bench/run/matrix.hpp"
#include "harness/engine/episode.hpp"
#include "harness/platform/region.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {

/// What every row of a configuration shares: run, machine, region and key. `facts` is null where the region
/// could not be opened. The path is `all`.
Row configuration_row(const Configuration& config, const RegionFacts* facts, const RunInfo& info);

/// The rows of a finished episode: one per path that did something, and behind them the row `all`, so that an
/// episode whose row `all` stands in a file is complete there.
std::vector<Row> episode_rows(const Row& shared, const Configuration& config, const PlacementPlan& plan,
                              unsigned repetition, std::uint64_t seed, const EpisodeResult& result);

/// The one row of a configuration that cannot run here.
Row skipped_row(const Row& shared, const Configuration& config, const std::string& reason);

/// The one row of an episode that ended in an exception.
Row error_row(const Row& shared, const Configuration& config, unsigned repetition, std::uint64_t seed,
              const std::string& reason);

}  // namespace daxrace
