#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// A layout lease that is exclusive: as long as somebody holds one, for pins that last (RDMA), a layout
/// change fails with ETXTBSY; short pins are waited for. The RDMA/FS-DAX proposal of 2019; never merged, so
/// that nothing of it exists in a kernel.
struct lease_fail
    : MadeOf<MmaplockedFaults, IolockedIo, KernelEviction, BusyPagesUnderIolock, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "lease_fail",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5, Hazard::h6, Hazard::h7,
                          Hazard::h8),
      .stands_for = "the RDMA/FS-DAX proposal of 2019 (exclusive layout leases); never merged",
      .summary =
          "IOLOCK excl; MMAPLOCK excl; ETXTBSY if leased; break busy pages; inode_dio_wait; flush_unmap",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (has_leases(k, ip))
      return -ETXTBSY;  // first: a lessee that comes later maps its blocks after the change
    if (const int error = break_busy_pages(k, ip)) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
