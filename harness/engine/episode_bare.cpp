#include "harness/engine/episode_run.hpp"

namespace daxrace {

template EpisodeResult run_episode<BareEnv>(const EpisodeConfig&, Region&, Peer*, const ProtocolInfo&,
                                            const ProtocolCalls<RunKernel<BareEnv>>&);

}  // namespace daxrace
