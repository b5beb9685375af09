#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "harness/base/file_descriptor.hpp"

namespace daxrace::kernel {

/// A page of a mapping in a pipe: vmsplice takes a reference of the page and keeps it until the pipe is
/// drained. What comes out is what the page holds by then.
class Pin {
 public:
  Pin();  ///< throws Error
  /// 0, or -errno.
  int take(std::byte* page) noexcept;
  bool held() const noexcept { return held_.load(); }
  /// Lets go; what came out, or less than a page if nothing was held. From any thread: one of them gets it.
  std::vector<std::byte> drain();

 private:
  FileDescriptor read_;
  FileDescriptor write_;
  std::atomic<bool> held_{false};
};

}  // namespace daxrace::kernel
