#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"
#include "harness/platform/device_guard.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/mount_info.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace {
namespace {

constexpr double kAsyncShare = 0.9;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

void turn_on_direct(int fd, const std::string& path) {
  // Newer kernels take the flag on tmpfs and copy all the same.
  const bool direct = fs_name_of(fd) != "tmpfs";
  // Not at open(2): a file system without O_DIRECT would create the file and then refuse it.
  const int flags = fcntl(fd, F_GETFL);
  if (direct && flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0) return;
  throw Error(fmt::format("{}: {} does not take O_DIRECT; name a file on a disk file system (--peer-file)",
                          path, fs_name_of(fd)));
}

/// What offsets and lengths of direct I/O must be multiples of.
std::size_t direct_alignment(int fd, const std::string& path) {
  constexpr std::size_t kSafeBytes = 4096;
  if (int sector = 0; ioctl(fd, BLKSSZGET, &sector) == 0) return static_cast<std::size_t>(sector);
#ifdef STATX_DIOALIGN
  struct statx info {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &info) == 0 && (info.stx_mask & STATX_DIOALIGN) != 0) {
    if (info.stx_dio_offset_align == 0) {
      throw Error(
          fmt::format("{}: {} does not do direct I/O on this file; name a file on a disk file system "
                      "(--peer-file)",
                      path, fs_name_of(fd)));
    }
    return info.stx_dio_offset_align;
  }
#endif
  return kSafeBytes;
}

/// A file without a name: nobody can mistake it for theirs, and nothing is left however we end.
FileDescriptor open_unnamed_file(const std::string& directory) {
  FileDescriptor fd(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  std::string name = directory + "/daxrace-peer-XXXXXX";
  fd = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
  if (fd) unlink(name.c_str());
  return fd;
}

std::vector<std::string> default_directories() {
  std::vector<std::string> all = {"results/local"};
  if (const char* temporary = std::getenv("TMPDIR"); temporary != nullptr && *temporary != '\0') {
    all.emplace_back(temporary);
  }
  all.emplace_back("/var/tmp");
  return all;
}

void set_read(io_uring& ring, int fd, const NodeBuffer& buffer, std::uint64_t offset) {
  io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
  io_uring_prep_read(sqe, fd, buffer.data(), static_cast<unsigned>(buffer.size()), offset);
}

/// Share of reads that were still going on when their submission had returned.
double measure_async_share(const Peer& peer) {
  constexpr int kReads = 200;
  const NodeBuffer buffer(peer.block_bytes(), -1);
  // A plain ring: whatever is complete when submit returns has been posted.
  io_uring ring{};
  if (const int result = io_uring_queue_init(2, &ring, 0); result < 0) {
    throw Skipped(io_uring_refusal(-result));
  }
  int later = 0;
  int error = 0;
  for (int i = 0; i < kReads && error == 0; ++i) {
    set_read(ring, peer.fd(), buffer, peer.offset_of(static_cast<std::size_t>(i) % peer.slots()));
    io_uring_cqe* cqe = nullptr;
    if (io_uring_submit(&ring) < 0) error = EIO;
    if (io_uring_cq_ready(&ring) == 0) ++later;
    while (error == 0 && io_uring_wait_cqe(&ring, &cqe) == -EINTR) continue;
    if (cqe == nullptr) break;
    if (cqe->res != static_cast<int>(peer.block_bytes())) error = cqe->res < 0 ? -cqe->res : EIO;
    io_uring_cqe_seen(&ring, cqe);
  }
  io_uring_queue_exit(&ring);
  if (error != 0) throw Error(system_error_line("read with O_DIRECT from", peer.path(), error));
  return static_cast<double>(later) / kReads;
}

}  // namespace

struct Peer::Holder {
  std::optional<OwnFile> file;
  FileDescriptor fd;  ///< a disk, or a file without a name
  NodeBuffer bounce;

  int get() const { return file ? file->fd() : fd.get(); }
};

Peer::Peer(std::unique_ptr<Holder> holder, std::string path, std::size_t block_bytes, std::size_t slots)
    : holder_(std::move(holder)),
      path_(std::move(path)),
      fd_(holder_->get()),
      block_bytes_(block_bytes),
      slots_(slots) {
  turn_on_direct(fd_, path_);
  const std::size_t alignment = direct_alignment(fd_, path_);
  if (block_bytes == 0 || slots == 0 || block_bytes % alignment != 0) {
    throw Error(fmt::format("{}: {} blocks of {} bytes do not suit direct I/O, which goes by multiples of {}",
                            path_, slots, block_bytes, alignment));
  }
  base_ = round_up(kLabelBytes, alignment);
  std::uint64_t disk_bytes = 0;
  if (ioctl(fd_, BLKGETSIZE64, &disk_bytes) == 0 && disk_bytes < base_ + block_bytes * slots) {
    throw Error(
        fmt::format("{}: holds {} bytes and {} are needed", path_, disk_bytes, base_ + block_bytes * slots));
  }
  // Really written: reads of holes and unwritten extents would complete without the device.
  write_zeros(fd_, base_, std::uint64_t{block_bytes} * slots, path_);
  holder_->bounce = NodeBuffer(block_bytes, -1);
  async_share_ = measure_async_share(*this);
}

Peer::~Peer() = default;

std::unique_ptr<Peer> Peer::open(const std::string& path, std::size_t block_bytes, std::size_t slots,
                                 bool destroy_data) {
  if (path.empty()) return open_unnamed(block_bytes, slots);
  auto holder = std::make_unique<Holder>();
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && S_ISBLK(info.st_mode)) {
    holder->fd = open_scratch_disk(path, destroy_data);
  } else {
    holder->file.emplace(path);
  }
  return std::unique_ptr<Peer>(new Peer(std::move(holder), path, block_bytes, slots));
}

std::unique_ptr<Peer> Peer::open_unnamed(std::size_t block_bytes, std::size_t slots) {
  std::unique_ptr<Peer> best;
  std::string reasons;
  for (const std::string& directory : default_directories()) {
    try {
      auto holder = std::make_unique<Holder>();
      holder->fd = open_unnamed_file(directory);
      if (!holder->fd) throw Error(system_error_line("make a file in", directory, errno));
      std::unique_ptr<Peer> peer(new Peer(std::move(holder), directory + "/(unnamed)", block_bytes, slots));
      if (!best || peer->async_share() > best->async_share()) best = std::move(peer);
      if (best->async_share() >= kAsyncShare) break;
    } catch (const Error& error) {
      reasons += fmt::format("{}{}", reasons.empty() ? "" : "; ", error.what());
    }
  }
  if (!best) throw Error(fmt::format("no place for a peer file (name one with --peer-file): {}", reasons));
  return best;
}

std::uint64_t Peer::offset_of(std::size_t slot) const { return base_ + std::uint64_t{slot} * block_bytes_; }

void Peer::fill(std::size_t slot, const void* block) {
  std::memcpy(holder_->bounce.data(), block, block_bytes_);
  std::size_t done = 0;
  while (done < block_bytes_) {
    const ssize_t now = pwrite(fd_, holder_->bounce.data() + done, block_bytes_ - done,
                               static_cast<off_t>(offset_of(slot) + done));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) throw Error(system_error_line("write", path_, now < 0 ? errno : EIO));
    done += static_cast<std::size_t>(now);
  }
}

}  // namespace daxrace
