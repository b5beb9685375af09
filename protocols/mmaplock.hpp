#pragma once

#include <array>

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// The claim of the 2018 thread on i_mmap_sem: it synchronises layout breaking with page faults, but not with
/// direct I/O. This is that half alone. No ext4 release did only this: ext4_punch_hole takes i_rwsem and
/// waits for direct I/O first (see the protocol ext4).
struct mmaplock : MmaplockedFaults, UnlockedIo, WaitedEviction {
  static constexpr std::array kFindings{kMappedAgainByGup, kMappedAgainByTouch, kPinnedAgain, kFaultedAgain};
  static constexpr ProtocolInfo info{
      .name = "mmaplock",
      .promises = Hazards(Hazard::h1, Hazard::h4, Hazard::h6),
      .stands_for = "the MMAPLOCK half alone, as the 2018 thread describes ext4's i_mmap_sem",
      .summary = "MMAPLOCK excl; break busy pages",
      .findings = kFindings,
  };

  template <class K>
  static int fallocate(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip, scope_of_break(k, change), drop_mmaplock(k, ip)))
      return error;
    fallocate_range(k, ip, change);
    return 0;
  }

  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip, scope_of_break(k, change), drop_mmaplock(k, ip)))
      return error;
    truncate_to(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
