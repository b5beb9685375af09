#include "harness/live/staging/extents.hpp"

#include <cstring>

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::size_t kExtents = 512;

void note(const fiemap_extent& extent, std::vector<std::optional<std::uint64_t>>& pages) {
  if ((extent.fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_DATA_INLINE)) != 0)
    return;
  for (std::uint64_t at = 0; at < extent.fe_length; at += kPageBytes) {
    const std::uint64_t page = (extent.fe_logical + at) / kPageBytes;
    if (page < pages.size()) pages[page] = extent.fe_physical + at;
  }
}

}  // namespace

std::vector<std::optional<std::uint64_t>> physical_pages(int fd, unsigned pages) {
  std::vector<std::optional<std::uint64_t>> physical(pages);
  std::vector<std::uint64_t> room(
      (sizeof(fiemap) + kExtents * sizeof(fiemap_extent)) / sizeof(std::uint64_t) + 1);
  auto* map = reinterpret_cast<fiemap*>(room.data());
  map->fm_length = std::uint64_t{pages} * kPageBytes;
  map->fm_flags = FIEMAP_FLAG_SYNC;
  map->fm_extent_count = kExtents;
  if (ioctl(fd, FS_IOC_FIEMAP, map) != 0) return physical;
  for (std::uint32_t i = 0; i < map->fm_mapped_extents; ++i) note(map->fm_extents[i], physical);
  return physical;
}

}  // namespace daxrace::kernel
