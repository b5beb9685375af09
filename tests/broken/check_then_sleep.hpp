#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Looks at the count before it queues, and sleeps without another look: the wake-up in between is lost.
struct check_then_sleep : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "check_then_sleep",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Looks at the count before it queues, and sleeps without another look",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    for (;;) {
      const FrameNumber busy = dax_layout_busy_page(k, ip, kWholeFile);
      if (busy == kNoFrame) break;
      k.up_write(ip.invalidate_lock);
      if (!page_is_idle(k, busy)) {
        k.step(Step::break_unlocked);
        typename K::EnvType::WaitEntry wait(page_key(k, busy));
        k.env.prepare_to_wait(wait);
        k.env.schedule();
        k.env.finish_wait(wait);
      }
      k.down_write(ip.invalidate_lock);
    }
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
