#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Recalls the leases and goes on.
struct recall_not_waited_for : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "recall_not_waited_for",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5, Hazard::h6, Hazard::h7,
                          Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Recalls the leases and goes on",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    recall_layouts(k, ip);
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
