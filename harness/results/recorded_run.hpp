#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace daxrace {

/// The last run of a result file, as the .run.json beside it has it.
struct RecordedRun {
  std::string run_id, time_utc, git_commit, host, cpu, kernel, emulated;
  std::vector<std::pair<std::string, std::string>> options;  ///< every one that was given, as text
  /// The other runs of the file. Rows of none of them are this run's: once, a run that was gone on with was
  /// recorded as several, and one that was killed early not at all.
  std::set<std::string> others;

  bool owns(const std::string& row_run_id) const { return !others.contains(row_run_id); }
};

/// Nothing where no report lies beside the CSV or it holds no run. Throws Error for what is no report.
std::optional<RecordedRun> last_recorded_run(const std::string& csv_path);

}  // namespace daxrace
