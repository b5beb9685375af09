#include "harness/engine/episode_run.hpp"

namespace daxrace {

template EpisodeResult run_episode<JudgedEnv>(const EpisodeConfig&, Region&, Peer*, const ProtocolInfo&,
                                              const ProtocolCalls<RunKernel<JudgedEnv>>&);

}  // namespace daxrace
