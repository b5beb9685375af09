#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/run/matrix.hpp"

namespace daxrace {

/// One run of one configuration.
struct PlannedEpisode {
  std::size_t config = 0;   ///< index into the matrix
  unsigned repetition = 1;  ///< the block in which it runs, from 1
  friend bool operator==(const PlannedEpisode&, const PlannedEpisode&) = default;
};

/// The order of a run: blocks, each of which runs every configuration (that still wants a repetition) once in
/// an order drawn from `seed`, so that a drift of the machine hits all alike. The same on every machine.
std::vector<PlannedEpisode> interleave(const std::vector<Configuration>& matrix, std::uint64_t seed);

/// The seed of an episode. All configurations of a block share it: they see the same schedule and the same
/// choices.
std::uint64_t episode_seed(std::uint64_t seed, unsigned repetition);

/// What an episode is expected to take, set-up and end included.
std::uint64_t estimated_ns(const Configuration& config);
std::uint64_t estimated_ns(const std::vector<Configuration>& matrix);

/// Sets the repetitions so that the matrix takes about `budget_ns`. Throws Error if not even one repetition
/// fits.
void fit_repetitions(std::vector<Configuration>& matrix, std::uint64_t budget_ns);

}  // namespace daxrace
