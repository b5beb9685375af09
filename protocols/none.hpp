#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// No lock and no wait anywhere: the negative control of every safety test, and the harness's own cost.
struct none : UnlockedFaults, UnlockedIo {
  static constexpr ProtocolInfo info{
      .name = "none",
      .promises = Hazards{},
      .stands_for = "nothing: negative control",
      .summary = "takes nothing, waits for nothing",
  };

  template <class K>
  static int punch(K& k, InodeOf<K>& ip, Change& change) {
    flush_unmap_range(k, ip, change.range);
    change.freed = free_blocks(k, ip, change.range);
    return 0;
  }

  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    truncate_setsize(k, ip, change.size);
    change.freed = free_blocks(k, ip, {change.size, kWholeFile.end});
    return 0;
  }
};

}  // namespace daxrace::protocol
