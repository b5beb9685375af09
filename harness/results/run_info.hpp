#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/episode.hpp"
#include "harness/results/csv.hpp"

namespace daxrace {

/// How this binary was built; the texts are made at build time, so that they are never older than the code.
struct BuildInfo {
  std::string_view version;
  std::string_view git_commit;  ///< short hash, with -dirty if the tree had uncommitted changes; or `unknown`
  std::string_view compiler;
  std::string_view flags;
  std::string_view build_type;
};
BuildInfo build_info();

/// The machine and the moment of a run. A text is empty where the machine has no such thing (no cpufreq in a
/// guest).
struct RunInfo {
  std::string run_id;  ///< time and random digits: unique, sorts by time
  std::string git_commit;
  std::string time_utc;  ///< 2018-07-26T22:09:01Z
  std::string
      resumed_utc;  ///< when --resume went on with it; run_id and time_utc are those of its begin then
  std::string host;
  std::string cpu;             ///< model name
  std::string kernel;          ///< uname -r
  std::string kernel_version;  ///< uname -v
  std::string
      kernel_parameters;  ///< boot parameters that change figures (memmap, mitigations, isolcpus, ...)
  std::string
      kernel_debug;  ///< debug options that cost time, as `KASAN+LOCKDEP`; `none`; `unknown`: no config found
  std::string governor;
  std::string turbo;  ///< on or off
  std::string smt;
  std::map<std::string, std::string> mitigations;  ///< by vulnerability
  std::string thp;
  std::string thp_defrag;
  std::string aslr;  ///< kernel.randomize_va_space: 0 off, 1 partly, 2 whole
  std::string
      userfaultfd;      ///< `anybody`, `device` (/dev/userfaultfd), `privileged`; empty: not in this kernel
  std::string tracefs;  ///< where it is mounted
  std::string scaling_driver;  ///< of cpufreq
  std::string idle_driver;     ///< of cpuidle
  std::string numa_balancing;
  std::string clocksource;  ///< of the kernel
  std::string clock;        ///< the clock that is read: tsc or clock_gettime
  double clock_read_cost_ns = 0;
  std::string loadavg;
  std::string io_uring_disabled;  ///< the sysctl; empty where the kernel does not have it
  std::string emulated;           ///< empty on real hardware; tcg, kvm, vm; +memmap for pmem made of DRAM
};

/// Reads it all from /proc, /sys and uname; runs nothing. Calibrates Clock. `root` stands before /proc, /sys,
/// /boot and /lib in tests.
RunInfo gather_run_info(const std::string& root = "");

/// Fills the columns run_id to emulated.
void set_run_columns(Row& row, const RunInfo& info);

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

/// The machine's emulation from what /proc/cpuinfo and CPUID leaf 0x40000000 say: tcg, kvm, vm, or empty.
std::string hypervisor_of(std::string_view cpuinfo, std::string_view cpuid_signature);
/// The debug options of RunInfo::kernel_debug that are on in a kernel configuration.
std::string debug_options_of(std::string_view kernel_config);

}  // namespace daxrace
