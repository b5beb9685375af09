#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// One scan, one wait, and on: a page that was pinned again meanwhile is freed.
struct no_rescan_after_wait : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "no_rescan_after_wait",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "One scan, one wait, and on",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    bool retry = false;
    if (const int error = break_dax_layouts(k, ip, &retry, kWholeFile, drop_mmaplock(k, ip))) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
