#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// The other half: file I/O is held off and waited for, faults and pins are not. A negative control.
struct iolock : MadeOf<UnlockedFaults, IolockedIo, UnwaitedEviction, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "iolock",
      .promises = Hazards(Hazard::h2, Hazard::h3, Hazard::h6),
      .stands_for = "the IOLOCK half alone: negative control",
      .summary = "IOLOCK excl; inode_dio_wait",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
