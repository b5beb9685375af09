#pragma once

// To be included by one source of a test program: takes the place of the C library's flock.

#include <cerrno>

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace daxrace {

/// While it lives no file can be locked, for want of what `error` says.
class RefuseFlock {
 public:
  explicit RefuseFlock(int error) { with = error; }
  ~RefuseFlock() { with = 0; }
  RefuseFlock(const RefuseFlock&) = delete;
  RefuseFlock& operator=(const RefuseFlock&) = delete;
  static inline int with = 0;
};

}  // namespace daxrace

extern "C" int flock(int fd, int operation) noexcept {
  if (daxrace::RefuseFlock::with == 0) return static_cast<int>(syscall(SYS_flock, fd, operation));
  errno = daxrace::RefuseFlock::with;
  return -1;
}
