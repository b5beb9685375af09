#pragma once

#include "bench/run/matrix.hpp"
#include "harness/engine/episode.hpp"

namespace daxrace {

/// What the engine is told of a configuration: all but seed, placement and what the whole run shares.
EpisodeConfig episode_config(const Configuration& config);

}  // namespace daxrace
