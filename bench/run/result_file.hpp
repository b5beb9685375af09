#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/cli/options.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/recorded_run.hpp"
#include "harness/results/run_json.hpp"

namespace daxrace {

/// Where the rows go: --out, --resume, or a new file named after time and host, in results/local when the
/// current directory is the project's root, else in the current directory.
std::string result_path(const RunOptions& options, const RunInfo& info);

/// What an interrupted run has left. Episodes are known by the key of their row `all` and their repetition.
class Finished {
 public:
  Finished() = default;
  /// Of the rows of a result file: an episode is finished if its row `all` is there, and was not skipped.
  explicit Finished(const std::vector<Row>& rows);
  bool has(const Row& configuration, unsigned repetition) const;
  std::size_t size() const { return episodes_.size(); }

  /// Whether a row belongs to a finished episode.
  bool covers(const Row& row) const;

 private:
  std::set<std::pair<std::string, std::uint64_t>> episodes_;
};

/// Reads the file of --resume and rewrites it without the rows of `run`'s unfinished episodes and skipped
/// configurations, which are tried again; what stays of it bears its run_id and time. Returns those rows.
/// Rows of other runs stay as they are. Throws Error, and leaves the file as it is then.
std::vector<Row> prepare_resume(const std::string& path, const std::string& host, const RecordedRun& run);

/// The CSV and the run report beside it, and its rows in memory for the table.
class ResultFile {
 public:
  ResultFile(const std::string& path, OpenMode mode, const RunInfo& info);

  /// Throws Error if they cannot all be written.
  void add(const std::vector<Row>& rows);
  /// Rows that are in the file already and belong to this run's table (--resume).
  void keep(const std::vector<Row>& rows);
  RunReport& report() { return report_; }
  const std::vector<Row>& rows() const { return rows_; }
  const std::string& path() const { return writer_.path(); }
  /// Takes back what it has written beside a CSV that got no row.
  void withdraw_report() { report_.withdraw(); }
  bool cut_partial_line() const { return writer_.cut_partial_line(); }

 private:
  CsvWriter writer_;
  RunReport report_;
  std::vector<Row> rows_;
};

}  // namespace daxrace
