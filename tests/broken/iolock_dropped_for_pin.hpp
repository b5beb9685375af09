#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Drops IOLOCK, too, while it sleeps for a busy page, and goes on without another look at direct I/O.
struct iolock_dropped_for_pin : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "iolock_dropped_for_pin",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary =
          "Drops IOLOCK, too, while it sleeps for a busy page, and goes on without another look at direct "
          "I/O",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    inode_dio_wait(k, ip);
    const int error = break_busy_pages(k, ip, kWholeFile, [&] {
      k.up_write(ip.invalidate_lock);
      k.up_write(ip.i_rwsem);
      k.step(Step::break_unlocked);
      k.env.schedule();
      k.down_write(ip.i_rwsem);
      k.down_write(ip.invalidate_lock);
    });
    if (error != 0) return error;
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
