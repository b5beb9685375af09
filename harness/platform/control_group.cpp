#include "harness/platform/control_group.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "harness/platform/mount_info.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;

/// The directories of one hierarchy that this process is in, its own first.
struct GroupPath {
  bool version_2 = false;
  fs::path top;
  std::vector<fs::path> directories;
};

/// `max`, which is not a number, stands for no limit.
std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> value_in(const fs::path& file, std::string_view name) {
  std::ifstream in(file);
  std::string key;
  std::uint64_t value = 0;
  while (in >> key >> value)
    if (key == name) return value;
  return std::nullopt;
}

/// Of a line of /proc/self/cgroup, `4:memory:/a/b` or `0::/a/b`, the path, if the line is of that controller
/// (version 1) or of the one hierarchy of version 2.
std::optional<std::string> path_of(const std::string& line, const std::string& controller) {
  const std::size_t first = line.find(':');
  const std::size_t second = line.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return std::nullopt;
  const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
  const bool fits = controller.empty() ? controllers == ",,"
                                       : controllers.find("," + controller + ",") != std::string::npos;
  return fits ? std::optional(line.substr(second + 1)) : std::nullopt;
}

std::string own_path(const fs::path& root, const std::string& controller) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    if (const auto path = path_of(line, controller)) return *path;
  return "";
}

/// Where the hierarchy of a controller is mounted; that of version 2 if `controller` is empty.
std::string mount_point(const fs::path& root, const std::string& controller) {
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const auto mount = parse_mount(line);
    if (!mount || mount->fs != (controller.empty() ? "cgroup2" : "cgroup")) continue;
    if (controller.empty() || ("," + mount->options + ",").find("," + controller + ",") != std::string::npos)
      return mount->point;
  }
  return "";
}

/// A group that is not to be seen from here, as in a container, has its own files at the mount point.
GroupPath groups_of(const fs::path& root, const std::string& controller) {
  GroupPath out;
  for (const std::string& hierarchy : {controller, std::string()}) {
    const std::string point = mount_point(root, hierarchy);
    const std::string path = own_path(root, hierarchy);
    if (point.empty() || path.empty()) continue;
    out.version_2 = hierarchy.empty();
    out.top = root / fs::path(point).relative_path();
    std::error_code ignored;
    for (fs::path at = fs::path(path).relative_path(); !at.empty(); at = at.parent_path())
      if (fs::is_directory(out.top / at, ignored)) out.directories.push_back(out.top / at);
    out.directories.push_back(out.top);
    return out;
  }
  return out;
}

std::string name_of(const GroupPath& groups, const fs::path& directory) {
  const std::string name = directory.lexically_relative(groups.top).string();
  return name == "." ? "/" : "/" + name;
}

/// The page cache that the kernel drops before it kills.
std::optional<std::uint64_t> memory_left(const fs::path& group, bool version_2) {
  const auto limit = number_in(group / (version_2 ? "memory.max" : "memory.limit_in_bytes"));
  const auto used = number_in(group / (version_2 ? "memory.current" : "memory.usage_in_bytes"));
  // Version 1 says "no limit" by a number near 2^63.
  if (!limit || *limit > std::uint64_t{1} << 60) return std::nullopt;
  const auto cache = value_in(group / "memory.stat", version_2 ? "inactive_file" : "total_inactive_file");
  const std::uint64_t held = used.value_or(0) - std::min(used.value_or(0), cache.value_or(0));
  return *limit - std::min(*limit, held);
}

std::optional<double> cpu_quota(const fs::path& group, bool version_2) {
  if (version_2) {
    std::ifstream in(group / "cpu.max");
    double quota = 0;
    double period = 0;
    return in >> quota >> period && period > 0 ? std::optional(quota / period) : std::nullopt;
  }
  const auto quota = number_in(group / "cpu.cfs_quota_us");  // -1: none
  const auto period = number_in(group / "cpu.cfs_period_us");
  if (!quota || *quota > std::uint64_t{1} << 60 || period.value_or(0) == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

fs::path base_of(const std::string& root) { return root.empty() ? "/" : root; }

}  // namespace

GroupLimits group_limits(const std::string& root) {
  GroupLimits limits;
  const GroupPath memory = groups_of(base_of(root), "memory");
  for (const fs::path& group : memory.directories) {
    const auto left = memory_left(group, memory.version_2);
    if (!left || (limits.memory_left_bytes && *limits.memory_left_bytes <= *left)) continue;
    limits.memory_left_bytes = left;
    limits.memory_group = name_of(memory, group);
  }
  const GroupPath cpu = groups_of(base_of(root), "cpu");
  for (const fs::path& group : cpu.directories) {
    const auto quota = cpu_quota(group, cpu.version_2);
    if (!quota || (limits.cpus && *limits.cpus <= *quota)) continue;
    limits.cpus = quota;
    limits.cpu_group = name_of(cpu, group);
  }
  return limits;
}

std::uint64_t times_throttled(const std::string& root) {
  const GroupPath cpu = groups_of(base_of(root), "cpu");
  std::uint64_t sum = 0;
  for (const fs::path& group : cpu.directories)
    sum += value_in(group / "cpu.stat", "nr_throttled").value_or(0);
  return sum;
}

}  // namespace daxrace
