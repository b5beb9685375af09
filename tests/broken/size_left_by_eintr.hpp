#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// i_size is set before the wait, and a signal leaves it there (ext4_setattr of 4.19, which takes the size
/// back nowhere).
struct size_left_by_eintr : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "size_left_by_eintr",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Sets i_size before it waits, and a signal leaves it there",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    if (change.kind == ChangeKind::truncate) return truncate(k, ip, change);
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    inode_dio_wait(k, ip);
    fallocate_range(k, ip, change);
    return 0;
  }

 private:
  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    inode_dio_wait(k, ip);
    Exclusive mmaplock(k, ip.invalidate_lock);
    ip.i_size.store(change.size);
    if (const int error = break_busy_pages(k, ip)) return error;
    truncate_pagecache_range(k, ip, {change.size, kWholeFile.end});
    change.freed = free_blocks(k, ip, {change.size, kWholeFile.end});
    return 0;
  }
};

}  // namespace daxrace::broken
