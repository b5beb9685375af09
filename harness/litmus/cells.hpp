#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "harness/base/types.hpp"

/// The columns of the safety table: what can be in flight, and what can come in between. Adding one is a line
/// in a table here and a case in actor.hpp.
namespace daxrace::litmus {

enum class Operation : std::uint8_t {
  punch,
  truncate_down,
  truncate_up,
  collapse,
  insert,
  zero,
  evict,
  write_hole
};
struct OperationInfo {
  std::string_view name;
  std::string_view head;  ///< of a table column
  std::string_view summary;
};
inline constexpr std::array<OperationInfo, 8> kOperations = {{
    {"punch", "punch", "punch hole of page 1"},
    {"truncate_down", "trunc-", "truncate to 1 page"},
    {"truncate_up", "trunc+", "truncate to 6 pages"},
    {"collapse", "collapse",
     "collapse range of page 0, or of page 1 where page 0 is to stay: what lies behind it moves down"},
    {"insert", "insert", "insert range at page 1: what lies there and behind it moves up"},
    {"zero", "zero", "zero range of page 1"},
    {"evict", "evict", "last unlink and close: all blocks are freed"},
    {"write_hole", "write", "write into a hole at page 1: a block is allocated"},
}};

enum class AccessKind : std::uint8_t {
  fault,
  load,
  store,
  fault_2m,
  read,
  write,
  nested_same,
  nested_other,
  nested_cross,
  aio_read,
  aio_write,
  gup_fast,
  gup_slow,
  gup_two,
  gup_again,
  pin,
  pin_fsync,
  pin_and_aio,
  lease_then_pin,
  pin_munmap,
  pin_unlink,
  pin_outside,
  pin_refault,
  pin_2m,
  pin_interrupted,
  pin_then_read,
  lease_prompt,
  lease_slow,
  lease_silent,
  lease_interrupted,
  lease_again,
  fsync,
  fsync_2m,
  zero_page,
  zero_page_fault
};
struct AccessInfo {
  std::string_view name;
  Hazard hazard;  ///< the one that the access is there to show
  std::uint32_t pages_per_entry;
  std::string_view summary;
};
inline constexpr std::array<AccessInfo, 35> kAccesses = {{
    {"fault", Hazard::h1, 1, "a store that faults first"},
    {"load", Hazard::h1, 1, "a load through a translation that stands"},
    {"store", Hazard::h1, 1, "a store through a translation that stands"},
    {"fault_2m", Hazard::h1, 4, "a fault of page 3 that maps its 2 MiB neighbours too, and a store to one"},
    {"read", Hazard::h2, 1, "a DAX read"},
    {"write", Hazard::h2, 1, "a DAX write"},
    {"nested_same", Hazard::h2, 1,
     "a DAX write whose buffer is a mapping of the same file: it faults inside"},
    {"nested_other", Hazard::h2, 1, "a DAX read whose buffer is a mapping of another file"},
    {"nested_cross", Hazard::h2, 1, "two files written crosswise, each out of a mapping of the other"},
    {"aio_read", Hazard::h3, 1, "direct I/O of the file, frames to device"},
    {"aio_write", Hazard::h3, 1, "direct I/O of the file, device to frames"},
    {"gup_fast", Hazard::h4, 1, "a device writes into a page that was pinned without a fault"},
    {"gup_slow", Hazard::h4, 1, "a device writes into a page that was pinned by a fault"},
    {"gup_two", Hazard::h4, 1, "two pages are pinned, the second by a fault; the first is let go first"},
    {"gup_again", Hazard::h4, 1, "a page is pinned, let go and pinned again"},
    {"pin", Hazard::h4, 1, "a page that a pipe has pinned"},
    {"pin_fsync", Hazard::h4, 1, "a page that a pipe has pinned, while fsync holds its entry's lock"},
    {"pin_and_aio", Hazard::h3, 1, "direct I/O that is submitted while the change waits for somebody's pin"},
    {"lease_then_pin", Hazard::h4, 1, "a lessee pins a page before it returns its layout"},
    {"pin_munmap", Hazard::h4, 1, "a pin that outlives munmap"},
    {"pin_unlink", Hazard::h4, 1, "a pin that outlives munmap, unlink and close"},
    {"pin_outside", Hazard::h4, 1, "a pin of a page that the layout change leaves alone"},
    {"pin_refault", Hazard::h4, 1, "a pinned page that is touched again before the pin is let go"},
    {"pin_2m", Hazard::h4, 4, "a pin of page 3 under the 2 MiB entry that the layout change takes apart"},
    {"pin_interrupted", Hazard::h6, 1, "a pin, and a signal to the layout change that waits for it"},
    {"pin_then_read", Hazard::h6, 1, "a pin whose holder reads the file before it lets go"},
    {"lease_prompt", Hazard::h5, 1, "a lessee that returns its layout as soon as it is recalled"},
    {"lease_slow", Hazard::h5, 1, "a lessee that goes on for a while"},
    {"lease_silent", Hazard::h5, 1, "a lessee that never returns its layout"},
    {"lease_interrupted", Hazard::h6, 1,
     "a lessee that never returns its layout, and a signal to the layout change that waits for it"},
    {"lease_again", Hazard::h5, 1, "a lessee that takes the layout again and again"},
    {"fsync", Hazard::h7, 1, "a store, then fsync; the layout changes elsewhere"},
    {"fsync_2m", Hazard::h7, 4, "the same under one 2 MiB entry"},
    {"zero_page", Hazard::h8, 1, "loads of a hole through the zero page"},
    {"zero_page_fault", Hazard::h8, 1,
     "a load through the zero page while somebody else's store faults a block in"},
}};

inline constexpr std::size_t kOperationCount = kOperations.size();
inline constexpr std::size_t kAccessCount = kAccesses.size();

constexpr const OperationInfo& info_of(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}
constexpr const AccessInfo& info_of(AccessKind access) { return kAccesses[static_cast<std::size_t>(access)]; }

/// Accesses that take two tasks.
constexpr bool takes_two(AccessKind access) {
  return access == AccessKind::nested_cross || access == AccessKind::pin_and_aio ||
         access == AccessKind::zero_page_fault;
}

/// Accesses during which the layout change that waits gets a signal.
constexpr bool is_interrupted(AccessKind access) {
  return access == AccessKind::pin_interrupted || access == AccessKind::lease_interrupted;
}

/// Accesses of several parts, in which one part may end while the change looks at another: both are stopped,
/// at each pair of their steps.
constexpr bool has_parts(AccessKind access) {
  return access == AccessKind::aio_write || access == AccessKind::gup_two ||
         access == AccessKind::gup_again || access == AccessKind::pin_and_aio ||
         access == AccessKind::lease_then_pin;
}

/// Accesses to a page that the layout change leaves alone, and leaves where it is.
constexpr bool is_elsewhere(AccessKind access) {
  return access == AccessKind::pin_outside || access == AccessKind::fsync;
}

/// Whether the two can meet at all. A file that is read, written, mapped or leased is open and cannot be
/// evicted; only a write changes what a hole reads.
constexpr bool can_meet(Operation operation, AccessKind access) {
  if (operation == Operation::evict || access == AccessKind::pin_unlink)
    return operation == Operation::evict && access == AccessKind::pin_unlink;
  const bool zero_page = access == AccessKind::zero_page || access == AccessKind::zero_page_fault;
  return (operation == Operation::write_hole) == zero_page;
}

/// One thing that a task does: an access, a layout change, or a fault by force, at a page; or, where a lock
/// is all that there is, to pass it.
struct Op {
  enum class Kind : std::uint8_t { access, change, refault, lock_shared, lock_exclusive };
  Kind kind = Kind::access;
  AccessKind access = AccessKind::fault;
  Operation operation = Operation::punch;
  PageOffset page = 1;
  bool helper = false;     ///< the second task of an access that takes two
  bool read_only = false;  ///< of a pin: the device only reads, so that nothing grows that is counted
};

}  // namespace daxrace::litmus
