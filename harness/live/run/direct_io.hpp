#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace daxrace::kernel {

/// One O_DIRECT request at a time through io_uring: between any file and any memory, a mapping of ours
/// included.
class DirectIo {
 public:
  DirectIo();  ///< throws Skipped where the kernel refuses io_uring
  ~DirectIo();
  DirectIo(const DirectIo&) = delete;
  DirectIo& operator=(const DirectIo&) = delete;

  /// Bytes, or -errno.
  long read(int fd, std::byte* to, std::size_t bytes, std::uint64_t offset) noexcept;
  long write(int fd, const std::byte* from, std::size_t bytes, std::uint64_t offset) noexcept;

 private:
  struct Ring;
  long finish() noexcept;
  std::unique_ptr<Ring> ring_;
};

}  // namespace daxrace::kernel
