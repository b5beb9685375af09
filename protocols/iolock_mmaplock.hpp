#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// XFS as the 2018 mail describes it, without layout leases: both locks exclusive, busy pages broken, then
/// direct I/O waited for, then flush_unmap (xfs_file_fallocate with xfs_free_file_space, xfs_vn_setattr with
/// xfs_setattr_size; 4.18).
struct iolock_mmaplock
    : MadeOf<MmaplockedFaults, IolockedIo, KernelEviction, BusyPagesUnderIolock, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "iolock_mmaplock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "XFS from 4.18 without pNFS: xfs_file_fallocate, xfs_vn_setattr",
      .summary = "IOLOCK excl; MMAPLOCK excl; break busy pages; inode_dio_wait; flush_unmap",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
