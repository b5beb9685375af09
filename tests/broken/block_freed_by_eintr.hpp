#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Truncates from the end, page by page: a signal finds the end of the file freed already.
struct block_freed_by_eintr : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{
      .name = "block_freed_by_eintr",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Truncates from the end, page by page, and a signal leaves that freed",
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
    Exclusive mmaplock(k, ip.invalidate_lock);
    inode_dio_wait(k, ip);
    bool retry = false;
    do {
      retry = false;
      for (PageOffset page = ip.i_size.load(); page > change.size && !retry; --page)
        if (const int error = free_page(k, ip, {page - 1, page}, &retry)) return error;
    } while (retry);
    truncate_to(k, ip, change);
    return 0;
  }

  template <class K>
  static int free_page(K& k, InodeOf<K>& ip, PageRange page, bool* retry) {
    if (const int error = break_dax_layouts(k, ip, retry, page, drop_mmaplock(k, ip))) return error;
    if (*retry) return 0;
    truncate_pagecache_range(k, ip, page);
    free_blocks(k, ip, page);
    return 0;
  }
};

}  // namespace daxrace::broken
