#pragma once

// To be included by one source of a test program: takes the place of the C library's statx.

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace daxrace {

/// While it lives every file says that it is on DAX, as on a device that flushes asynchronously: MAP_SYNC is
/// refused as ever.
class PretendDax {
 public:
  PretendDax() { pretended = true; }
  ~PretendDax() { pretended = false; }
  PretendDax(const PretendDax&) = delete;
  PretendDax& operator=(const PretendDax&) = delete;
  static inline bool pretended = false;
};

}  // namespace daxrace

extern "C" int statx(int directory, const char* __restrict path, int flags, unsigned mask,
                     struct statx* __restrict out) noexcept {
  const auto done = static_cast<int>(syscall(SYS_statx, directory, path, flags, mask, out));
  if (done == 0 && daxrace::PretendDax::pretended) out->stx_attributes |= STATX_ATTR_DAX;
  return done;
}
