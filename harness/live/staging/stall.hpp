#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "harness/base/file_descriptor.hpp"

namespace daxrace::kernel {

/// Two pages of anonymous memory, of which the second is not there until we give it: whoever copies across
/// the border sleeps in the kernel, with every lock that he holds, for as long as we like.
class StallingBuffer {
 public:
  /// Throws Skipped where the kernel gives no userfaultfd, with what would give one.
  StallingBuffer();
  ~StallingBuffer();
  StallingBuffer(const StallingBuffer&) = delete;
  StallingBuffer& operator=(const StallingBuffer&) = delete;

  std::byte* first() const { return memory_; }
  std::byte* second() const;  ///< touching it before it is given stops the caller
  /// True once somebody has stopped at the second page.
  bool somebody_stopped(std::uint64_t bound_ns);
  /// Gives the second page, with this content; the first time counts.
  void give(std::span<const std::byte> page);

 private:
  FileDescriptor uffd_;
  std::byte* memory_ = nullptr;
  bool given_ = false;
};

}  // namespace daxrace::kernel
