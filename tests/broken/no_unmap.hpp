#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Removes the entries but leaves the translations: loads and stores go on through them.
struct no_unmap : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "no_unmap",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Removes the entries but leaves the translations",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    inode_dio_wait(k, ip);
    k.step(Step::layout_broken);
    remove_entries(k, ip, change.range);
    if (change.kind == ChangeKind::truncate) {
      ip.i_size.store(change.size);
      remove_entries(k, ip, {change.size, kWholeFile.end});
      free_blocks(k, ip, {change.size, kWholeFile.end});
    } else {
      free_blocks(k, ip, change.range);
    }
    return 0;
  }
};

}  // namespace daxrace::broken
