#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/cli/options.hpp"
#include "harness/engine/episode.hpp"
#include "harness/load/workload.hpp"

namespace daxrace {

/// A backing and what can be known of it without opening it for use.
struct BackingSource {
  BackingChoice choice;
  std::string fs;  ///< of file: and fsdax:, as far as it can be told
  std::size_t natural_frame_bytes = 4096;
};

/// One cell of the matrix: everything that its episodes share.
struct Configuration {
  Target target = Target::engine;
  std::string directory;  ///< kernel: where its files are made
  const Workload* workload = nullptr;
  const ProtocolEntry* protocol = nullptr;
  BackingSource source;
  Placement placement = Placement::local;
  unsigned threads = 1;
  std::size_t frame_bytes = 4096;
  std::size_t entry_bytes = 4096;
  RefcountRegime refcount = RefcountRegime::ref1;
  std::string lock = "rwsem";
  Load load = Load::paced;
  double rate_scale = 1.0;
  bool oracle = true;
  bool perturb = false;
  Discard discard = Discard::zap;
  unsigned file_pages = 64;
  unsigned queue_depth = 1;

  unsigned repetitions = 1;
  std::uint64_t warmup_ns = 0;
  std::uint64_t measure_ns = 0;

  /// Intended starts per second of the whole mix; 0 under closed load.
  double offered_per_s() const;
};

/// `workload/protocol/backing/placement/threads:N`, and behind it those key fields that differ from their
/// default, in the order of the key.
std::string canonical_name(const Configuration& config);

/// What can be told of a backing from the file system and sysfs, without touching it.
BackingSource probe_backing(const BackingChoice& choice);

/// The cross product of what was asked for, or the quick matrix. `cpus`: how many this process may use.
/// Throws Error where an axis makes no sense with another and where two configurations would have the same
/// name.
std::vector<Configuration> build_matrix(const RunOptions& options, std::size_t cpus);

/// Those whose canonical name `regex` matches (all if it is empty). Throws Error: malformed, or no match.
std::vector<Configuration> filter_matrix(const std::vector<Configuration>& all, const std::string& regex);

/// The one line for a filter that matched nothing.
std::string no_match(const std::string& option, const std::string& regex);

}  // namespace daxrace
