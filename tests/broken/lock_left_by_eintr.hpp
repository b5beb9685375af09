#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Changes keep each other out by a range lock beside the two rwsems; a signal leaves its range locked.
struct lock_left_by_eintr : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "lock_left_by_eintr",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "A signal leaves a range locked",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    const auto place = ip.io_range.lock(k.env, kWholeFile, LockMode::exclusive, ip.ino);
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    ip.io_range.unlock(k.env, place, ip.ino);
    return 0;
  }
};

}  // namespace daxrace::broken
