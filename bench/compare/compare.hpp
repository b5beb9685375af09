#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/cli/option_table.hpp"
#include "bench/cli/output_format.hpp"
#include "harness/base/error.hpp"
#include "harness/results/comparison.hpp"
#include "harness/results/run_facts.hpp"

namespace daxrace {

using CompareFormat = OutputFormat;

/// What `daxrace compare` was asked for.
struct CompareOptions {
  std::vector<std::string> operands;  ///< files, directories, patterns without an option before them
  std::vector<std::string> base;
  std::vector<std::string> changed;
  std::string by;                      ///< empty: git_commit, or kernel if that is what differs
  std::vector<std::string> by_values;  ///< base and new; empty: the files tell the sides apart
  ComparisonOptions statistics;
  std::vector<std::string> allow_different;
  bool strict = false;
  bool tables = false;  ///< what can be decided, and every row; else one screen
  bool mail = false;    ///< 72 columns
  CompareFormat format = CompareFormat::text;
};

/// What --by takes.
const std::vector<std::string>& by_columns();

/// The option table of `daxrace compare`; its rows write into `options`, which must outlive it.
OptionTable compare_option_table(CompareOptions& options);

/// One side of a comparison.
struct CompareSide {
  std::string name;  ///< file, number of files, or value of the column
  ResultSet rows;
  RunFacts facts;
};

/// Two sides that may be compared, and what came out.
struct CompareResult {
  std::string by;
  CompareSide base;
  CompareSide changed;
  std::vector<FactDifference> differences;
  std::vector<std::string> warnings;
  ComparisonReport report;
};

/// Reads both sides and compares them. Throws Error: a file is missing or damaged, the sides may not be
/// compared.
CompareResult compare_files(const CompareOptions& options);

/// Whether the sides are things of two kinds, such as protocols: one of them is slower then, and nothing is
/// worse than it was.
bool compares_kinds(const CompareResult& result);

/// 1 if a promise is broken, something hangs, failed, vanished or got slower (of two kinds: is broken, hangs
/// or failed); under `strict` also if anything is undecided, or nothing was compared.
Exit compare_exit(const CompareResult& result, bool strict);

/// Prints the comparison.
Exit print_compare(const CompareOptions& options, const std::vector<std::string>& command_line);

}  // namespace daxrace
