#include "harness/platform/backing.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/dax_file.hpp"
#include "harness/platform/mount_info.hpp"

namespace daxrace {
namespace {

constexpr const char* kFsdaxName = "daxrace.region";

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// Decides frame size, frame count and where the frames begin. `unit` is what a frame must be a multiple of.
void lay_out(OpenBacking& backing, const RegionSpec& spec, std::size_t unit, bool labelled,
             const std::string& name) {
  RegionFacts& facts = backing.facts;
  facts.frame_bytes = spec.frame_bytes == 0 ? unit : spec.frame_bytes;
  if (facts.frame_bytes % unit != 0) {
    throw Error(fmt::format("{}: a frame must be a multiple of {} bytes, not {}; change --frame-bytes", name,
                            unit, facts.frame_bytes));
  }
  if (spec.bytes == 0) throw Error(fmt::format("{}: a region of 0 bytes holds no frame; ask for more", name));
  if (spec.bytes > std::numeric_limits<std::size_t>::max() / 2) {
    throw Error(fmt::format("{}: a region of {} bytes is too large", name, spec.bytes));
  }
  facts.frames = round_up(spec.bytes, facts.frame_bytes) / facts.frame_bytes;
  if (facts.frames > std::numeric_limits<FrameNumber>::max()) {
    throw Error(
        fmt::format("{}: {} frames are too many; ask for less or for larger frames", name, facts.frames));
  }
  // Huge frames begin where the kernel can map them hugely.
  const std::size_t start_unit = facts.frame_bytes % kHugeBytes == 0 ? std::max(unit, kHugeBytes) : unit;
  backing.offset = labelled ? round_up(kLabelBytes, start_unit) : 0;
}

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kib = 0;
    if (word == "MemAvailable:" && file >> kib) return kib * 1024;
  }
  return std::numeric_limits<std::uint64_t>::max();
}

