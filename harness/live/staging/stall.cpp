#include "harness/live/staging/stall.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {
namespace {

FileDescriptor open_userfaultfd() {
  const long fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) return FileDescriptor(static_cast<int>(fd));
  const int why = errno;
  const FileDescriptor device(open("/dev/userfaultfd", O_RDWR | O_CLOEXEC));
  if (device) {
    // The ioctl of the device, from 6.1 on; older headers lack its name.
    const int from_device = ioctl(device.get(), _IO(0xAA, 0x00), O_CLOEXEC | O_NONBLOCK);
    if (from_device >= 0) return FileDescriptor(from_device);
  }
  throw Skipped(fmt::format(
      "no userfaultfd ({}): needs CAP_SYS_PTRACE, vm.unprivileged_userfaultfd=1 or /dev/userfaultfd",
      std::strerror(why)));
}

}  // namespace

StallingBuffer::StallingBuffer() : uffd_(open_userfaultfd()) {
  uffdio_api api{};
  api.api = UFFD_API;
  if (ioctl(uffd_.get(), UFFDIO_API, &api) != 0) throw Skipped("userfaultfd speaks another language");
  void* memory = mmap(nullptr, 2 * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw Error(fmt::format("mmap: {}", std::strerror(errno)));
  memory_ = static_cast<std::byte*>(memory);
  std::memset(memory_, 0, kPageBytes);
  uffdio_register range{};
  range.range = {.start = reinterpret_cast<std::uint64_t>(second()), .len = kPageBytes};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (ioctl(uffd_.get(), UFFDIO_REGISTER, &range) != 0) {
    munmap(memory_, 2 * kPageBytes);
    throw Skipped(fmt::format("userfaultfd takes no anonymous memory: {}", std::strerror(errno)));
  }
}

StallingBuffer::~StallingBuffer() {
  if (!given_) give(std::vector<std::byte>(kPageBytes));
  munmap(memory_, 2 * kPageBytes);
}

std::byte* StallingBuffer::second() const { return memory_ + kPageBytes; }

bool StallingBuffer::somebody_stopped(std::uint64_t bound_ns) {
  pollfd ready{.fd = uffd_.get(), .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, static_cast<int>(bound_ns / 1'000'000)) != 1) return false;
  uffd_msg message{};
  return read(uffd_.get(), &message, sizeof message) == sizeof message &&
         message.event == UFFD_EVENT_PAGEFAULT;
}

void StallingBuffer::give(std::span<const std::byte> page) {
  uffdio_copy copy{};
  copy.dst = reinterpret_cast<std::uint64_t>(second());
  copy.src = reinterpret_cast<std::uint64_t>(page.data());
  copy.len = kPageBytes;
  while (ioctl(uffd_.get(), UFFDIO_COPY, &copy) != 0 && errno == EAGAIN) copy.copy = 0;
  given_ = true;
}

}  // namespace daxrace::kernel
