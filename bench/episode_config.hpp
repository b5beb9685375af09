#pragma once

#include "bench/matrix.hpp"
#include "harness/episode.hpp"

namespace daxrace {

/// What the engine is told of a configuration: all but seed, placement and what the whole run shares.
EpisodeConfig episode_config(const Configuration& config);

}  // namespace daxrace
