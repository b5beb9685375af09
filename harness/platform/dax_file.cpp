#include "harness/platform/dax_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace daxrace {
namespace {

std::string not_mounted_so(const std::string& directory, const std::string& why) {
  return fmt::format("{} is not mounted with DAX ({}): mount -o dax=always PMEM-DEVICE {}", directory, why,
                     directory);
}

}  // namespace

bool has_dax_attribute(int fd) {
  struct statx info {};
  return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_DAX) != 0;
}

bool gives_sync_mapping(int fd) {
  const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
  if (at == MAP_FAILED) return false;
  munmap(at, bytes);
  return true;
}

std::string why_no_fsdax(const std::string& directory, const std::string& fs, bool dax, bool sync_mapping) {
  if (fs != "ext4" && fs != "xfs")
    return not_mounted_so(directory, fmt::format("{} is neither ext4 nor xfs", fs));
  if (!dax) return not_mounted_so(directory, "statx does not report the DAX attribute on a file made there");
  if (!sync_mapping)
    return fmt::format(
        "{} is on DAX, but its device flushes asynchronously (mmap with MAP_SYNC is refused): what is stored "
        "there "
        "is durable only after an fsync; name a file there (--backing=file:{}/FILE) or another device",
        directory, directory);
  return {};
}

}  // namespace daxrace
