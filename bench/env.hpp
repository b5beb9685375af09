#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/cli/output_format.hpp"
#include "bench/run/pmem_scan.hpp"
#include "harness/base/error.hpp"
#include "harness/platform/control_group.hpp"
#include "harness/platform/placement.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {

/// How fit the machine is in one respect.
enum class Fitness : std::uint8_t {
  ok,
  note,    ///< it runs, but mind this
  missing  ///< something that daxrace can do cannot be done here
};

struct EnvLine {
  Fitness fitness = Fitness::ok;
  std::string topic;
  std::string finding;
  std::string mend;         ///< a command or an instruction; empty where nothing is to be done
  std::string effect = {};  ///< what this does to results
};

/// What keeps this process from using the machine as it is.
struct Restrictions {
  std::string binding_error;     ///< of mbind; empty: memory can be bound to nodes
  std::string affinity_refusal;  ///< empty: threads can be bound to CPUs
  GroupLimits groups;
  std::string isolated_cpus;
  std::vector<std::string> cpu_kinds;  ///< the CPUs of each kind, the slowest first; empty: not known
};

/// What is known of the machine: gathered once, judged line by line.
struct EnvFacts {
  RunInfo info;
  std::size_t cpus = 0;
  std::size_t nodes = 0;
  std::string topology;
  std::string peer;          ///< where the default peer lies
  double peer_async = 0;     ///< share of its reads that complete after submit
  std::string peer_problem;  ///< why there is none; empty if there is one
  std::vector<DaxDevice> dax_devices;
  std::vector<PmemNamespace> namespaces;
  std::vector<Mount> dax_mounts;
  std::vector<std::string> unreachable;  ///< devices that may not be opened
  std::uint64_t available_bytes = 0;
  bool is_root = false;
  Restrictions restrictions;
};

/// `root` stands before /proc, /sys and /dev in tests; CPUs, nodes and the peer are those of this machine.
EnvFacts gather_env(const std::string& root = "");
std::vector<EnvLine> judge_env(const EnvFacts& facts);

/// `daxrace env`.
Exit print_env(OutputFormat format);

}  // namespace daxrace
