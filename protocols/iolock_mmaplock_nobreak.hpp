#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// XFS before 4.18 (xfs_file_fallocate, xfs_vn_setattr): both locks, leases broken under IOLOCK before
/// MMAPLOCK is taken, direct I/O waited for; nobody looks at page references.
struct iolock_mmaplock_nobreak
    : MadeOf<MmaplockedFaults, IolockedIo, KernelEviction, SilentLesseesWaitedFor, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "iolock_mmaplock_nobreak",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h5, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "XFS before 4.18: xfs_file_fallocate, xfs_vn_setattr",
      .summary = "IOLOCK excl; break leases; MMAPLOCK excl; inode_dio_wait; flush_unmap",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    bool retry = false;
    Exclusive iolock(k, ip.i_rwsem);
    if (const int error = break_leased_layouts(k, ip, &retry, Locked::iolock_only, kSilent)) return error;
    Exclusive mmaplock(k, ip.invalidate_lock);
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
