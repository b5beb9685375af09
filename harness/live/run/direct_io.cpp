#include "harness/live/run/direct_io.hpp"

#include <cerrno>

#include <liburing.h>

#include "harness/base/error.hpp"
#include "harness/platform/io_ring.hpp"

namespace daxrace::kernel {

struct DirectIo::Ring {
  io_uring uring{};
};

DirectIo::DirectIo() : ring_(std::make_unique<Ring>()) {
  if (const int error = io_uring_queue_init(2, &ring_->uring, 0); error < 0)
    throw Skipped(io_uring_refusal(-error));
}

DirectIo::~DirectIo() { io_uring_queue_exit(&ring_->uring); }

long DirectIo::read(int fd, std::byte* to, std::size_t bytes, std::uint64_t offset) noexcept {
  io_uring_prep_read(io_uring_get_sqe(&ring_->uring), fd, to, static_cast<unsigned>(bytes), offset);
  return finish();
}

long DirectIo::write(int fd, const std::byte* from, std::size_t bytes, std::uint64_t offset) noexcept {
  io_uring_prep_write(io_uring_get_sqe(&ring_->uring), fd, from, static_cast<unsigned>(bytes), offset);
  return finish();
}

long DirectIo::finish() noexcept {
  io_uring_cqe* cqe = nullptr;
  int error = io_uring_submit_and_wait(&ring_->uring, 1);
  // A signal must not leave the request behind: its buffer is still the device's.
  do {
    error = io_uring_wait_cqe(&ring_->uring, &cqe);
  } while (error == -EINTR);
  if (error < 0) return error;
  const long result = cqe->res;
  io_uring_cqe_seen(&ring_->uring, cqe);
  return result;
}

}  // namespace daxrace::kernel
