#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "harness/base/types.hpp"

/// The running kernel as the target: real files of a mounted file system, whose protocol is the kernel's own.
namespace daxrace::kernel {

/// The file of a scene: `kPages` pages, of which [kFirst, kFirst + kCount) are changed.
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr unsigned kPages = 16;
inline constexpr unsigned kFirst = 4;
inline constexpr unsigned kCount = 4;
inline constexpr unsigned kGrownPages = 24;
/// A page that every layout change leaves alone.
inline constexpr unsigned kOutside = 1;

enum class Operation : std::uint8_t {
  punch,
  truncate_down,
  truncate_up,
  collapse,
  insert,
  zero,
  evict,
  write_hole,
  clone,
  dedupe,
  unshare
};
struct OperationInfo {
  std::string_view name, label, what;
};
inline constexpr std::array<OperationInfo, 11> kOperations = {{
    {"punch", "punch", "punch hole of pages 4 to 7"},
    {"truncate_down", "trunc-", "truncate to 4 pages"},
    {"truncate_up", "trunc+", "truncate from 16 to 24 pages"},
    {"collapse", "collapse", "collapse range of pages 4 to 7"},
    {"insert", "insert", "insert range of 4 pages at page 4"},
    {"zero", "zero", "zero range of pages 4 to 7"},
    {"evict", "evict", "last close of an unlinked file"},
    {"write_hole", "write", "write() to a page that was a hole"},
    {"clone", "clone", "clone 4 pages of another file over pages 4 to 7"},
    {"dedupe", "dedupe", "deduplicate pages 4 to 7 against another file"},
    {"unshare", "unshare", "unshare pages 4 to 7, which another file shares"},
}};

enum class Access : std::uint8_t {
  mapped,
  faults,
  read,
  write,
  nested_fault,
  dio_read,
  pin,
  pin_munmap,
  pin_unlink,
  pin_outside,
  dio_pin,
  dio_pin_munmap,
  pin_refault,
  pin_stream,
  pin_then_read,
  crosswise,
  pin_freeze,
  frozen_store,
  pin_umount,
  fsync,
  fsync_sync,
  zero_page_fault
};
struct AccessInfo {
  std::string_view name;
  Hazard hazard;
  std::string_view what;
};
inline constexpr std::array<AccessInfo, 22> kAccesses = {{
    {"mapped", Hazard::h1, "a translation that stands; what it shows afterwards"},
    {"faults", Hazard::h6, "a thread that keeps faulting page 4 in"},
    {"read", Hazard::h2, "read() stopped in mid-copy: the next page of its buffer is ours to give"},
    {"write", Hazard::h2, "write() stopped in mid-copy"},
    {"nested_fault", Hazard::h2, "write() stopped before it faults on a mapping of the same file"},
    {"dio_read", Hazard::h3, "O_DIRECT read of a file not on DAX, stopped while it pins its buffer"},
    {"pin", Hazard::h4, "page 4 of the mapping in a pipe (vmsplice)"},
    {"pin_munmap", Hazard::h4, "the same, and the mapping is gone"},
    {"pin_unlink", Hazard::h4, "the same, and the file is unlinked; its last close is the change"},
    {"pin_outside", Hazard::h4, "page 1, which the change leaves alone, in a pipe"},
    {"dio_pin", Hazard::h4, "page 4 pinned by an O_DIRECT read of a device that is stopped"},
    {"dio_pin_munmap", Hazard::h4, "the same, and the mapping is gone"},
    {"pin_refault", Hazard::h6, "a pinned page that is touched again before the pin is let go"},
    {"pin_stream", Hazard::h6, "page 4 pinned over and over, always at least once"},
    {"pin_then_read", Hazard::h6, "a pin whose holder reads the file before it lets go"},
    {"crosswise", Hazard::h6, "two files changed at once, each with the pin that the other's change lets go"},
    {"pin_freeze", Hazard::h6, "a pin, and the file system is frozen while the change waits for it"},
    {"frozen_store", Hazard::h6, "a store and a change of a frozen file system, then the thaw"},
    {"pin_umount", Hazard::h6, "a pin, and the file system is unmounted while the change waits for it"},
    {"fsync", Hazard::h7, "page 1 stored through a mapping, then the change elsewhere, then fsync"},
    {"fsync_sync", Hazard::h7, "the same through a MAP_SYNC mapping"},
    {"zero_page_fault", Hazard::h8, "a store that allocates the block of a hole whose zero page is mapped"},
}};

constexpr const OperationInfo& info_of(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}
constexpr const AccessInfo& info_of(Access access) { return kAccesses[static_cast<std::size_t>(access)]; }

/// A file that is mapped, read or written is open and cannot be evicted; only a write fills a hole.
constexpr bool can_meet(Operation operation, Access access) {
  return (operation == Operation::evict) == (access == Access::pin_unlink) &&
         (operation == Operation::write_hole) == (access == Access::zero_page_fault);
}

constexpr bool needs_reflink(Operation operation) {
  return operation == Operation::clone || operation == Operation::dedupe || operation == Operation::unshare;
}

/// What is done to the whole file system, and only where it was asked for.
struct Allowed {
  bool freeze = false, umount = false;
};

/// How a cell came out, worst first.
enum class Outcome : std::uint8_t {
  content_changed,  ///< somebody read or wrote what was no longer his
  unflushed,        ///< fsync returned and a stored page had not been written back
  hang,             ///< what they may have waited for is over, and they have not ended at the bound
  spin,             ///< the change uses a CPU without end
  starved,          ///< the change ended only once the others had stopped
  inconclusive,     ///< what was needed to judge did not happen
  overlapped,       ///< the change went ahead; nothing came of it
  waited,           ///< the change slept until the access was over
  flushed,          ///< fsync wrote the stored page back
  skipped           ///< cannot be staged here
};
inline constexpr std::array<std::string_view, 10> kOutcomeNames = {
    "content_changed", "unflushed",  "hang",   "spin",    "starved",
    "inconclusive",    "overlapped", "waited", "flushed", "skipped"};

}  // namespace daxrace::kernel
