#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <sys/types.h>

namespace daxrace::kernel {

/// A process of its own that undoes what would outlive us: it makes `undo` if this thread ends before the
/// guard does, however that happens, or once `bound_s` have passed.
class Guard {
 public:
  /// `undo` runs in a forked process: system calls only. Of our files it keeps `files`. Throws Error.
  Guard(const std::function<void()>& undo, std::vector<int> files, unsigned bound_s);
  /// Ends the process; nothing is undone.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  pid_t process_ = -1;
};

}  // namespace daxrace::kernel
