#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Waits for direct I/O before it takes IOLOCK: new I/O comes in between.
struct dio_wait_before_iolock : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "dio_wait_before_iolock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Waits for direct I/O before it takes IOLOCK",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    inode_dio_wait(k, ip);
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
