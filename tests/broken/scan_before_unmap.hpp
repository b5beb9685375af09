#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// Scans first and unmaps afterwards: a pin that is taken in between through a translation that still stands
/// is missed.
struct scan_before_unmap : MmaplockedFaults, IolockedIo, WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "scan_before_unmap",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "Scans first and unmaps afterwards",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive iolock(k, ip.i_rwsem);
    Exclusive mmaplock(k, ip.invalidate_lock);
    for (;;) {
      FrameNumber busy = kNoFrame;
      for_each_entry(k, ip, kWholeFile, [&](PageOffset page) {
        const DaxEntry entry = change_unlocked_entry(k, ip, page, [](DaxEntry seen) { return seen; });
        for_each_frame(k, ip, page, entry, [&](PageOffset, FrameNumber frame) {
          if (page_is_busy(k, frame)) busy = frame;
        });
      });
      k.step(Step::busy_scanned);
      unmap_mapping_range(k, ip, kWholeFile);
      if (busy == kNoFrame) break;
      if (const int error = wait_page_idle(k, ip, busy, Sleep::interruptible, drop_mmaplock(k, ip)))
        return error;
    }
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
