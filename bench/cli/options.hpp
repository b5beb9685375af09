#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cli/option_table.hpp"
#include "bench/cli/target.hpp"
#include "bench/cli/terminal.hpp"
#include "harness/base/types.hpp"
#include "harness/engine/episode.hpp"

namespace daxrace {

inline constexpr std::array<std::string_view, 2> kLockNames = {"rwsem", "pthread_rwlock"};

/// Ready-made matrices: one to look around in a minute, one with the rows and repetitions that a comparison
/// needs.
enum class Preset : std::uint8_t { quick, compare };
inline constexpr std::array<std::string_view, 2> kPresetNames = {"quick", "compare"};

/// Where frames come from, as asked for: `memory`, `file:PATH`, `fsdax:DIR`, `devdax:DEV`.
struct BackingChoice {
  Backing kind = Backing::memory;
  std::string path;  ///< empty for memory
  std::string text() const;
  friend bool operator==(const BackingChoice&, const BackingChoice&) = default;
};

/// What `daxrace run` was asked for. Empty lists and optionals: the default, which may depend on the
/// workload.
struct RunOptions {
  Target target = Target::engine;
  std::string dir;                     ///< kernel: directory of the file system under test
  std::vector<std::string> protocols;  ///< empty: all
  std::vector<std::string> workloads;  ///< empty: the preset
  Preset preset = Preset::quick;
  std::string filter;

  std::vector<unsigned> threads;
  std::vector<Placement> placements;
  std::vector<BackingChoice> backings;
  std::vector<std::size_t> frame_bytes;
  std::optional<std::size_t> entry_bytes;
  std::vector<RefcountRegime> refcounts;
  std::vector<std::string> locks;
  std::vector<Load> loads;
  std::vector<double> rates;
  std::vector<unsigned> queue_depths;
  std::vector<unsigned> file_pages;
  Discard discard = Discard::zap;
  std::optional<bool> oracle;
  bool perturb = false;
  std::optional<std::uint64_t> perturb_seed;

  std::optional<unsigned> repetitions;
  std::optional<std::uint64_t> duration_ns;
  std::optional<std::uint64_t> warmup_ns;
  std::optional<std::uint64_t> time_budget_ns;
  std::optional<double> until_width;     ///< --until=decided: share of a median that its interval may be wide
  std::vector<std::string> until_paths;  ///< empty: all
  std::uint64_t hang_bound_ns = 10'000'000'000;
  std::uint64_t seed = 1;

  std::vector<int> cpus;
  std::string peer_file;
  bool destroy_data = false;
  bool durable = false;

  std::string out;
  bool append = false;
  bool force = false;
  std::string resume;
  bool dry_run = false;
  bool table = true;
  bool tables = false;
  ColorWhen color = ColorWhen::automatic;
  bool quiet = false;
  std::string config;

  std::vector<std::string> benchmark_flags;  ///< `--benchmark_*`, as given
  std::vector<std::pair<std::string, std::string>>
      given;  ///< every option that was, from command line or file

  friend bool operator==(const RunOptions&, const RunOptions&) = default;
};

/// The option table of `daxrace run`; its rows write into `options`, which must outlive it.
OptionTable run_option_table(RunOptions& options);

/// Throws Error where options that are fine each do not go together.
void check_run_options(const RunOptions& options);

/// `memory`, `file:PATH`, `fsdax:DIR` or `devdax:DEV`. Throws Error.
BackingChoice parse_backing(std::string_view text);

/// Names of all protocols and of all workloads, in their own order.
std::vector<std::string> protocol_names();
std::vector<std::string> workload_names();

}  // namespace daxrace
