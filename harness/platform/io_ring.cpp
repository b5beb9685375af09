#include "harness/platform/io_ring.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"

namespace daxrace {
namespace {

/// Tags of requests are the caller's; this one is ours.
constexpr std::uint64_t kPokeTag = ~std::uint64_t{0};

[[noreturn]] void misused(const char* what) noexcept {
  std::fprintf(stderr, "daxrace: IoRing: %s\n", what);
  std::abort();
}

/// Completions are posted when the owner enters the kernel or a flag says that it should, never by an
/// interrupt of whatever it is doing; older kernels know fewer of the flags.
constexpr std::array<unsigned, 3> kSetupFlags = {
    IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG,
    IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, IORING_SETUP_R_DISABLED};

}  // namespace

std::string io_uring_refusal(int error) {
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
  const std::string words = std::generic_category().message(error);
  if (error == ENOSYS) return "io_uring: this kernel has none";
  if (error == EPERM && disabled != 0)
    return fmt::format("io_uring: kernel.io_uring_disabled is {}", disabled);
  if (error == EPERM)
    return "io_uring: refused by seccomp or a security module (containers do that by default)";
  if (error == ENOMEM) return "io_uring: not enough locked memory (ulimit -l)";
  return fmt::format("io_uring: {}", words);
}

struct IoRing::Impl {
  Impl(const Peer& peer, unsigned depth_wanted);
  ~Impl() { io_uring_queue_exit(&ring); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void init_ring(unsigned entries);
  io_uring_sqe* next_sqe(unsigned in_flight) noexcept;
  void start(io_uring_sqe* sqe, std::uint8_t flags, std::uint64_t tag) noexcept;
  void submit() noexcept;
  void attach() noexcept;
  void arm_poke() noexcept;
  void take_poke() noexcept;
  bool take(Completion& out) noexcept;

  io_uring ring{};
  const Peer& peer;
  FileDescriptor poke_fd;
  std::atomic<bool> poke_written{false};  ///< the eventfd holds a poke that was not taken yet
  bool poked = false;                     ///< a poke was taken that no wait() has returned for
  bool attached = false;
  unsigned depth;
  int file;
  std::uint8_t file_flags = 0;
};

IoRing::Impl::Impl(const Peer& the_peer, unsigned depth_wanted)
    : peer(the_peer),
      poke_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      depth(depth_wanted),
      file(the_peer.fd()) {
  if (depth == 0) throw Error("queue depth 0: at least one request must be in flight");
  if (!poke_fd)
    throw Error(fmt::format("cannot create an eventfd: {}", std::generic_category().message(errno)));
  init_ring(depth + 2);  // and the poll on the eventfd, and its re-arming
  const int fd = peer.fd();
  if (io_uring_register_files(&ring, &fd, 1) == 0) {
    file = 0;
    file_flags = IOSQE_FIXED_FILE;
  }
}

void IoRing::Impl::init_ring(unsigned entries) {
  int result = -EINVAL;
  for (std::size_t i = 0; i < kSetupFlags.size() && result == -EINVAL; ++i) {
    result = io_uring_queue_init(entries, &ring, kSetupFlags[i]);
  }
  if (result == -EINVAL)
    throw Error(fmt::format("queue depth {}: more than this kernel's io_uring takes", depth));
  if (result < 0) throw Skipped(io_uring_refusal(-result));
  if ((ring.features & IORING_FEAT_EXT_ARG) == 0) {
    io_uring_queue_exit(&ring);
    throw Skipped("io_uring: this kernel is too old (5.11 or later is needed)");
  }
}

/// The ring belongs to the thread that enables it: the worker, not the one that made the ring.
void IoRing::Impl::attach() noexcept {
  attached = true;
  // liburing 2.3 declares io_uring_enable_rings() and does not export it.
  if (syscall(SYS_io_uring_register, ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) != 0) {
    misused("cannot be enabled");
  }
  arm_poke();
  submit();
}

void IoRing::Impl::arm_poke() noexcept {
  io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
  if (sqe == nullptr) misused("no room to wait for a poke");
  io_uring_prep_poll_add(sqe, poke_fd.get(), POLLIN);
  io_uring_sqe_set_data64(sqe, kPokeTag);
}

void IoRing::Impl::take_poke() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(poke_fd.get(), &count, sizeof count);
  // After the read: a poke in between is covered by the wait() that returns for this one.
  poke_written.exchange(false, std::memory_order_acq_rel);
  poked = true;
  arm_poke();
  submit();
}

io_uring_sqe* IoRing::Impl::next_sqe(unsigned in_flight) noexcept {
  if (!attached) attach();
  if (in_flight >= depth) misused("more requests in flight than its depth");
  return io_uring_get_sqe(&ring);
}

void IoRing::Impl::start(io_uring_sqe* sqe, std::uint8_t flags, std::uint64_t tag) noexcept {
  sqe->flags = flags;
  io_uring_sqe_set_data64(sqe, tag);
  submit();
}

void IoRing::Impl::submit() noexcept {
  for (;;) {
    const int result = io_uring_submit(&ring);
    if (result >= 0) return;
    // Momentary shortages; the request stays queued.
    if (result != -EINTR && result != -EAGAIN && result != -EBUSY && result != -ENOMEM) {
      misused("used from two threads, or the kernel refuses to take requests");
    }
  }
}

/// The next completion of a request; a poke on the way is taken.
bool IoRing::Impl::take(Completion& out) noexcept {
  io_uring_cqe* cqe = nullptr;
  while (io_uring_peek_cqe(&ring, &cqe) == 0 && cqe != nullptr) {
    out = {cqe->user_data, cqe->res};
    io_uring_cqe_seen(&ring, cqe);
    if (out.tag != kPokeTag) return true;
    take_poke();
  }
  return false;
}

IoRing::IoRing(const Peer& peer, unsigned depth) : impl_(std::make_unique<Impl>(peer, depth)) {}

/// The kernel may still write into the buffers, so what is in flight is waited for where this thread can.
IoRing::~IoRing() {
  constexpr std::uint64_t kPatienceNs = 1'000'000'000;
  Completion ignored{};
  for (int i = 0; i < 10 && in_flight_ > 0; ++i) {
    wait(kPatienceNs);
    while (reap(ignored)) continue;
  }
}

void IoRing::submit_read(std::byte* to, std::size_t slot, std::uint64_t tag) noexcept {
  io_uring_sqe* const sqe = impl_->next_sqe(in_flight_);
  io_uring_prep_read(sqe, impl_->file, to, static_cast<unsigned>(impl_->peer.block_bytes()),
                     impl_->peer.offset_of(slot));
  impl_->start(sqe, impl_->file_flags, tag);
  ++in_flight_;
}

void IoRing::submit_write(const std::byte* from, std::size_t slot, std::uint64_t tag) noexcept {
  io_uring_sqe* const sqe = impl_->next_sqe(in_flight_);
  io_uring_prep_write(sqe, impl_->file, from, static_cast<unsigned>(impl_->peer.block_bytes()),
                      impl_->peer.offset_of(slot));
  impl_->start(sqe, impl_->file_flags, tag);
  ++in_flight_;
}

void IoRing::submit_file_read(int fd, std::byte* to, std::uint64_t offset, std::uint64_t tag) noexcept {
  io_uring_sqe* const sqe = impl_->next_sqe(in_flight_);
  io_uring_prep_read(sqe, fd, to, static_cast<unsigned>(impl_->peer.block_bytes()), offset);
  impl_->start(sqe, 0, tag);
  ++in_flight_;
}

void IoRing::submit_file_write(int fd, const std::byte* from, std::uint64_t offset,
                               std::uint64_t tag) noexcept {
  io_uring_sqe* const sqe = impl_->next_sqe(in_flight_);
  io_uring_prep_write(sqe, fd, from, static_cast<unsigned>(impl_->peer.block_bytes()), offset);
  impl_->start(sqe, 0, tag);
  ++in_flight_;
}

bool IoRing::reap(Completion& out) noexcept {
  if (in_flight_ == 0 || !impl_->take(out)) return false;
  --in_flight_;
  return true;
}

void IoRing::wait(std::uint64_t timeout_ns) noexcept {
  if (!impl_->attached) impl_->attach();
  if (!impl_->poked) {
    constexpr std::uint64_t kSecondNs = 1'000'000'000;
    __kernel_timespec timeout{};
    timeout.tv_sec = static_cast<std::int64_t>(timeout_ns / kSecondNs);
    timeout.tv_nsec = static_cast<long long>(timeout_ns % kSecondNs);
    const bool forever = timeout_ns == ~std::uint64_t{0};
    io_uring_cqe* cqe = nullptr;
    io_uring_wait_cqes(&impl_->ring, &cqe, 1, forever ? nullptr : &timeout, nullptr);
    if (cqe == nullptr || cqe->user_data != kPokeTag) return;
    io_uring_cqe_seen(&impl_->ring, cqe);
    impl_->take_poke();
  }
  impl_->poked = false;
}

void IoRing::poke() noexcept {
  if (impl_->poke_written.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  // It can fail only if the counter is full, and then it is readable anyway.
  [[maybe_unused]] const ssize_t put = write(impl_->poke_fd.get(), &one, sizeof one);
}

}  // namespace daxrace
