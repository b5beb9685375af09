#pragma once

#include "harness/engine/episode.hpp"

namespace daxrace::kernel {

/// The running kernel's own protocol, as one entry beside the engine's. An episode works on real files below
/// `EpisodeConfig::directory`; of the region only the facts are used.
const ProtocolEntry& protocol_entry();

}  // namespace daxrace::kernel
