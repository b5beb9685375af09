#pragma once

#include "harness/base/protocol_info.hpp"

/// Promises that kernels are found to break, shared by the protocols that model them.
namespace daxrace::core {

inline constexpr Finding kEvictionIgnoresPins{
    .hazard = Hazard::h4,
    .operation = "evict",
    .access = "pin_unlink",
    .refcount = "ref1",
    .signs = Signs(Sign::freed_busy, Sign::stale_access, Sign::corruption),
    .in_run = false,
    .kernel = "truncate_inode_pages_final in ext4_evict_inode and XFS's inode eviction, up to 6.14",
    .mechanism =
        "a pin outlives munmap, unlink and close; eviction looks at no page reference and frees the "
        "block under the device",
    .remedy = "dax_break_layout_final, which both call from 6.15 on (here: ref0)",
    .id = "pin-outlives-unlink"};

constexpr Finding pin_holder_needs_lock(std::string_view operation) {
  return {.hazard = Hazard::h6,
          .operation = operation,
          .access = "pin_then_read",
          .refcount = "",
          .signs = Sign::pin_and_lock,
          .in_run = false,
          .kernel = "xfs_wait_dax_page and ext4_wait_dax_page: the callers keep IOLOCK",
          .mechanism =
              "the layout change keeps IOLOCK while it sleeps for a pin, and the pin's holder sleeps for "
              "IOLOCK in a read of the same file: a deadlock that only a signal to the layout change ends",
          .remedy = "none in a kernel; range locks keep it to reads of the range that changes",
          .id = "pin-holder-needs-lock"};
}
inline constexpr Finding kPinHolderNeedsIolock = pin_holder_needs_lock("");

constexpr Finding mapped_again(std::string_view access) {
  return {.hazard = Hazard::h6,
          .operation = "",
          .access = access,
          .refcount = "ref0",
          .signs = Sign::page_mapped,
          .in_run = true,
          .kernel = "wait_page_idle and dax_page_is_idle in fs/dax.c, from 6.15",
          .mechanism =
              "the waiter drops MMAPLOCK and waits for a count of 0; a fault meanwhile maps the page "
              "again, and a mapping holds a reference: the count stays up when the pin is gone, until "
              "somebody unmaps the page or sends a signal",
          .remedy =
              "to wait for \"not busy\" with a wake-up at every put, or to unmap and scan again after "
              "every wake-up",
          .id = "refault-hang"};
}
inline constexpr Finding kMappedAgainByGup = mapped_again("gup_again");
inline constexpr Finding kMappedAgainByTouch = mapped_again("pin_refault");

inline constexpr Finding kPinnedAgain{
    .hazard = Hazard::h6,
    .operation = "",
    .access = "gup_fast",
    .refcount = "",
    .signs = Sign::starved_page,
    .in_run = true,
    .kernel = "xfs_wait_dax_page and ext4_wait_dax_page, wait_page_idle from 6.15: MMAPLOCK is dropped",
    .mechanism =
        "nothing holds new pins off while the layout change sleeps for an old one: the page is faulted in "
        "and "
        "pinned anew before the count is idle, or before the woken waiter has MMAPLOCK again; as long as "
        "pins "
        "keep coming, the change need never end",
    .remedy = "none in a kernel but a signal; faults that queue behind a change that had to wait before",
    .id = "starved-by-pins"};
inline constexpr Finding kFaultedAgain{
    .hazard = Hazard::h6,
    .operation = "",
    .access = "fault",
    .refcount = "ref0",
    .signs = Sign::starved_page,
    .in_run = true,
    .kernel = "dax_busy_page and wait_page_idle in fs/dax.c, from 6.15",
    .mechanism =
        "an unmap drops its reference only after the TLB is flushed: until then the page looks busy; the "
        "layout change sleeps for a count of 0 with MMAPLOCK dropped, and a fault maps the page again",
    .remedy = "to wait for \"not busy\" and not for a count of 0",
    .id = "starved-by-faults"};

constexpr Finding dirty_tag_lost(std::string_view operation) {
  return {.hazard = Hazard::h7,
          .operation = operation,
          .access = "fsync_2m",
          .refcount = "",
          .signs = Sign::unflushed,
          .in_run = false,
          .kernel = "dax_delete_mapping_entry under truncate_pagecache and truncate_pagecache_range",
          .mechanism =
              "a 2 MiB entry that the change only touches is removed whole, its dirty tag with it: a "
              "later fsync does not flush what was stored in the pages that stay",
          .remedy =
              "to write the entry back before it is removed, with faults held off, as XFS does for "
              "fallocate (xfs_flush_unmap_range)",
          .id = "tag-lost-in-large-entry"};
}
inline constexpr Finding kDirtyTagLostByTruncate = dirty_tag_lost("truncate_down");
inline constexpr Finding kDirtyTagLostByPunch = dirty_tag_lost("punch");
inline constexpr Finding kDirtyTagLostByZero = dirty_tag_lost("zero");

inline constexpr Finding kZeroPageOutlivesAllocation{
    .hazard = Hazard::h8,
    .operation = "write_hole",
    .access = "zero_page_fault",
    .refcount = "",
    .signs = Sign::stale_zero_page,
    .in_run = true,
    // Seen once in 1.8 million operations with delays between the steps, and not in 7.7 million without.
    .most_per_million = 20,
    .kernel = "dax_iomap_pte_fault and dax_insert_entry in fs/dax.c; seen on 6.1 and 7.3, XFS and ext4",
    .mechanism =
        "a store to a hole allocates the block under MMAPLOCK and unmaps the zero page after that; a write "
        "of the file under IOLOCK in between finds the block, takes it for an old one, unmaps nothing and "
        "returns, and a load through the zero page then sees zeros where data was written",
    .remedy = "to unmap the zero page before the block is allocated, under the entry lock",
    .id = "zero-page-outlives-allocation"};

inline constexpr Finding kSilentLessee{
    .hazard = Hazard::h6,
    .operation = "",
    .access = "lease_silent",
    .refcount = "",
    .signs = Sign::lease,
    .in_run = false,
    .kernel = "an FL_LAYOUT lease whose holder sets no break time and does not fence",
    .mechanism =
        "whoever changes the layout waits for as long as the lessee keeps it, and nothing in the wait bounds "
        "that: nfsd bounds it itself (to 6.12 it polls the client for two lease periods, then fences it), "
        "but "
        "not while all of its threads wait here and none is left to serve the LAYOUTRETURN",
    .remedy = "a grace time after which the client is fenced (the protocol lease_revoke; nfsd of 7.x)",
    .id = "silent-lessee"};

}  // namespace daxrace::core
