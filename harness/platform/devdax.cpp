#include "harness/platform/devdax.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;

bool is_of(const fs::path& device, const char* subsystem) {
  std::error_code none;
  return fs::read_symlink(device / "subsystem", none).filename() == subsystem;
}

/// A namespace, or its region, is among the devices above it.
bool has_namespace(const fs::path& device) {
  for (fs::path above = device; above != above.root_path(); above = above.parent_path())
    if (is_of(above, "nd")) return true;
  return false;
}

std::uint64_t number_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  if (in >> number && number != 0) return number;
  throw Error(fmt::format("{}: does not say what libpmem2 cannot be asked of this device", file.string()));
}

}  // namespace

std::optional<DevdaxFacts> devdax_without_namespace(dev_t device, const std::string& root) {
  std::error_code absent;
  const fs::path path =
      fs::canonical(fmt::format("{}/sys/dev/char/{}:{}", root, major(device), minor(device)), absent);
  if (absent || !is_of(path, "dax") || has_namespace(path)) return std::nullopt;
  return DevdaxFacts{.bytes = number_in(path / "size"),
                     .alignment = static_cast<std::size_t>(number_in(path / "align"))};
}

}  // namespace daxrace
