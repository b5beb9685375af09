#include "bench/run/foresee.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench/run/machine.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

std::string why_no_directory(const std::string& path, int access_mode) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  if (!S_ISDIR(facts.st_mode)) return fmt::format("{}: is not a directory", path);
  if (access(path.c_str(), access_mode) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  return "";
}

/// What the block layer says; file systems without a block device, such as virtiofs, say nothing here.
bool device_has_no_dax(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0 || major(facts.st_dev) == 0) return false;
  const std::string device = fmt::format("/sys/dev/block/{}:{}", major(facts.st_dev), minor(facts.st_dev));
  for (const char* const queue : {"/queue/dax", "/../queue/dax"}) {
    std::ifstream file(device + queue);
    if (int dax = 1; file >> dax) return dax == 0;
  }
  return false;
}

std::string why_no_fsdax_at(const Configuration& config) {
  const std::string& path = config.source.choice.path;
  if (std::string why = why_no_directory(path, R_OK | W_OK | X_OK); !why.empty()) return why;
  if (config.source.fs == "tmpfs" || config.source.fs == "overlay" || device_has_no_dax(path))
    return fmt::format("{}: {} here has no DAX", path, config.source.fs);
  return "";
}

std::string why_no_devdax(const std::string& path, bool destroy_data) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  const auto known = std::filesystem::path("/sys/bus/dax/devices") / std::filesystem::path(path).filename();
  std::error_code failed;
  if (!S_ISCHR(facts.st_mode) || !std::filesystem::exists(known, failed))
    return fmt::format("{}: is not a devdax device", path);
  if (access(path.c_str(), R_OK | W_OK) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  return destroy_data ? "" : fmt::format("{}: needs --destroy-data", path);
}

std::string why_no_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) return fmt::format("{}: is a directory", path);
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return why_no_directory(parent.empty() ? "." : parent, W_OK | X_OK);
}

std::string why_no_backing(const Configuration& config, const RunOptions& options) {
  if (config.target == Target::kernel) return why_no_directory(config.directory, R_OK | W_OK | X_OK);
  const std::string& path = config.source.choice.path;
  switch (config.source.choice.kind) {
    case Backing::memory:
      return memory_shortage(bytes_needed(config));
    case Backing::file:
      return why_no_file(path);
    case Backing::fsdax:
      return why_no_fsdax_at(config);
    case Backing::devdax:
      return why_no_devdax(path, options.destroy_data);
  }
  return "";
}

}  // namespace

std::string obstacle_to(const Configuration& config, const Topology& topology, const RunOptions& options) {
  if (const std::string why = why_no_backing(config, options); !why.empty())
    return fmt::format("refused: {}", why);
  if (config.placement != Placement::none)
    if (const std::string why = affinity_refusal(); !why.empty()) return fmt::format("skipped: {}", why);
  try {
    // Where the region's node is not known before it is opened, that of the first CPU stands for it: whether
    // the machine has the placement at all does not depend on it.
    const int cpu = options.cpus.empty() ? topology.cpus().front() : options.cpus.front();
    (void)topology.plan(config.placement, config.threads, topology.node_of_cpu(cpu), options.cpus);
  } catch (const Skipped& skipped) {
    return fmt::format("skipped: {}", skipped.what());
  }
  return "";
}

}  // namespace daxrace
