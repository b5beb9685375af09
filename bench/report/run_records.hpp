#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/results/run_json.hpp"

namespace daxrace {

struct RunRecords {
  std::vector<RunRecord> runs;
  std::vector<std::string> remarks;  ///< reports that are not there, or runs that they do not know
};

/// The runs with those ids from the .run.json beside a CSV. A report that is missing is a remark; one that is
/// there and cannot be understood throws Error.
void read_run_records(const std::string& csv_path, const std::set<std::string>& run_ids, RunRecords& records);

/// A command line as it may be pasted into a shell.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace daxrace
