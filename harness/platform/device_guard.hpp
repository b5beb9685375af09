#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <sys/types.h>

#include "harness/base/file_descriptor.hpp"

/// What stands between daxrace and other people's data. Everything that is ever written to is opened here: a
/// file of our own, or a device that nobody holds, on which nothing that anybody could miss was found, and
/// for which the user said --destroy-data. All of it is locked (flock) for as long as it is open.
namespace daxrace {

class Pmem2Source;

/// Our label: what the first page of every file and device of ours holds, and how the next run knows them
/// again.
inline constexpr std::size_t kLabelBytes = 4096;
using LabelPage = std::array<std::byte, kLabelBytes>;

/// A label with a new random uuid.
LabelPage make_label();
/// Whether `bytes` begin with a whole and undamaged label of ours.
bool is_label(std::span<const std::byte> bytes);

/// The name of a known signature (file system, partition table, RAID or LVM member, swap, pmem pool, ...) on
/// something of `total_bytes` of which only the first and the last part are given; empty if there is none.
std::string known_signature(std::span<const std::byte> head, std::span<const std::byte> tail,
                            std::uint64_t total_bytes);

/// Who holds a character device open or mapped, as `PID (NAME)`, other than this process; empty if nobody
/// that we can see.
std::string device_holder(dev_t device);

/// A regular file of our own. It is created, or taken over if it carries our label; anything else is refused.
/// The destructor removes it.
class OwnFile {
 public:
  OwnFile() = default;
  /// The file holds nothing but the label afterwards. Throws Error.
  explicit OwnFile(const std::string& path);
  ~OwnFile();
  OwnFile(OwnFile&& other) noexcept = default;
  OwnFile& operator=(OwnFile&&) = delete;

  /// Gives it blocks for `bytes` in one piece, as far as the file system can, while it holds nothing but the
  /// label: only extents that are large and aligned can be mapped hugely. Throws Error.
  void reserve(std::uint64_t bytes);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  FileDescriptor fd_;
};

/// Opens a directory and locks it, so that a second daxrace on it is refused. Throws Error.
FileDescriptor lock_directory(const std::string& path);

/// Opens and locks a devdax device after everything in this header's first lines was checked. Throws Error.
FileDescriptor open_devdax(const std::string& path, bool destroy_data);
/// The second half, once the device can be read: throws Error if it carries a known signature that is not our
/// label, then writes our label. `label_bytes` at its start are ours from then on.
void claim_devdax(Pmem2Source& source, const std::string& path);

/// Opens, locks and labels a scratch block device for direct I/O (never as a backing). Throws Error.
FileDescriptor open_scratch_disk(const std::string& path, bool destroy_data);

/// Overwrites `bytes` from `offset` on with zeros, by real writes, so that nothing is a hole or an unwritten
/// extent. Works with O_DIRECT. Throws Error naming `path`, with the file system where it is full.
void write_zeros(int fd, std::uint64_t offset, std::uint64_t bytes, const std::string& path);

/// One line: `cannot WHAT PATH: the system's words`.
std::string system_error_line(const char* what, const std::string& path, int error);

}  // namespace daxrace
