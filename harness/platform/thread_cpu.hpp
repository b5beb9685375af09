#pragma once

#include <cstdint>

#include <sys/types.h>

namespace daxrace {

/// What the scheduler has given a thread, of whatever process, since it began. All 0 where the kernel does
/// not keep it (schedstat) or the thread is gone.
struct ThreadCpu {
  std::uint64_t ran_ns = 0;     ///< on a CPU; up to a tick behind
  std::uint64_t queued_ns = 0;  ///< ready to run without one, up to when it last got one
  bool runnable = false;        ///< on a CPU, or ready to run

  static ThreadCpu of(pid_t tid);
};

}  // namespace daxrace
