#include "harness/live/directory.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cells.hpp"
#include "harness/platform/dax_file.hpp"
#include "harness/platform/mount_info.hpp"

namespace daxrace::kernel {
namespace {

constexpr const char* kName = "daxrace-kernel";
constexpr const char* kLabelFile = "label";
constexpr std::string_view kLabel = "files of daxrace --target=kernel; removed when it ends\n";

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(fmt::format("--dir: {}: {}", path, why));
}

bool is_ours(int directory) {
  const FileDescriptor label(openat(directory, kLabelFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::array<char, 128> text{};
  const ssize_t length = label ? read(label.get(), text.data(), text.size()) : -1;
  return length == static_cast<ssize_t>(kLabel.size()) &&
         std::memcmp(text.data(), kLabel.data(), kLabel.size()) == 0;
}

bool changes(int fd, int mode) { return fallocate(fd, mode, 0, kPageBytes) == 0; }

bool has_option(const std::string& options, std::string_view wanted) {
  return fmt::format(",{},", options).find(fmt::format(",{},", wanted)) != std::string::npos;
}

}  // namespace

std::string unused_dax(const FsFacts& facts, const std::string& dir) {
  if (facts.dax || !facts.block.dax) return "";
  const std::string head = fmt::format("{} has DAX, and files made in {} are not on it", facts.device, dir);
  const bool never = has_option(facts.mount_options, "dax=never");
  if (has_option(facts.mount_options, "dax=always") || has_option(facts.mount_options, "dax"))
    return head + " although it is mounted so; the kernel's log says why (dmesg)";
  return head + (never ? ": mount it with dax=always, not dax=never"
                       : fmt::format(": chattr +x {}, or mount it with dax=always", dir));
}

std::string why_no_pages_of(std::size_t bytes) {
  if (bytes == kPageBytes) return "";
  return fmt::format(
      "--target=kernel: this kernel's pages have {} KiB, and its files are laid out for {} KiB", bytes / 1024,
      kPageBytes / 1024);
}

std::string fresh_name(const std::string& name) {
  static std::atomic<unsigned> count{0};
  return fmt::format("{}-{}-{}", name, getpid(), count++);
}

Directory::Directory(const std::string& dir) {
  const std::string why = why_no_pages_of(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  if (!why.empty()) throw Skipped(why);
  take(dir);
  empty();
  probe();
}

Directory::~Directory() {
  empty();
  remove();
}

void Directory::remove() const noexcept {
  ::unlinkat(self_.get(), kLabelFile, 0);
  ::rmdir(path_.c_str());
}

void Directory::take(const std::string& dir) {
  struct stat info {};
  if (stat(dir.c_str(), &info) != 0) refuse(dir, std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) refuse(dir, "not a directory");
  path_ = dir + '/' + kName;
  const bool made = mkdir(path_.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) refuse(path_, std::strerror(errno));
  self_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!self_) refuse(path_, std::strerror(errno));
  if (!made && !is_ours(self_.get())) refuse(path_, "exists and is not ours; not touched");
  label_ = FileDescriptor(openat(self_.get(), kLabelFile, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!label_) refuse(path_, std::strerror(errno));
  if (flock(label_.get(), LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    if (why == EWOULDBLOCK) refuse(path_, "another daxrace uses it");
    if (made) remove();
    refuse(path_, fmt::format("cannot be locked: {}", std::strerror(why)));
  }
  if (made && write(label_.get(), kLabel.data(), kLabel.size()) != static_cast<ssize_t>(kLabel.size()))
    refuse(path_, std::strerror(errno));
}

void Directory::empty() const noexcept {
  DIR* list = fdopendir(openat(self_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (list == nullptr) return;
  while (const dirent* entry = readdir(list))
    if (std::strcmp(entry->d_name, kLabelFile) != 0 && entry->d_name[0] != '.') unlink(entry->d_name);
  closedir(list);
}

void Directory::probe() {
  const auto mount = mount_of(self_.get());
  if (!mount) refuse(path_, "the kernel does not say what is mounted there");
  utsname name{};
  uname(&name);
  const FileDescriptor probe = create("probe");
  const FileDescriptor copy = create("probe-copy");
  const std::array<char, kPageBytes> page{};
  if (pwrite(probe.get(), page.data(), page.size(), 0) != static_cast<ssize_t>(page.size()))
    refuse(path_, std::strerror(errno));
  facts_ = {.kernel = name.release,
            .fs = mount->fs,
            .device = mount->source,
            .mount_options = mount->options,
            .dax = has_dax_attribute(probe.get()),
            .reflink = ioctl(copy.get(), FICLONE, probe.get()) == 0,
            .zero_range = changes(probe.get(), FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE),
            .shift = ftruncate(probe.get(), off_t{4} * kPageBytes) == 0 &&
                     changes(probe.get(), FALLOC_FL_COLLAPSE_RANGE) &&
                     changes(probe.get(), FALLOC_FL_INSERT_RANGE),
            .sync_mapping = gives_sync_mapping(probe.get()),
            .block = block_device(mount->major, mount->minor)};
  unlink("probe");
  unlink("probe-copy");
}

FileDescriptor Directory::create(const std::string& name) const {
  FileDescriptor file(
      openat(self_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) refuse(path_of(name), std::strerror(errno));
  return file;
}

void Directory::unlink(const std::string& name) const noexcept { unlinkat(self_.get(), name.c_str(), 0); }

std::uint64_t Directory::may_allocate() const {
  struct statvfs space {};
  if (fstatvfs(self_.get(), &space) != 0) return 0;
  return std::uint64_t{space.f_bavail} * space.f_frsize / 4;
}

void Directory::sync() const noexcept {
  // XFS frees an evicted file's blocks from a worker, which a statfs starts.
  struct statvfs space {};
  fstatvfs(self_.get(), &space);
  const timespec worker{0, 20'000'000};
  nanosleep(&worker, nullptr);
  syncfs(self_.get());
}

}  // namespace daxrace::kernel
