#include "harness/live/staging/stopped_device.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::string_view kPrefix = "daxrace-";
constexpr const char* kNode = "device";
constexpr unsigned kSectors = kPageBytes / 512;
constexpr unsigned kBoundSeconds = 4000;  // for a table, which takes an hour at most

/// One request of the device mapper, with room behind it for what it takes or gives.
template <std::size_t Room>
struct Request {
  explicit Request(std::string_view device, unsigned flags = 0) {
    head.version[0] = DM_VERSION_MAJOR;
    head.data_size = sizeof *this;
    head.data_start = sizeof head;
    head.flags = flags;
    std::memcpy(head.name, device.data(), device.size());
  }
  bool send(int control, unsigned long command) { return ioctl(control, command, &head) == 0; }

  dm_ioctl head{};
  alignas(8) char room[Room]{};
};
using Plain = Request<8>;

bool resume(int control, std::string_view device) { return Plain(device).send(control, DM_DEV_SUSPEND); }

/// Who has it open keeps it until he closes it.
bool remove(int control, std::string_view device, unsigned flags = DM_DEFERRED_REMOVE) {
  return Plain(device, flags).send(control, DM_DEV_REMOVE);
}

bool load_zeros(int control, std::string_view device) {
  Request<sizeof(dm_target_spec) + 8> request(device);
  request.head.target_count = 1;
  dm_target_spec target{};
  target.length = kSectors;
  std::memcpy(target.target_type, "zero", sizeof "zero");
  std::memcpy(request.room, &target, sizeof target);
  return request.send(control, DM_TABLE_LOAD);
}

/// The process that a device of ours is named after, or 0.
pid_t owner_of(std::string_view device) {
  if (!device.starts_with(kPrefix)) return 0;
  pid_t owner = 0;
  const auto [end, error] =
      std::from_chars(device.data() + kPrefix.size(), device.data() + device.size(), owner);
  return error == std::errc{} && end == device.data() + device.size() ? owner : 0;
}

/// Devices of processes that are no more. One that somebody has open stays.
void remove_stale(int control) {
  Request<std::size_t{64} * 1024> list("");
  if (!list.send(control, DM_LIST_DEVICES) || (list.head.flags & DM_BUFFER_FULL_FLAG) != 0) return;
  const char* at = reinterpret_cast<const char*>(&list.head) + list.head.data_start;
  dm_name_list entry{};
  do {
    std::memcpy(&entry, at, sizeof entry);
    const std::string_view name(at + offsetof(dm_name_list, name));
    const pid_t owner = entry.dev != 0 ? owner_of(name) : 0;
    if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH) remove(control, name, 0);
    at += entry.next;
  } while (entry.next != 0);
}

FileDescriptor open_device(const std::string& path, dev_t number) {
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file || fstat(file.get(), &info) != 0 || !S_ISBLK(info.st_mode) || info.st_rdev != number) return {};
  return file;
}

/// By the kernel's own node, or where there is none by one in our directory.
FileDescriptor open_node(const Directory& directory, dev_t number) {
  FileDescriptor file = open_device(fmt::format("/dev/dm-{}", minor(number)), number);
  if (file) return file;
  const std::string path = directory.path_of(kNode);
  if (mknod(path.c_str(), S_IFBLK | 0600, number) == 0) file = open_device(path, number);
  const int why = errno;
  directory.unlink(kNode);
  if (!file) throw Skipped(fmt::format("no node of a device-mapper device: {}", std::strerror(why)));
  return file;
}

}  // namespace

StoppedDevice::StoppedDevice(const Directory& directory)
    : control_(open("/dev/mapper/control", O_RDWR | O_CLOEXEC)),
      name_(fmt::format("{}{}", kPrefix, getpid())) {
  if (!control_)
    throw Skipped(
        fmt::format("no device mapper to stop a device with: /dev/mapper/control: {}", std::strerror(errno)));
  remove_stale(control_.get());
  Request<8> create(name_);
  if (!create.send(control_.get(), DM_DEV_CREATE))
    throw Skipped(fmt::format("the device mapper makes no device: {}", std::strerror(errno)));
  const auto packed = static_cast<unsigned>(create.head.dev);
  const dev_t number = makedev((packed & 0xfff00) >> 8, (packed & 0xff) | ((packed >> 12) & 0xfff00));
  guard_ = std::make_unique<Guard>(
      [this] {
        resume(control_.get(), name_);
        remove(control_.get(), name_);
      },
      std::vector<int>{control_.get()}, kBoundSeconds);
  try {
    make();
    file_ = std::make_shared<const FileDescriptor>(open_node(directory, number));
  } catch (...) {
    remove(control_.get(), name_);
    throw;
  }
}

void StoppedDevice::make() {
  if (!load_zeros(control_.get(), name_) || !resume(control_.get(), name_))
    throw Skipped(
        fmt::format("the device mapper has no target zero (module dm-zero): {}", std::strerror(errno)));
}

StoppedDevice::~StoppedDevice() {
  go();
  file_.reset();
  remove(control_.get(), name_);
}

void StoppedDevice::stop() {
  if (!Plain(name_, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG)
           .send(control_.get(), DM_DEV_SUSPEND))
    throw Error(fmt::format("device mapper: the device does not stop: {}", std::strerror(errno)));
}

void StoppedDevice::go() noexcept { resume(control_.get(), name_); }

}  // namespace daxrace::kernel
