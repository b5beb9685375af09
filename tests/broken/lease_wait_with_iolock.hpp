#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Waits for a lease with IOLOCK held: a lessee that needs it to map its blocks never returns.
struct lease_wait_with_iolock : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "lease_wait_with_iolock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5, Hazard::h6, Hazard::h7,
                          Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Waits for a lease with IOLOCK held",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    if (recall_layouts(k, ip) == -EWOULDBLOCK) {
      if (const int error = wait_for_leases(k, ip, SilentHolder::waited_for)) return error;
    }
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
