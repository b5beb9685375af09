#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// No lock and no wait anywhere: the negative control of every safety test, and the harness's own cost.
struct none : MadeOf<UnlockedFaults, UnlockedIo, UnwaitedEviction, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "none",
      .promises = Hazards{},
      .stands_for = "nothing: negative control",
      .summary = "takes nothing, waits for nothing",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
