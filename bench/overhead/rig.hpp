#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/engine/episode.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/region.hpp"

namespace daxrace::overhead {

struct RigOptions {
  int cpu = -1;           ///< the worker's CPU; -1: the last one that this process may use
  std::string peer_file;  ///< a file of our own, so that fio can open it too
  std::uint64_t episode_ns = 100'000'000;
  std::uint64_t io_ns = 1'000'000'000;
};

/// What all comparisons share: frames on memory, a peer, one CPU for the worker and another for everything
/// else.
class Rig {
 public:
  /// Binds the calling thread off the worker's CPU where there is another. Throws Error.
  explicit Rig(const RigOptions& options);

  /// One worker, closed load, no warm-up, on the worker's CPU.
  EpisodeConfig config(const Workload& workload, std::uint64_t seed) const;
  /// Runs one episode. Throws Error unless it ended well and broke nothing.
  EpisodeResult run(std::string_view protocol, const EpisodeConfig& config) const;

  Region& region() const { return *region_; }
  /// Null where there is none; no_peer_reason() says why.
  Peer* peer() const { return peer_.get(); }
  const std::string& no_peer_reason() const { return no_peer_reason_; }
  int cpu() const { return cpu_; }
  const RigOptions& options() const { return options_; }
  std::string facts() const;  ///< one line: CPUs, region, peer

  static constexpr unsigned kFilePages = 64;
  static constexpr unsigned kMaxDepth = 8;

 private:
  void open_peer();

  RigOptions options_;
  int cpu_ = 0;
  int node_ = -1;
  std::unique_ptr<Region> region_;
  std::unique_ptr<Peer> peer_;
  std::string no_peer_reason_;
};

/// Throws Error if there is no such preset.
const Workload& workload_named(std::string_view name);

}  // namespace daxrace::overhead
