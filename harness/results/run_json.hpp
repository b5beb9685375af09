#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/engine/episode.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {

/// `results/x.csv` -> `results/x.run.json`.
std::string run_json_path(const std::string& csv_path);

/// The RUN.json beside a CSV: one entry per run that wrote to it, be it in one go or resumed. write() may be
/// called again and again as the run goes on; each call replaces the file whole, so that an interrupted run
/// leaves the last state.
class RunReport {
 public:
  /// append and create_new keep the entries that the file already has; replace drops them. An entry of the
  /// same run_id is gone on with. The caller is the only writer: entries that say `running` are of runs that
  /// were killed, and what those have left half written goes at the first write(). Throws Error if the file
  /// exists and is not such a report.
  RunReport(const std::string& csv_path, OpenMode mode, const RunInfo& info);
  ~RunReport();
  RunReport(const RunReport&) = delete;
  RunReport& operator=(const RunReport&) = delete;

  void set_command_line(const std::vector<std::string>& arguments);
  void set_option(const std::string& name, const std::string& value);
  /// A further fact of the environment, e.g. `durability` or `peer`.
  void set_environment(const std::string& name, const std::string& value);
  void set_topology(const std::string& summary);
  /// Of one episode, under its canonical name. Per name and detector the first few timelines are kept and the
  /// rest is counted.
  void add_violations(const std::string& configuration, std::uint64_t repetition, std::uint64_t seed,
                      const std::vector<Violation>& violations);
  void add_hang(const std::string& configuration, std::uint64_t repetition, std::uint64_t seed,
                const std::vector<std::string>& report);
  /// How the run ended: `running` until this is called; e.g. `ok`, `broken`, `interrupted`.
  void set_outcome(const std::string& outcome);

  /// Writes a temporary file and renames it over the report. Throws Error (disk full, no permission).
  void write();
  /// Takes this run out of the report again, and the report away if it was the first: for a run without a
  /// row.
  void withdraw();
  const std::string& path() const { return path_; }

 private:
  struct Impl;
  std::string path_;
  std::unique_ptr<Impl> impl_;
};

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
