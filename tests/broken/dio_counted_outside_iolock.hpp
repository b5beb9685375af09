#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Raises i_dio_count after IOLOCK was dropped: the layout change finds it at 0 in between.
struct dio_counted_outside_iolock : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "dio_counted_outside_iolock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Raises i_dio_count after IOLOCK was dropped",
  };

  /// The submission is bracketed by IOLOCK, what it counts is not.
  template <class K, class Body>
  static void aio(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    { Shared iolock(k, ip.i_rwsem); }
    body();
  }

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

}  // namespace daxrace::broken
