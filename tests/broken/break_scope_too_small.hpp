#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Looks for busy pages at the range alone, and forgets that collapse and insert move everything behind it.
struct break_scope_too_small : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "break_scope_too_small",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary =
          "Looks for busy pages at the range alone, and forgets that collapse and insert move everything "
          "behind it",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip, change.range, drop_mmaplock(k, ip))) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
