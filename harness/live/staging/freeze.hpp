#pragma once

#include <atomic>
#include <optional>

#include "harness/base/file_descriptor.hpp"
#include "harness/live/directory.hpp"
#include "harness/live/guard.hpp"

namespace daxrace::kernel {

/// What the file system of `dir` holds that we or the machine need while it is frozen; empty: nothing.
std::string needed_on(const std::string& dir);

/// Freezes the file system of a directory. It is thawed at the end; should we die before, or not come to that
/// within 20 s and four times `hang_bound_ns`, by a guard.
class Freeze {
 public:
  Freeze(const Directory& directory, std::uint64_t hang_bound_ns);  ///< throws Error; freezes nothing yet
  ~Freeze();
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;

  /// 0 or -errno. From any thread; one that comes back after the thaw thaws at once.
  long begin() noexcept;
  void thaw() noexcept;  ///< also where it is not frozen (yet)

 private:
  FileDescriptor directory_;
  std::atomic<bool> over_{false};
  std::optional<Guard> guard_;
};

}  // namespace daxrace::kernel
