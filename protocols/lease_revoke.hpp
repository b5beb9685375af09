#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// lease_break with an end to patience: a lessee that does not return its layout within the grace time is
/// fenced, and its accesses fail and touch nothing from then on. Stands for nfsd with SCSI layouts: to 6.12
/// it polls the client for two lease periods and then fences it, 7.x has a break time and a worker that
/// fences (nfs4layouts.c:672@6.12). Block layouts are not fenced. The leases are the kernel's FL_LAYOUT
/// leases.
struct lease_revoke : MadeOf<MmaplockedFaults, IolockedIo, KernelEviction, BusyPagesUnderIolock,
                             SilentLesseesFenced, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "lease_revoke",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5, Hazard::h6, Hazard::h7,
                          Hazard::h8),
      .stands_for = "XFS from 4.18 with an nfsd that fences silent clients (SCSI layouts)",
      .summary =
          "IOLOCK excl; MMAPLOCK excl; break busy pages and leases, fence the silent; inode_dio_wait; "
          "flush_unmap",
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
