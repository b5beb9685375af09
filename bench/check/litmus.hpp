#pragma once

#include <string>
#include <vector>

#include "bench/cli/option_table.hpp"
#include "bench/cli/output_format.hpp"
#include "bench/cli/target.hpp"
#include "bench/cli/terminal.hpp"
#include "harness/base/error.hpp"

namespace daxrace {

using LitmusFormat = OutputFormat;

/// What `daxrace litmus` was asked for. Empty lists: all.
struct LitmusOptions {
  std::vector<std::string> protocols;
  std::vector<std::string> releases;
  std::vector<std::string> operations;
  std::vector<std::string> accesses;
  std::vector<std::string> refcounts;
  Target target = Target::engine;
  std::string dir;                   ///< kernel: where the files are made
  std::vector<std::string> allowed;  ///< kernel: what may be done to the whole file system
  LitmusFormat format = LitmusFormat::text;
  bool explain = false;
  bool versus_engine = false;            ///< kernel: which of the engine's protocols does the same
  std::vector<std::string> reproducers;  ///< kernel: programs to write, instead of deciding anything
  std::string into = ".";                ///< where they go
  std::uint64_t hang_bound_ns = 0;       ///< kernel: 0 is the default
  std::uint64_t time_bound_ns = 0;       ///< kernel: of a table; 0 is the default
  unsigned repeat = 1;
  unsigned threads = 0;          ///< 0: one for each CPU
  bool require_decided = false;  ///< a cell that is not decided is not good enough
  ColorWhen color = ColorWhen::automatic;
  bool require_dax = false;  ///< kernel: nor are files that are not on DAX
};

/// The option table of `daxrace litmus`; its rows write into `options`, which must outlive it.
OptionTable litmus_option_table(LitmusOptions& options);

/// What the verb prints, and how it ends. Throws Error for words that name nothing.
struct LitmusReport {
  std::string text;
  Exit code = Exit::ok;
  std::string unmet = {};  ///< why the code is Exit::skipped, as one line
};
LitmusReport litmus_report(const LitmusOptions& options, bool colour);

/// Prints the report; with --repeat checks that every repetition gives the same bytes.
Exit print_litmus(const LitmusOptions& options);

}  // namespace daxrace
