#include "harness/engine/episode_run.hpp"

namespace daxrace {

template EpisodeResult run_episode<JudgedPthreadEnv>(const EpisodeConfig&, Region&, Peer*,
                                                     const ProtocolInfo&,
                                                     const ProtocolCalls<RunKernel<JudgedPthreadEnv>>&);

}  // namespace daxrace
