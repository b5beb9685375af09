#include "harness/platform/device_guard.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <vector>

#include <blkid/blkid.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "harness/base/error.hpp"
#include "harness/platform/mount_info.hpp"
#include "harness/platform/pmem2.hpp"

namespace daxrace {
namespace {

constexpr std::string_view kMagic = "daxrace label 1\n";
constexpr std::string_view kNotice =
    "This file or device belongs to daxrace, which tests lock protocols on it.\n"
    "It holds nothing of value and may be overwritten at any time.\n";
constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kSumAt = kLabelBytes - sizeof(std::uint64_t);
constexpr std::size_t kProbeBytes = std::size_t{1} << 20;

std::string words_of(int error) { return std::generic_category().message(error); }

/// FNV-1a: the label must be told from damage, not from forgery.
std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0xcbf29ce484222325U;
  for (const std::byte byte : bytes) sum = (sum ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
  return sum;
}

void lock_or_throw(int fd, const std::string& path) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    throw Error(fmt::format("{}: in use by another daxrace; wait for it or name another", path));
  throw Error(system_error_line("lock", path, errno));
}

void pwrite_all(int fd, const std::byte* from, std::size_t bytes, std::uint64_t offset,
                const std::string& path) {
  while (bytes > 0) {
    const ssize_t done = pwrite(fd, from, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && (errno == ENOSPC || errno == EDQUOT)) {
      throw Error(fmt::format("{}: no room left on {}", path, fs_name_of(fd)));
    }
    if (done <= 0) throw Error(system_error_line("write", path, done < 0 ? errno : EIO));
    from += done;
    bytes -= static_cast<std::size_t>(done);
    offset += static_cast<std::uint64_t>(done);
  }
}

struct FreeDeleter {
  void operator()(void* memory) const { std::free(memory); }
};
using AlignedBytes = std::unique_ptr<std::byte, FreeDeleter>;

AlignedBytes aligned_zeros(std::size_t bytes) {
  AlignedBytes memory(static_cast<std::byte*>(std::aligned_alloc(kLabelBytes, bytes)));
  if (!memory) throw std::bad_alloc();
  std::memset(memory.get(), 0, bytes);
  return memory;
}

void write_label(int fd, const std::string& path) {
  const AlignedBytes page = aligned_zeros(kLabelBytes);
  const LabelPage label = make_label();
  std::memcpy(page.get(), label.data(), label.size());
  pwrite_all(fd, page.get(), kLabelBytes, 0, path);
}

bool carries_label(int fd) {
  const AlignedBytes page = aligned_zeros(kLabelBytes);
  return pread(fd, page.get(), kLabelBytes, 0) == static_cast<ssize_t>(kLabelBytes) &&
         is_label({page.get(), kLabelBytes});
}

std::string probe_with_blkid(int fd) {
  const std::unique_ptr<blkid_struct_probe, decltype(&blkid_free_probe)> probe(blkid_new_probe(),
                                                                               blkid_free_probe);
  if (!probe || blkid_probe_set_device(probe.get(), fd, 0, 0) != 0)
    return "something that libblkid cannot read";
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE);
  blkid_probe_enable_partitions(probe.get(), 1);
  const int result = blkid_do_safeprobe(probe.get());
  if (result == 1) return {};
  if (result == -2) return "several signatures at once";
  if (result != 0) return "something that libblkid cannot read";
  const char* name = nullptr;
  if (blkid_probe_lookup_value(probe.get(), "TYPE", &name, nullptr) == 0) return name;
  if (blkid_probe_lookup_value(probe.get(), "PTTYPE", &name, nullptr) == 0) {
    return fmt::format("a {} partition table", name);
  }
  return "a signature that libblkid knows";
}

/// Those that libblkid does not know: they live on devdax only.
std::string pmem_signature(std::span<const std::byte> head) {
  const auto starts_with = [&](const void* magic, std::size_t bytes) {
    return head.size() >= bytes && std::memcmp(head.data(), magic, bytes) == 0;
  };
  for (const char* pool : {"PMEMOBJ", "PMEMBLK", "PMEMLOG", "PMEMPOOL", "PMEMSET"}) {
    if (starts_with(pool, std::strlen(pool))) return fmt::format("a {} pool", pool);
  }
  constexpr std::uint64_t kFamfsMagic = 0x87b282ff;
  if (starts_with(&kFamfsMagic, sizeof kFamfsMagic)) return "famfs";
  return {};
}

