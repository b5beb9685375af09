#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace daxrace {

/// What a .run.json tells of one violation or hang.
struct ViolationRecord {
  std::string configuration;
  std::string heading;  ///< detector, hazard and what happened
  std::string repetition;
  std::string seed;
  std::vector<std::string> timeline;
};

/// One run as its .run.json tells it.
struct RunRecord {
  std::string run_id;
  std::string time_utc;
  std::string outcome;
  std::vector<std::string> command_line;
  std::vector<std::pair<std::string, std::string>> build;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, std::string>> mitigations;
  std::vector<ViolationRecord> violations;
  std::vector<ViolationRecord> hangs;
  std::uint64_t violations_not_shown = 0;
};

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
