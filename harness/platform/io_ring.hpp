#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace daxrace {

/// The block file on the other side of O_DIRECT: "the device" of aio, "the other file" of gup.
/// It is laid out as `slots` blocks of `block_bytes`; what lies in them is the caller's business.
class Peer {
 public:
  /// `path` empty: an unnamed file in results/local, $TMPDIR or /var/tmp, whichever takes O_DIRECT and
  /// completes asynchronously. A named file is created, or taken over if it carries our own label, and
  /// removed at the end; a block device is taken only when `destroy_data` says so, nothing holds it and
  /// nothing known lies on it (a null_blk or scratch disk in the guest). Throws Error, or Skipped where there
  /// is no io_uring.
  static std::unique_ptr<Peer> open(const std::string& path, std::size_t block_bytes, std::size_t slots,
                                    bool destroy_data);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int fd() const { return fd_; }
  std::size_t block_bytes() const { return block_bytes_; }
  std::size_t slots() const { return slots_; }
  /// Byte offset of a slot in the file.
  std::uint64_t offset_of(std::size_t slot) const;
  const std::string& path() const { return path_; }
  /// Writes a block synchronously, before an episode starts.
  void fill(std::size_t slot, const void* block);
  /// Share of 200 reads whose completion came after submit had returned (0..1). Below 0.9 the peer "completes
  /// inline": there would be no I/O in flight at all. Measured once, at open.
  double async_share() const { return async_share_; }

 private:
  struct Holder;
  Peer(std::unique_ptr<Holder> holder, std::string path, std::size_t block_bytes, std::size_t slots);
  static std::unique_ptr<Peer> open_unnamed(std::size_t block_bytes, std::size_t slots);

  std::unique_ptr<Holder> holder_;
  std::string path_;
  int fd_ = -1;
  std::size_t block_bytes_ = 0;
  std::size_t slots_ = 0;
  std::uint64_t base_ = 0;
  double async_share_ = 0;
};

/// Why the kernel refused io_uring, from its errno: a sysctl, seccomp, a limit, or that it has none.
std::string io_uring_refusal(int error);

/// One io_uring of one worker. All I/O is O_DIRECT between a buffer and a peer block. Nothing here locks or
/// allocates after construction.
class IoRing {
 public:
  /// Throws Skipped if the kernel refuses io_uring (with the sysctl or seccomp reason where that can be
  /// told).
  IoRing(const Peer& peer, unsigned depth);
  ~IoRing();
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  /// Queues and submits one request; `tag` comes back with its completion. `depth` requests at most may be in
  /// flight.
  void submit_read(std::byte* to, std::size_t slot, std::uint64_t tag) noexcept;
  void submit_write(const std::byte* from, std::size_t slot, std::uint64_t tag) noexcept;
  /// The same with a block at `offset` of another file, open for direct I/O.
  void submit_file_read(int fd, std::byte* to, std::uint64_t offset, std::uint64_t tag) noexcept;
  void submit_file_write(int fd, const std::byte* from, std::uint64_t offset, std::uint64_t tag) noexcept;

  struct Completion {
    std::uint64_t tag;
    std::int32_t result;  ///< bytes, or -errno
  };
  /// Takes one completion if there is one; no system call unless the kernel asks for it.
  bool reap(Completion& out) noexcept;
  /// Sleeps in the kernel until a completion is there, poke() was called, or `timeout_ns` has passed.
  void wait(std::uint64_t timeout_ns) noexcept;
  /// From any thread: makes a wait() that is going on, or the next one, return.
  void poke() noexcept;
  unsigned in_flight() const noexcept { return in_flight_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  unsigned in_flight_ = 0;
};

}  // namespace daxrace
