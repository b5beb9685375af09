#pragma once

#include <array>

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Both locks and every wait are right, but a write leaves zeros. What kernels are known to do wrong with the
/// zero page is declared here, too: it is no excuse.
struct writes_move_nothing : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr std::array kFindings{kZeroPageOutlivesAllocation};
  static constexpr ProtocolInfo info{
      .name = "writes_move_nothing",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "A write leaves zeros",
      .findings = kFindings,
  };

  template <class K, class Body>
  static void write(K& k, InodeOf<K>& ip, PageRange range, Body&& body) {
    Exclusive iolock(k, ip.i_rwsem);
    body();
    for (PageOffset page = range.first; page < range.end; ++page)
      if (const Block block = lookup_block(k, ip, page)) k.store.zero(block.frame);
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
