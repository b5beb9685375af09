#pragma once

#include "harness/engine/episode.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/protocol_calls.hpp"
#include "harness/engine/run_env.hpp"

/// What a protocol is stamped with: its calls on every Env.
namespace daxrace {

/// The Envs of measured runs. Sanitizer builds keep to what they can judge: the oracle on, one lock.
using PerturbedEnv = RunEnv<Rwsem, Oracle, Perturb>;
using JudgedEnv = RunEnv<Rwsem, Oracle, NoPerturb>;
#ifndef DAXRACE_SANITIZED
using BareEnv = RunEnv<Rwsem, NullOracle, NoPerturb>;
using JudgedPthreadEnv = RunEnv<PthreadRwlock, Oracle, NoPerturb>;
using BarePthreadEnv = RunEnv<PthreadRwlock, NullOracle, NoPerturb>;
#endif

/// One episode on Env E, of whatever protocol: defined in episode_run.hpp, compiled once for each Env named
/// above.
template <class E>
EpisodeResult run_episode(const EpisodeConfig& config, Region& region, Peer* peer,
                          const ProtocolInfo& protocol, const ProtocolCalls<RunKernel<E>>& calls);

extern template EpisodeResult run_episode<PerturbedEnv>(const EpisodeConfig&, Region&, Peer*,
                                                        const ProtocolInfo&,
                                                        const ProtocolCalls<RunKernel<PerturbedEnv>>&);
extern template EpisodeResult run_episode<JudgedEnv>(const EpisodeConfig&, Region&, Peer*,
                                                     const ProtocolInfo&,
                                                     const ProtocolCalls<RunKernel<JudgedEnv>>&);
#ifndef DAXRACE_SANITIZED
extern template EpisodeResult run_episode<BareEnv>(const EpisodeConfig&, Region&, Peer*, const ProtocolInfo&,
                                                   const ProtocolCalls<RunKernel<BareEnv>>&);
extern template EpisodeResult run_episode<JudgedPthreadEnv>(
    const EpisodeConfig&, Region&, Peer*, const ProtocolInfo&,
    const ProtocolCalls<RunKernel<JudgedPthreadEnv>>&);
extern template EpisodeResult run_episode<BarePthreadEnv>(const EpisodeConfig&, Region&, Peer*,
                                                          const ProtocolInfo&,
                                                          const ProtocolCalls<RunKernel<BarePthreadEnv>>&);
#endif

template <class P, class E>
EpisodeResult run_protocol_on(const EpisodeConfig& config, Region& region, Peer* peer) {
  return run_episode<E>(config, region, peer, core::info_of<P>(), kCallsOf<P, RunKernel<E>>);
}

template <class P>
EpisodeResult run_protocol(const EpisodeConfig& config, Region& region, Peer* peer) {
  using K = RunKernel<JudgedEnv>;
  static_assert(core::Protocol<P, K>, "protocols/skeleton.hpp.in has every member of a protocol");
  if constexpr (!core::Protocol<P, K>) {
    return {};  // that was the one error
  } else {
    check_episode(config, region.facts(), peer);
    if (config.perturb) return run_protocol_on<P, PerturbedEnv>(config, region, peer);
#ifndef DAXRACE_SANITIZED
    const bool second_lock = config.lock == "pthread_rwlock";
    if (second_lock && !config.oracle) return run_protocol_on<P, BarePthreadEnv>(config, region, peer);
    if (second_lock) return run_protocol_on<P, JudgedPthreadEnv>(config, region, peer);
    if (!config.oracle) return run_protocol_on<P, BareEnv>(config, region, peer);
#endif
    return run_protocol_on<P, JudgedEnv>(config, region, peer);
  }
}

}  // namespace daxrace
