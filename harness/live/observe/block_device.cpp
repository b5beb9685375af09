#include "harness/live/observe/block_device.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace daxrace::kernel {
namespace {

namespace fs = std::filesystem;

/// A partition has no such files of its own; the disk is the directory above it.
std::optional<bool> flag_of(const fs::path& device, const char* leaf) {
  for (const fs::path& disk : {device, device / ".."}) {
    std::ifstream file(disk / leaf);
    if (int value = 0; file >> value) return value != 0;
  }
  return std::nullopt;
}

/// A mapped device writes caches back if one of those under it does.
std::optional<bool> write_cache_of(const fs::path& device) {
  if (const auto own = flag_of(device, "dax/write_cache")) return own;
  std::optional<bool> any;
  std::error_code none;
  for (const auto& slave : fs::directory_iterator(device / "slaves", none))
    if (const auto below = write_cache_of(slave.path())) any = any.value_or(false) || *below;
  return any;
}

}  // namespace

BlockDevice block_device(unsigned major, unsigned minor, const std::string& root) {
  const fs::path device = fmt::format("{}/sys/dev/block/{}:{}", root, major, minor);
  return {.dax = flag_of(device, "queue/dax").value_or(false), .write_cache = write_cache_of(device)};
}

}  // namespace daxrace::kernel
