#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Takes MMAPLOCK shared: faults go on after the unmap.
struct mmaplock_shared : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "mmaplock_shared",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Takes MMAPLOCK shared",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Shared mmaplock(k, ip.invalidate_lock);
    const int error = break_busy_pages(k, ip, kWholeFile, [&] {
      k.up_read(ip.invalidate_lock);
      k.env.schedule();
      k.down_read(ip.invalidate_lock);
    });
    if (error != 0) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
