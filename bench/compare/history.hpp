#pragma once

#include <string>
#include <vector>

#include "bench/cli/option_table.hpp"
#include "bench/compare/compare.hpp"
#include "harness/base/error.hpp"
#include "harness/results/change_points.hpp"

namespace daxrace {

/// What `daxrace history` was asked for.
struct HistoryOptions {
  std::vector<std::string> operands;
  Metric metric = Metric::p50;
  double threshold = 0.05;
  double level = 0.05;  ///< of any false change point in the rows of one path
  std::uint64_t seed = 1;
  bool allow_other_machines = false;
  bool tables = false;  ///< every row; else one screen
  bool mail = false;
  CompareFormat format = CompareFormat::text;
};

/// The option table of `daxrace history`; its rows write into `options`, which must outlive it.
OptionTable history_option_table(HistoryOptions& options);

/// One path of one configuration over all runs.
struct HistorySeries {
  std::uint32_t config = 0;
  std::string_view path;
  std::vector<std::uint32_t> runs;  ///< indices into ResultSet::runs, oldest first
  std::vector<double> values;       ///< one for each run
  double level = 0.05;              ///< after the correction for the rows of the path
  std::size_t needed = 0;           ///< runs with which a change in their middle can be found
  std::vector<ChangePoint> points;  ///< beyond the threshold

  bool undecided() const { return values.size() < needed && points.empty(); }
};

struct HistoryResult {
  ResultSet rows;
  RunFacts facts;
  std::vector<std::string> warnings;
  std::vector<HistorySeries> series;
  std::vector<std::uint32_t> bad_runs;  ///< with a broken promise, a hang or an error
};

/// Reads all files and looks for changes. Throws Error: a file is missing or damaged, or of another machine.
HistoryResult history_of(const HistoryOptions& options);

/// Prints it. Exit::broken if a promise was broken, or something hung or failed, in the latest run.
Exit print_history(const HistoryOptions& options);

}  // namespace daxrace
