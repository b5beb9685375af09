#include "bench/run/foresee.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/device_guard.hpp"
#include "harness/platform/io_ring.hpp"

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

bool is_ours(const std::string& path) {
  LabelPage start{};
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(start.data()), static_cast<std::streamsize>(start.size()));
  return file && is_label(start);
}

/// A file of our own at `path`, be it there already or not.
std::string why_no_file(const std::string& path) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) == 0) {
    if (S_ISDIR(facts.st_mode)) return fmt::format("{}: is a directory", path);
    if (!S_ISREG(facts.st_mode)) return fmt::format("{}: is not a regular file", path);
    return is_ours(path) ? "" : fmt::format("{}: is there already and is not a file of daxrace", path);
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return why_no_directory(parent.empty() ? "." : parent, W_OK | X_OK);
}

/// `held_bytes`: what the memory regions before it take.
std::string why_no_region(const Configuration& config, std::size_t bytes, std::size_t held_bytes,
                          const RunOptions& options) {
  if (config.target == Target::kernel) return why_no_directory(config.directory, R_OK | W_OK | X_OK);
  const std::string& path = config.source.choice.path;
  switch (config.source.choice.kind) {
    case Backing::memory:
      return memory_shortage(bytes, held_bytes);
    case Backing::file:
      return why_no_file(path);
    case Backing::fsdax:
      return why_no_fsdax_at(config);
    case Backing::devdax:
      return why_no_devdax(path, options.destroy_data);
  }
  return "";
}

std::string refused(const std::string& why) { return why.empty() ? "" : fmt::format("refused: {}", why); }
std::string skipped(const std::string& why) { return why.empty() ? "" : fmt::format("skipped: {}", why); }

/// A ring that is made and closed again takes microseconds.
std::string why_no_io_uring() {
  std::array<std::byte, 120> parameters{};  // struct io_uring_params, whose header not every machine has
  const long ring = syscall(SYS_io_uring_setup, 2, parameters.data());
  if (ring < 0) return io_uring_refusal(errno);
  close(static_cast<int>(ring));
  return "";
}

/// How fast it completes is not known before it is opened.
std::string peer_obstacle(const RunOptions& options) {
  const std::string& path = options.peer_file;
  struct stat facts {};
  if (const bool is_disk = stat(path.c_str(), &facts) == 0 && S_ISBLK(facts.st_mode); is_disk) {
    if (!options.destroy_data) return refused(fmt::format("{}: needs --destroy-data", path));
  } else if (!path.empty()) {
    if (const std::string why = why_no_file(path); !why.empty()) return refused(why);
  }
  return skipped(why_no_io_uring());
}

}  // namespace

Foresight::Foresight(const std::vector<Configuration>& matrix, const Topology& topology,
                     const RunOptions& options) {
  look_at_regions(matrix, options);
  look_at_places(matrix, topology, options);
  const auto needs_peer = [](const Configuration& config) { return config.workload->needs_peer(); };
  if (std::ranges::any_of(matrix, needs_peer)) peer_ = peer_obstacle(options);
}

void Foresight::look_at_regions(const std::vector<Configuration>& matrix, const RunOptions& options) {
  std::map<RegionKey, const Configuration*> first;
  for (const Configuration& config : matrix) first.emplace(region_key(config), &config);
  std::size_t held_bytes = 0;
  for (const auto& [key, bytes] : region_bytes(matrix)) {
    const Configuration& config = *first.at(key);
    regions_[key] = refused(why_no_region(config, bytes, held_bytes, options));
    if (config.source.choice.kind == Backing::memory) held_bytes += bytes;
  }
}

void Foresight::look_at_places(const std::vector<Configuration>& matrix, const Topology& topology,
                               const RunOptions& options) {
  // Where a region's node is not known before it is opened, that of the first CPU stands for it: whether the
  // machine has the placement at all does not depend on it.
  const int node =
      topology.node_of_cpu(options.cpus.empty() ? topology.cpus().front() : options.cpus.front());
  for (const Configuration& config : matrix) {
    const auto [place, is_new] = places_.try_emplace({config.placement, config.threads});
    if (!is_new) continue;
    if (config.placement != Placement::none) place->second = skipped(affinity_refusal());
    if (!place->second.empty()) continue;
    try {
      (void)topology.plan(config.placement, config.threads, node, options.cpus);
    } catch (const Skipped& why) {
      place->second = skipped(why.what());
    }
  }
}

std::string Foresight::obstacle_to(const Configuration& config) const {
  if (const std::string& region = regions_.at(region_key(config)); !region.empty()) return region;
  if (config.workload->needs_peer() && !peer_.empty()) return peer_;
  return places_.at({config.placement, config.threads});
}

}  // namespace daxrace
