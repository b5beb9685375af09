#include "harness/engine/episode_run.hpp"

namespace daxrace {

template EpisodeResult run_episode<PerturbedEnv>(const EpisodeConfig&, Region&, Peer*, const ProtocolInfo&,
                                                 const ProtocolCalls<RunKernel<PerturbedEnv>>&);

}  // namespace daxrace
