#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Takes IOLOCK shared: direct I/O and reads go on.
struct iolock_shared : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "iolock_shared",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Takes IOLOCK shared",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Shared iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
