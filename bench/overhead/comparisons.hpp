#pragma once

#include <vector>

#include "bench/overhead/comparison.hpp"
#include "bench/overhead/rig.hpp"

/// What is compared. Each list's comparisons hold on to the rig.
namespace daxrace::overhead {

/// Service time of every uncontended path with the oracle, against the same without it.
std::vector<Comparison> oracle_comparisons(const Rig& rig);
/// Time per operation with every operation recorded, against the same loop without a clock read.
std::vector<Comparison> recorder_comparisons(const Rig& rig);
/// Our O_DIRECT loop against fio's io_uring engine.
std::vector<Comparison> direct_io_comparisons(const Rig& rig);
/// Zap and fault through the engine against the bare system call and the bare touch.
std::vector<Comparison> zap_comparisons(const Rig& rig);
/// Paths of the core and of a protocol, against the same written down by hand without Env, policies and
/// lambdas.
std::vector<Comparison> inlined_comparisons(const Rig& rig);

}  // namespace daxrace::overhead
