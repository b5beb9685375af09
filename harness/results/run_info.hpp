#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

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

/// The machine's emulation from what /proc/cpuinfo and CPUID leaf 0x40000000 say: tcg, kvm, vm, or empty.
std::string hypervisor_of(std::string_view cpuinfo, std::string_view cpuid_signature);
/// The debug options of RunInfo::kernel_debug that are on in a kernel configuration.
std::string debug_options_of(std::string_view kernel_config);

}  // namespace daxrace
