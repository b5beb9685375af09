#include "harness/live/staging/pin.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {

Pin::Pin() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(fmt::format("pipe: {}", std::strerror(errno)));
  read_ = FileDescriptor(ends[0]);
  write_ = FileDescriptor(ends[1]);
}

int Pin::take(std::byte* page) noexcept {
  const iovec part{page, kPageBytes};
  const ssize_t taken = vmsplice(write_.get(), &part, 1, 0);
  if (taken != static_cast<ssize_t>(kPageBytes)) return taken < 0 ? -errno : -EIO;
  held_ = true;
  return 0;
}

std::vector<std::byte> Pin::drain() {
  std::vector<std::byte> content(held_.exchange(false) ? kPageBytes : 0);
  std::size_t got = 0;
  while (got < content.size()) {
    const ssize_t n = read(read_.get(), content.data() + got, content.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  content.resize(got);
  return content;
}

}  // namespace daxrace::kernel
