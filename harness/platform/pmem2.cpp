#include "harness/platform/pmem2.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <libpmem2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"

namespace daxrace {
namespace {

void check(int result, const char* what, const std::string& name) {
  if (result == 0) return;
  throw Error(fmt::format("{}: cannot {}: {}", name, what, pmem2_errormsg()));
}

/// devdax and pmem block devices that libndctl does not know (CXL, EFI soft-reserved memory) still have a
/// node in sysfs.
std::optional<int> node_in_sysfs(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return std::nullopt;
  const bool is_char = S_ISCHR(info.st_mode);
  const dev_t device = is_char ? info.st_rdev : info.st_dev;
  const std::string base =
      fmt::format("/sys/dev/{}/{}:{}", is_char ? "char" : "block", major(device), minor(device));
  for (const char* leaf : {"/numa_node", "/device/numa_node", "/../device/numa_node"}) {
    std::ifstream file(base + leaf);
    if (int node = -1; file >> node && node >= 0) return node;
  }
  return std::nullopt;
}

std::optional<DevdaxFacts> devdax_without_namespace_at(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISCHR(info.st_mode)) return std::nullopt;
  return devdax_without_namespace(info.st_rdev);
}

/// Copies through a file in memory: the kernel finds a poisoned line, not we.
void read_mapped(void* to, const std::byte* from, std::size_t bytes, const std::string& name) {
  const FileDescriptor copy(memfd_create("daxrace-read", MFD_CLOEXEC));
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t written = pwrite(copy.get(), from + done, bytes - done, static_cast<off_t>(done));
    if (written <= 0)
      throw Error(fmt::format("{}: cannot be read: {}", name, std::strerror(written < 0 ? errno : EIO)));
    done += static_cast<std::size_t>(written);
  }
  if (pread(copy.get(), to, bytes, 0) != static_cast<ssize_t>(bytes))
    throw Error(fmt::format("{}: cannot be read: {}", name, std::strerror(errno)));
}

/// Part of a source in a mapping whose ends lie where the device wants them.
struct Part {
  Part(const Pmem2Source& source, std::uint64_t offset, std::size_t bytes)
      : unit(source.alignment()),
        start(offset / unit * unit),
        mapping(source, start, (offset + bytes - start + unit - 1) / unit * unit, 0),
        data(mapping.data() + (offset - start)) {}
  std::size_t unit;
  std::uint64_t start;
  Pmem2Mapping mapping;
  std::byte* data;
};

/// What pmem2_map_new() does, without asking for an alignment.
pmem2_map* map_without_namespace(const Pmem2Source& source, void* at, std::uint64_t offset,
                                 std::size_t bytes) {
  constexpr int kFlags = MAP_SHARED_VALIDATE | MAP_SYNC | MAP_FIXED;
  if (mmap(at, bytes, PROT_READ | PROT_WRITE, kFlags, source.fd(), static_cast<off_t>(offset)) == MAP_FAILED)
    throw Error(fmt::format("{}: cannot be mapped: {}", source.name(), std::strerror(errno)));
  pmem2_map* map = nullptr;
  check(pmem2_map_from_existing(&map, source.get(), at, bytes, PMEM2_GRANULARITY_CACHE_LINE), "be mapped",
        source.name());
  return map;
}

}  // namespace

Pmem2Source::Pmem2Source(int fd, std::string name)
    : fd_(fd), name_(std::move(name)), devdax_(devdax_without_namespace_at(fd)) {
  check(pmem2_source_from_fd(&source_, fd), "be used by libpmem2", name_);
}

Pmem2Source::~Pmem2Source() { pmem2_source_delete(&source_); }

std::uint64_t Pmem2Source::size() const {
  if (devdax_) return devdax_->bytes;
  std::size_t bytes = 0;
  check(pmem2_source_size(source_, &bytes), "tell its size", name_);
  return bytes;
}