int open_memfd() {
#ifndef MFD_NOEXEC_SEAL
  constexpr unsigned MFD_NOEXEC_SEAL = 0x0008U;
#endif
  // Without this flag vm.memfd_noexec=2 refuses; before 6.3 the kernel does not know it.
  const int fd = memfd_create("daxrace", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  return fd < 0 && errno == EINVAL ? memfd_create("daxrace", MFD_CLOEXEC) : fd;
}

OpenBacking open_memory(const RegionSpec& spec) {
  OpenBacking backing;
  lay_out(backing, spec, page_bytes(), false, "memory");
  if (!spec.sparse && backing.bytes() > available_memory()) {
    throw Error(fmt::format("memory: {} bytes were asked for and only {} are available", backing.bytes(),
                            available_memory()));
  }
  backing.device = FileDescriptor(open_memfd());
  if (!backing.device) throw Error(system_error_line("create", "a memfd", errno));
  if (ftruncate(backing.device.get(), static_cast<off_t>(backing.bytes())) != 0) {
    throw Error(system_error_line("size", "a memfd", errno));
  }
  backing.source = std::make_unique<Pmem2Source>(backing.device.get(), "memory");
  return backing;
}

bool on_tmpfs(int fd) {
  struct statfs info {};
  return fstatfs(fd, &info) == 0 && info.f_type == TMPFS_MAGIC;
}

void check_room(int fd, std::uint64_t bytes, const std::string& path) {
  struct statvfs info {};
  if (fstatvfs(fd, &info) != 0 || info.f_blocks == 0) return;  // a tmpfs without a limit has no blocks
  const std::uint64_t room = std::uint64_t{info.f_bavail} * info.f_frsize;
  if (room < bytes) {
    throw Error(
        fmt::format("{}: {} bytes were asked for and {} has room for {}", path, bytes, fs_name_of(fd), room));
  }
}

/// Gives the file its blocks. Unwritten extents would make later faults allocate, so zeros are really
/// written.
void allocate(OpenBacking& backing, const std::string& path) {
  const int fd = backing.fd();
  const std::uint64_t end = backing.offset + backing.bytes();
  check_room(fd, end, path);
  if (on_tmpfs(fd)) {
    // Pages come with the mapping, which says that it wants no huge ones; fallocate would not ask.
    if (ftruncate(fd, static_cast<off_t>(end)) != 0) throw Error(system_error_line("size", path, errno));
    return;
  }
  backing.file->reserve(end);
  write_zeros(fd, kLabelBytes, end - kLabelBytes, path);
  // A MAP_SYNC fault on a file whose metadata is not on disk yet would have to commit it first. A page cache
  // must be clean to be dropped: write(2) fills it with large folios, which newer kernels map whole at one
  // fault.
  if (fdatasync(fd) != 0) throw Error(system_error_line("sync", path, errno));
  if (!backing.dax) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

std::size_t block_bytes(int fd) {
  struct statvfs info {};
  const std::size_t page = page_bytes();
  if (fstatvfs(fd, &info) != 0 || info.f_frsize == 0 || info.f_frsize % page != 0) return page;
  return info.f_frsize;
}

void fill_mount_facts(RegionFacts& facts, const std::optional<Mount>& mount) {
  if (!mount) return;
  facts.fs = mount->fs;
  facts.mount_options = mount->options;
  if (mount->source.starts_with('/')) facts.device = mount->source;
}

void open_file_at(OpenBacking& backing, const RegionSpec& spec, const std::string& path) {
  backing.file.emplace(path);
  const int fd = backing.fd();
  const std::optional<Mount> mount = mount_of(fd);
  fill_mount_facts(backing.facts, mount);
  const std::string fs = mount ? mount->fs : "an unknown file system";
  backing.dax = has_dax_attribute(fd);
  const bool dax_is_enough = backing.dax && !spec.sync_mapping;
  if (spec.backing == Backing::fsdax && !dax_is_enough) {
    const std::string why = why_no_fsdax(spec.path, fs, backing.dax, gives_sync_mapping(fd));
    if (!why.empty()) throw Error(why);
  }
  lay_out(backing, spec, block_bytes(fd), true, spec.path);
  allocate(backing, path);
  backing.source = std::make_unique<Pmem2Source>(fd, path);
}

OpenBacking open_fsdax(const RegionSpec& spec) {
  OpenBacking backing;
  backing.directory = lock_directory(spec.path);
  open_file_at(backing, spec, spec.path + '/' + kFsdaxName);
  return backing;
}

OpenBacking open_file(const RegionSpec& spec) {
  OpenBacking backing;
  open_file_at(backing, spec, spec.path);
  return backing;
}

OpenBacking open_dev(const RegionSpec& spec) {
  OpenBacking backing;
  backing.device = open_devdax(spec.path, spec.destroy_data);
  backing.source = std::make_unique<Pmem2Source>(backing.device.get(), spec.path);
  backing.dax = true;
  backing.facts.device = spec.path;
  lay_out(backing, spec, std::max(backing.source->alignment(), page_bytes()), true, spec.path);
  const std::uint64_t size = backing.source->size();
  if (size < backing.offset + backing.bytes()) {
    const std::uint64_t room = size < backing.offset ? 0 : size - backing.offset;
    throw Error(
        fmt::format("{}: has room for {} frames of {} bytes (the first {} bytes are our label) and {} were "
                    "asked for; ask for less",
                    spec.path, room / backing.facts.frame_bytes, backing.facts.frame_bytes, backing.offset,
                    backing.facts.frames));
  }
  claim_devdax(*backing.source, spec.path);
  return backing;
}

}  // namespace

OpenBacking open_backing(const RegionSpec& spec) {
  if (spec.backing != Backing::memory && spec.path.empty()) {
    throw Error(fmt::format("backing {}: needs a path ({}:PATH)", name_in(kBackingNames, spec.backing),
                            name_in(kBackingNames, spec.backing)));
  }
  const auto open = [&] {
    switch (spec.backing) {
      case Backing::file:
        return open_file(spec);
      case Backing::fsdax:
        return open_fsdax(spec);
      case Backing::devdax:
        return open_dev(spec);
      case Backing::memory:
        break;
    }
    return open_memory(spec);
  };
  OpenBacking backing = open();
  backing.facts.backing = spec.backing;
  return backing;
}

}  // namespace daxrace
