#include "harness/engine/episode_run.hpp"

namespace daxrace {

template EpisodeResult run_episode<BarePthreadEnv>(const EpisodeConfig&, Region&, Peer*, const ProtocolInfo&,
                                                   const ProtocolCalls<RunKernel<BarePthreadEnv>>&);

}  // namespace daxrace
