#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace daxrace {

/// What the control groups of this process, from its own up to the root, leave it. Version 2 and 1.
struct GroupLimits {
  std::optional<std::uint64_t> memory_left_bytes;  ///< the least, less what is in use and cannot be reclaimed
  std::string memory_group;                        ///< whose limit that is
  std::optional<double> cpus;                      ///< the least CPU quota, in CPUs
  std::string cpu_group;
};

/// `root` stands before /proc and /sys in tests. A machine without control groups limits nothing.
GroupLimits group_limits(const std::string& root = "");

/// How often a CPU quota has stopped this process and its group so far, all groups on the way up together.
std::uint64_t times_throttled(const std::string& root = "");

}  // namespace daxrace