std::string process_name(const std::filesystem::path& proc) {
  std::ifstream file(proc / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

bool is_device(const std::string& path, dev_t device) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == device;
}

bool has_open(const std::filesystem::path& proc, dev_t device) {
  std::error_code ignored;
  for (std::filesystem::directory_iterator it(proc / "fd", ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    if (is_device(it->path().string(), device)) return true;
  }
  return false;
}

bool has_mapped(const std::filesystem::path& proc, dev_t device) {
  std::ifstream maps(proc / "maps");
  std::string last;
  for (std::string line; std::getline(maps, line);) {
    const std::size_t at = line.find("/dev/");
    if (at == std::string::npos || line.compare(at, std::string::npos, last) == 0) continue;
    last = line.substr(at);
    if (is_device(last, device)) return true;
  }
  return false;
}

[[noreturn]] void refuse_type(const std::string& path, mode_t mode) {
  if (S_ISBLK(mode)) {
    throw Error(fmt::format(
        "{}: a raw block device is never used as a backing; make a DAX file system on it and name "
        "a directory (fsdax:DIR)",
        path));
  }
  if (S_ISDIR(mode)) throw Error(fmt::format("{}: is a directory; name a file in it", path));
  if (S_ISLNK(mode)) throw Error(fmt::format("{}: is a symbolic link; name the file itself", path));
  throw Error(fmt::format("{}: is not a regular file; name another", path));
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// The existing file at `path`, locked and known to be ours; or no file if it has vanished meanwhile.
FileDescriptor take_over(const std::string& path) {
  struct stat before {};
  if (lstat(path.c_str(), &before) != 0) {
    if (errno == ENOENT) return {};
    throw Error(system_error_line("look at", path, errno));
  }
  if (!S_ISREG(before.st_mode)) refuse_type(path, before.st_mode);
  FileDescriptor fd(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == ENOENT) return {};
  if (!fd) throw Error(system_error_line("open", path, errno));
  lock_or_throw(fd.get(), path);
  struct stat opened {};
  struct stat now {};
  if (fstat(fd.get(), &opened) != 0 || lstat(path.c_str(), &now) != 0 || !same_file(opened, now)) return {};
  if (!S_ISREG(opened.st_mode)) refuse_type(path, opened.st_mode);
  if (opened.st_nlink != 1 || !carries_label(fd.get())) {
    throw Error(
        fmt::format("{}: exists and is not daxrace's; name another file or remove it yourself", path));
  }
  if (ftruncate(fd.get(), 0) != 0) throw Error(system_error_line("empty", path, errno));
  return fd;
}

FileDescriptor create(const std::string& path) {
  FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd) {
    lock_or_throw(fd.get(), path);
  } else if (errno != EEXIST) {
    throw Error(system_error_line("create", path, errno));
  }
  return fd;
}

void need_destroy_data(const std::string& path, bool destroy_data) {
  if (destroy_data) return;
  throw Error(fmt::format(
      "{}: everything on it would be overwritten; add --destroy-data if that is what you want", path));
}

void refuse_signature(const std::string& path, const std::string& signature, const char* how_to_clear) {
  if (signature.empty()) return;
  throw Error(fmt::format(
      "{}: carries {}; daxrace does not overwrite it. If it is not needed, clear it yourself ({})", path,
      signature, how_to_clear));
}

std::uint64_t disk_bytes(int fd, const std::string& path) {
  std::uint64_t bytes = 0;
  if (ioctl(fd, BLKGETSIZE64, &bytes) != 0) throw Error(system_error_line("tell the size of", path, errno));
  return bytes;
}

}  // namespace

std::string system_error_line(const char* what, const std::string& path, int error) {
  return fmt::format("cannot {} {}: {}", what, path, words_of(error));
}

LabelPage make_label() {
  LabelPage page{};
  std::byte* at = page.data();
  std::memcpy(at, kMagic.data(), kMagic.size());
  at += kMagic.size();
  if (getrandom(at, kUuidBytes, 0) != static_cast<ssize_t>(kUuidBytes))
    throw Error("cannot get random bytes");
  at += kUuidBytes;
  std::memcpy(at, kNotice.data(), kNotice.size());
  const std::uint64_t sum = checksum({page.data(), kSumAt});
  std::memcpy(page.data() + kSumAt, &sum, sizeof sum);
  return page;
}

bool is_label(std::span<const std::byte> bytes) {
  if (bytes.size() < kLabelBytes || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    return false;
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + kSumAt, sizeof sum);
  return sum == checksum(bytes.first(kSumAt));
}

std::string known_signature(std::span<const std::byte> head, std::span<const std::byte> tail,
                            std::uint64_t total_bytes) {
  if (std::string pool = pmem_signature(head); !pool.empty()) return pool;
  // libblkid wants a file: a sparse one of the same size, because some signatures are found from the end.
  const FileDescriptor copy(memfd_create("daxrace-probe", MFD_CLOEXEC));
  if (!copy || ftruncate(copy.get(), static_cast<off_t>(total_bytes)) != 0) {
    throw Error(system_error_line("copy for a look", "the start of a device", errno));
  }
  pwrite_all(copy.get(), head.data(), head.size(), 0, "memory");
  pwrite_all(copy.get(), tail.data(), tail.size(), total_bytes - tail.size(), "memory");
  return probe_with_blkid(copy.get());
}

std::string device_holder(dev_t device) {
  std::error_code ignored;
  for (std::filesystem::directory_iterator it("/proc", ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    const std::string pid = it->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(getpid())) continue;
    if (has_open(it->path(), device) || has_mapped(it->path(), device)) {
      return fmt::format("{} ({})", pid, process_name(it->path()));
    }
  }
  return {};
}

OwnFile::OwnFile(const std::string& path) : path_(path) {
  // Each round is lost only to a file that appeared or vanished in between.
  for (int round = 0; round < 10 && !fd_; ++round) {
    fd_ = create(path);
    if (!fd_) fd_ = take_over(path);
  }
  if (!fd_) throw Error(fmt::format("{}: appears and vanishes while we look; name another file", path));
  try {
    write_label(fd_.get(), path);
  } catch (...) {
    unlink(path.c_str());
    throw;
  }
}

OwnFile::~OwnFile() {
  if (!fd_) return;
  struct stat ours {};
  struct stat there {};
  if (fstat(fd_.get(), &ours) == 0 && lstat(path_.c_str(), &there) == 0 && same_file(ours, there)) {
    unlink(path_.c_str());
  }
}

void OwnFile::reserve(std::uint64_t bytes) {
  // The label's block would be in the way.
  if (ftruncate(fd_.get(), 0) != 0) throw Error(system_error_line("empty", path_, errno));
  const bool full = fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes)) != 0 && errno != EOPNOTSUPP;
  const int error = errno;
  write_label(fd_.get(), path_);
  if (full) throw Error(system_error_line("allocate blocks for", path_, error));
}