std::size_t Pmem2Source::alignment() const {
  if (devdax_) return devdax_->alignment;
  std::size_t bytes = 0;
  check(pmem2_source_alignment(source_, &bytes), "tell its alignment", name_);
  return bytes;
}

std::optional<int> Pmem2Source::node() const {
  int node = -1;
  if (!devdax_ && pmem2_source_numa_node(source_, &node) == 0 && node >= 0) return node;
  return node_in_sysfs(fd_);
}

void Pmem2Source::read(void* to, std::size_t bytes, std::uint64_t offset) const {
  if (devdax_) return read_mapped(to, Part(*this, offset, bytes).data, bytes, name_);
  check(pmem2_source_pread_mcsafe(source_, to, bytes, offset), "be read", name_);
}

void Pmem2Source::write(const void* from, std::size_t bytes, std::uint64_t offset) {
  if (devdax_) {
    const Part part(*this, offset, bytes);
    part.mapping.copy()(part.data, from, bytes, 0);
    return;
  }
  // libpmem2 only reads from the buffer, but does not say so.
  check(pmem2_source_pwrite_mcsafe(source_, const_cast<void*>(from), bytes, offset), "be written", name_);
}

Pmem2Mapping::Pmem2Mapping(const Pmem2Source& source, std::uint64_t offset, std::size_t bytes,
                           std::size_t phase)
    : bytes_(bytes) {
  const std::size_t unit = std::max(kHugeBytes, source.alignment());
  pmem2_config* config = nullptr;
  try {
    check(pmem2_vm_reservation_new(&reservation_, nullptr, (bytes + 2 * unit) / unit * unit),
          "reserve addresses", source.name());
    const auto base = reinterpret_cast<std::uintptr_t>(pmem2_vm_reservation_get_address(reservation_));
    const std::size_t place = (offset + phase + unit - base % unit) % unit;
    if (source.without_namespace()) {
      map_ = map_without_namespace(source, reinterpret_cast<void*>(base + place), offset, bytes);
    } else {
      check(pmem2_config_new(&config), "configure its mapping", source.name());
      check(pmem2_config_set_required_store_granularity(config, PMEM2_GRANULARITY_PAGE),
            "configure its mapping", source.name());
      check(pmem2_config_set_offset(config, offset), "map at this offset", source.name());
      check(pmem2_config_set_length(config, bytes), "map this length", source.name());
      check(pmem2_config_set_vm_reservation(config, reservation_, place), "configure its mapping",
            source.name());
      check(pmem2_map_new(&map_, config, source.get()), "be mapped", source.name());
    }
  } catch (...) {
    if (config != nullptr) pmem2_config_delete(&config);
    release();
    throw;
  }
  if (config != nullptr) pmem2_config_delete(&config);
  data_ = static_cast<std::byte*>(pmem2_map_get_address(map_));
  granularity_ = static_cast<Granularity>(pmem2_map_get_store_granularity(map_));
  copy_ = pmem2_get_memcpy_fn(map_);
  fill_ = pmem2_get_memset_fn(map_);
  persist_ = pmem2_get_persist_fn(map_);
}

Pmem2Mapping::~Pmem2Mapping() { release(); }

void Pmem2Mapping::release() noexcept {
  if (map_ != nullptr) pmem2_map_delete(&map_);
  if (reservation_ != nullptr) pmem2_vm_reservation_delete(&reservation_);
}

unsigned Pmem2Mapping::no_flush() { return PMEM2_F_MEM_NOFLUSH; }

static_assert(static_cast<int>(Pmem2Mapping::Granularity::byte) == PMEM2_GRANULARITY_BYTE);
static_assert(static_cast<int>(Pmem2Mapping::Granularity::cache_line) == PMEM2_GRANULARITY_CACHE_LINE);
static_assert(static_cast<int>(Pmem2Mapping::Granularity::page) == PMEM2_GRANULARITY_PAGE);

}  // namespace daxrace
