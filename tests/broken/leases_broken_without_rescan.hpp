#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Breaks leases after busy pages and does not look at pages again, though both locks were dropped meanwhile.
struct leases_broken_without_rescan : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "leases_broken_without_rescan",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5, Hazard::h6, Hazard::h7,
                          Hazard::h8),
      .stands_for = "a broken specimen",
      .summary =
          "Breaks leases after busy pages and does not look at pages again, though both locks were dropped "
          "meanwhile",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    bool retry = false;
    if (const int error = break_leased_layouts(k, ip, &retry)) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