FileDescriptor lock_directory(const std::string& path) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw Error(system_error_line("open directory", path, errno));
  lock_or_throw(fd.get(), path);
  return fd;
}

FileDescriptor open_devdax(const std::string& path, bool destroy_data) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) throw Error(system_error_line("look at", path, errno));
  if (S_ISBLK(info.st_mode)) refuse_type(path, info.st_mode);
  const std::string subsystem =
      fmt::format("/sys/dev/char/{}:{}/subsystem", major(info.st_rdev), minor(info.st_rdev));
  std::error_code ignored;
  if (!S_ISCHR(info.st_mode) || std::filesystem::read_symlink(subsystem, ignored).filename() != "dax") {
    throw Error(fmt::format(
        "{}: is not a devdax device; name one such as /dev/dax0.0 (ndctl list, daxctl list)", path));
  }
  need_destroy_data(path, destroy_data);
  FileDescriptor fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd && errno == ENXIO) {
    throw Error(fmt::format("{}: not in devdax mode (daxctl reconfigure-device --mode=devdax)", path));
  }
  if (!fd) throw Error(system_error_line("open", path, errno));
  lock_or_throw(fd.get(), path);
  if (const std::string holder = device_holder(info.st_rdev); !holder.empty()) {
    throw Error(fmt::format("{}: in use by process {}", path, holder));
  }
  return fd;
}

void claim_devdax(Pmem2Source& source, const std::string& path) {
  const std::uint64_t total = source.size();
  const auto probe = static_cast<std::size_t>(std::min<std::uint64_t>(kProbeBytes, total));
  std::vector<std::byte> head(probe);
  std::vector<std::byte> tail(probe);
  source.read(head.data(), probe, 0);
  source.read(tail.data(), probe, total - probe);
  refuse_signature(path, known_signature(head, tail, total),
                   "ndctl destroy-namespace, or write zeros over its start");
  const LabelPage label = make_label();
  source.write(label.data(), label.size(), 0);
}

/// O_EXCL on a block device: refused while it, or a partition of it, is mounted, swapped on or part of
/// something. An io_uring that is gone lets go of its files a little later, so "busy" is only believed after
/// a while.
int open_exclusively(const std::string& path) {
  constexpr int kAttempts = 40;
  constexpr timespec kPause{0, 50'000'000};
  int fd = -1;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    fd = open(path.c_str(), O_RDWR | O_EXCL | O_DIRECT | O_CLOEXEC);
    if (fd >= 0 || errno != EBUSY) break;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &kPause, nullptr);
    errno = EBUSY;
  }
  return fd;
}

FileDescriptor open_scratch_disk(const std::string& path, bool destroy_data) {
  need_destroy_data(path, destroy_data);
  FileDescriptor fd(open_exclusively(path));
  if (!fd && errno == EBUSY)
    throw Error(fmt::format("{}: mounted or otherwise in use; name another disk", path));
  if (!fd) throw Error(system_error_line("open", path, errno));
  lock_or_throw(fd.get(), path);
  struct stat info {};
  if (fstat(fd.get(), &info) != 0 || !S_ISBLK(info.st_mode)) refuse_type(path, info.st_mode);
  if (disk_bytes(fd.get(), path) <= kLabelBytes) throw Error(fmt::format("{}: is too small", path));
  // libblkid reads into unaligned buffers, which O_DIRECT does not take.
  const FileDescriptor buffered(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!buffered) throw Error(system_error_line("read", path, errno));
  refuse_signature(path, probe_with_blkid(buffered.get()), "wipefs");
  write_label(fd.get(), path);
  return fd;
}

void write_zeros(int fd, std::uint64_t offset, std::uint64_t bytes, const std::string& path) {
  constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
  const AlignedBytes zeros = aligned_zeros(kChunkBytes);
  while (bytes > 0) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kChunkBytes));
    pwrite_all(fd, zeros.get(), now, offset, path);
    offset += now;
    bytes -= now;
  }
}

}  // namespace daxrace
