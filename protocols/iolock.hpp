#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// The other half: file I/O is held off and waited for, faults and pins are not. A negative control.
struct iolock : UnlockedFaults, IolockedIo {
  static constexpr ProtocolInfo info{
      .name = "iolock",
      .promises = Hazards(Hazard::h2, Hazard::h3, Hazard::h6),
      .stands_for = "the IOLOCK half alone: negative control",
      .summary = "IOLOCK excl; inode_dio_wait",
  };

  template <class K>
  static int punch(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    inode_dio_wait(k, ip);
    flush_unmap_range(k, ip, change.range);
    change.freed = free_blocks(k, ip, change.range);
    return 0;
  }

  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    inode_dio_wait(k, ip);
    truncate_setsize(k, ip, change.size);
    change.freed = free_blocks(k, ip, {change.size, kWholeFile.end});
    return 0;
  }
};

}  // namespace daxrace::protocol
