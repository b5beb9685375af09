#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// No lock and no wait anywhere: the negative control of every safety test, and the harness's own cost.
struct none : UnlockedFaults, UnlockedIo, UnwaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "none",
      .promises = Hazards{},
      .stands_for = "nothing: negative control",
      .summary = "takes nothing, waits for nothing",
  };

  template <class K>
  static int fallocate(K& k, InodeOf<K>& ip, Change& change) {
    fallocate_range(k, ip, change);
    return 0;
  }

  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    truncate_to(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
