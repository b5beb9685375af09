#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/engine/episode.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/run_info.hpp"
#include "harness/results/run_record.hpp"

namespace daxrace {

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
  /// The protocols of its rows. A run that is gone on with keeps what its entry says.
  void set_protocols(const std::vector<std::string>& names);
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

}  // namespace daxrace
