#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Takes no MMAPLOCK: a fault puts back the translation that has just been removed.
struct no_mmaplock : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "no_mmaplock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Takes no MMAPLOCK",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    if (const int error = break_busy_pages(k, ip, kWholeFile, keep_locks(k))) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
