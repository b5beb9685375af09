#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Starts over only if the waiter really slept. A wait that found the page idle at once leaves the loop with
/// one page scanned and the rest not: what the warning of the 2018 thread turned out to be.
struct retry_only_if_slept : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "retry_only_if_slept",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Starts over only if the waiter really slept",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    for (bool retry = true; retry;) {
      retry = false;
      FrameNumber busy = dax_layout_busy_page(k, ip, kWholeFile);
      if (busy == kNoFrame) break;
      k.step(Step::busy_scanned);
      const int error = wait_event(
          k.env, page_key(k, busy), Sleep::interruptible, [&] { return page_is_idle(k, busy); },
          [&] {
            retry = true;
            k.up_write(ip.invalidate_lock);
            k.step(Step::break_unlocked);
            k.env.schedule();
            k.down_write(ip.invalidate_lock);
          });
      if (error != 0) return error;
    }
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
