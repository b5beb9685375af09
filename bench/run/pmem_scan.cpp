#include "bench/run/pmem_scan.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "harness/base/split.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;

std::string first_word(const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  in >> word;
  return word;
}

template <class Number>
Number number_in(const fs::path& file, Number fallback) {
  std::ifstream in(file);
  Number value{};
  return in >> value ? value : fallback;
}

std::string link_name(const fs::path& link) {
  std::error_code failed;
  const fs::path target = fs::read_symlink(link, failed);
  return failed ? "" : target.filename().string();
}

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::error_code failed;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(directory, failed)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

/// The block device of a namespace lies under it, or under the pfn device that claims it.
std::string block_device_of(const fs::path& device) {
  const auto found = entries_of(device / "block");
  return found.empty() ? "" : found.front().filename().string();
}

bool has_option(const std::string& options, const std::string& wanted) {
  return std::ranges::count(split_at(',', options), wanted) != 0;
}

}  // namespace

std::vector<DaxDevice> scan_dax_devices(const std::string& root) {
  std::vector<DaxDevice> devices;
  for (const fs::path& path : entries_of(root + "/sys/bus/dax/devices"))
    devices.push_back({.name = path.filename().string(),
                       .driver = link_name(path / "driver"),
                       .bytes = number_in<std::uint64_t>(path / "size", 0),
                       .align = number_in<std::uint64_t>(path / "align", 0),
                       .node = number_in<int>(path / "numa_node", -1)});
  return devices;
}

std::vector<PmemNamespace> scan_namespaces(const std::string& root) {
  const fs::path devices = root + "/sys/bus/nd/devices";
  std::vector<PmemNamespace> namespaces;
  for (const fs::path& path : entries_of(devices)) {
    const std::string name = path.filename().string();
    const auto bytes = number_in<std::uint64_t>(path / "size", 0);
    if (!name.starts_with("namespace") || bytes == 0) continue;
    const std::string holder = first_word(path / "holder");
    const fs::path claimed = holder.empty() ? path : devices / holder;
    const std::string mode = first_word(path / "mode");
    namespaces.push_back({.name = name,
                          .mode = mode == "memory" ? "fsdax"
                                  : mode == "dax"  ? "devdax"
                                                   : mode,
                          .block_device = block_device_of(claimed),
                          .bytes = bytes,
                          .node = number_in<int>(path / "numa_node", -1)});
  }
  return namespaces;
}

std::vector<Mount> scan_dax_mounts(const std::string& root) {
  std::ifstream in(root + "/proc/self/mountinfo");
  std::vector<Mount> mounts;
  for (std::string line; std::getline(in, line);) {
    const auto mount = parse_mount(line);
    if (mount && (has_option(mount->options, "dax") || has_option(mount->options, "dax=always")))
      mounts.push_back(*mount);
  }
  return mounts;
}

std::string namespaces_text(const std::vector<PmemNamespace>& namespaces) {
  std::vector<std::string> texts;
  for (const PmemNamespace& one : namespaces)
    texts.push_back(fmt::format("{} {} {} MiB node {}{}", one.name, one.mode, one.bytes >> 20, one.node,
                                one.block_device.empty() ? "" : " /dev/" + one.block_device));
  return texts.empty() ? "none" : join(texts, "; ");
}

std::string dax_mounts_text(const std::vector<Mount>& mounts) {
  std::vector<std::string> texts;
  for (const Mount& mount : mounts)
    texts.push_back(fmt::format("{} ({} on {})", mount.point, mount.fs, mount.source));
  return texts.empty() ? "none" : join(texts);
}

}  // namespace daxrace
