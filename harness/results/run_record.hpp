#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daxrace {

/// `results/x.csv` -> `results/x.run.json`.
std::string run_json_path(const std::string& csv_path);

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
  std::vector<std::pair<std::string, std::string>> options;  ///< every one that was given
  /// Of its rows; empty where the report is older than this list.
  std::vector<std::string> protocols;
  std::vector<std::pair<std::string, std::string>> build;
  std::vector<std::pair<std::string, std::string>> environment;  ///< mitigations among them, as one text
  std::vector<std::pair<std::string, std::string>> mitigations;
  std::vector<ViolationRecord> violations;
  std::vector<ViolationRecord> hangs;
  std::uint64_t violations_not_shown = 0;
};

/// The runs that the .run.json beside a CSV tells of; nothing if it is not there. Throws Error if it is no
/// such report. What a report of another version lacks is empty.
std::optional<std::vector<RunRecord>> read_run_json(const std::string& csv_path);

}  // namespace daxrace
