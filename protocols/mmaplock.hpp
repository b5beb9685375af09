#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// The claim of the 2018 thread on i_mmap_sem: it synchronises layout breaking with page faults, but not with
/// direct I/O. This is that half alone. No ext4 release did only this: ext4_punch_hole takes i_rwsem and
/// waits for direct I/O first (see the protocol ext4).
struct mmaplock : MadeOf<MmaplockedFaults, UnlockedIo, WaitedEviction, BusyPages, FallocateWritesBack> {
  static constexpr ProtocolInfo info{
      .name = "mmaplock",
      .promises = Hazards(Hazard::h1, Hazard::h4, Hazard::h6),
      .stands_for = "the MMAPLOCK half alone, as the 2018 thread describes ext4's i_mmap_sem",
      .summary = "MMAPLOCK excl; break busy pages",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip, scope_of_break(k, change), drop_mmaplock(k, ip)))
      return error;
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
