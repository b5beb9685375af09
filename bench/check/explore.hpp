#pragma once

#include <string>
#include <vector>

#include "bench/cli/option_table.hpp"
#include "bench/cli/output_format.hpp"
#include "bench/cli/terminal.hpp"
#include "harness/base/error.hpp"
#include "harness/explore/decide.hpp"

namespace daxrace {

/// What `daxrace explore` was asked for. Empty lists: all.
struct ExploreOptions {
  std::vector<std::string> protocols;
  std::vector<std::string> scenarios;
  std::vector<std::string> refcounts;
  explore::Limits limits;
  unsigned threads = 0;  ///< 0: as many as there are CPUs
  bool explain = false;
  std::string replay;
  std::uint64_t repeat = 0;  ///< executions of a replay that are timed
  OutputFormat format = OutputFormat::text;
  bool tables = false;  ///< every exploration, not their sum
  ColorWhen color = ColorWhen::automatic;
};

/// What --protocol and --scenario take, without the cells of the litmus table.
std::vector<std::string> explored_names();
std::vector<std::string> scenario_names();

/// The option table of `daxrace explore`; its rows write into `options`, which must outlive it.
OptionTable explore_option_table(ExploreOptions& options);

struct ExploreReport {
  std::string text;
  Exit code = Exit::ok;
};
/// Throws Error for words that name nothing and for paths that cannot be taken.
ExploreReport explore_report(const ExploreOptions& options);
/// One interleaving out of --replay.
ExploreReport replay_report(const ExploreOptions& options);

Exit print_explore(const ExploreOptions& options);

}  // namespace daxrace
