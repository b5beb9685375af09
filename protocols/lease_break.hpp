#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// XFS whole, from 4.18: xfs_break_layouts(BREAK_UNMAP) breaks busy pages and layout leases, and starts over
/// while anything was unlocked (xfs_file_fallocate, xfs_vn_setattr); a write breaks leases too
/// (xfs_file_aio_write_checks, BREAK_WRITE). Leases stand for the kernel's FL_LAYOUT leases, as nfsd takes
/// them for pNFS clients.
struct lease_break : MadeOf<MmaplockedFaults, IolockedIo, KernelEviction, BusyPagesUnderIolock,
                            SilentLesseesWaitedFor, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "lease_break",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5, Hazard::h6, Hazard::h7,
                          Hazard::h8),
      .stands_for = "XFS from 4.18: xfs_break_layouts(BREAK_UNMAP) in xfs_file_fallocate, xfs_vn_setattr",
      .summary = "IOLOCK excl; MMAPLOCK excl; break busy pages and leases; inode_dio_wait; flush_unmap",
  };

  template <class K, class Body>
  static void write(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    bool retry = false;
    Exclusive iolock(k, ip.i_rwsem);
    if (break_leased_layouts(k, ip, &retry, Locked::iolock_only, kSilent) == 0) body();
  }

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_layouts(k, ip, BreakReason::unmap, kSilent)) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
