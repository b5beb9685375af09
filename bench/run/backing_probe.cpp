#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bench/run/matrix.hpp"
#include "harness/platform/mount_info.hpp"

namespace daxrace {
namespace {

/// The file system that a directory lies on. What cannot be told stays at its default: opening the region
/// will say what is wrong with the path.
void probe_directory(BackingSource& source, const std::filesystem::path& directory) {
  const int fd = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  if (const auto mount = mount_of(fd)) source.fs = mount->fs;
  struct statvfs info {};
  if (fstatvfs(fd, &info) == 0 && info.f_bsize > 0) source.natural_frame_bytes = info.f_bsize;
  close(fd);
}

void probe_devdax(BackingSource& source) {
  const auto name = std::filesystem::path(source.choice.path).filename();
  std::ifstream file("/sys/bus/dax/devices" / name / "align");
  std::size_t align = 0;
  if (file >> align && align > 0) source.natural_frame_bytes = align;
}

}  // namespace

BackingSource probe_backing(const BackingChoice& choice) {
  BackingSource source{.choice = choice, .fs = {}};
  switch (choice.kind) {
    case Backing::memory:
      break;
    case Backing::file:
      probe_directory(source, std::filesystem::path(choice.path).parent_path());
      break;
    case Backing::fsdax:
      probe_directory(source, choice.path);
      break;
    case Backing::devdax:
      probe_devdax(source);
      break;
  }
  return source;
}

}  // namespace daxrace
