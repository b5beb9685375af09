#pragma once

#include <array>

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// ext4 from 6.1 on: i_rwsem, inode_dio_wait, then the invalidate_lock and ext4_break_layouts
/// (ext4_punch_hole, ext4_setattr; i_size after the break). Direct I/O is waited for before MMAPLOCK is
/// taken, where XFS waits after it.
struct ext4 : MmaplockedFaults, IolockedIo, KernelEviction {
  static constexpr std::array kFindings{
      kEvictionIgnoresPins,       kPinHolderNeedsIolock, kMappedAgainByGup,
      kMappedAgainByTouch,        kPinnedAgain,          kFaultedAgain,
      kDirtyTagLostByTruncate,    kDirtyTagLostByPunch,  kDirtyTagLostByZero,
      kZeroPageOutlivesAllocation};
  static constexpr ProtocolInfo info{
      .name = "ext4",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "ext4 from 6.1: ext4_punch_hole, ext4_setattr",
      .summary = "IOLOCK excl; inode_dio_wait; MMAPLOCK excl; break busy pages",
      .findings = kFindings,
  };

  /// What is written back before any lock is taken: every range by the idealised one, to 6.13 that of a
  /// punch, nothing since the rework of 6.14.
  template <class K>
  static bool writes_back_first(K& k, const Change& change) {
    const WriteBackFirst rule = k.env.rules().write_back_first;
    return rule == WriteBackFirst::always ||
           (rule == WriteBackFirst::punch && change.kind == ChangeKind::punch);
  }

  template <class K>
  static int fallocate(K& k, InodeOf<K>& ip, Change& change) {
    if (writes_back_first(k, change)) write_back(k, ip, change.range);
    Exclusive inode_lock(k, ip.i_rwsem);
    inode_dio_wait(k, ip);
    Exclusive invalidate_lock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    fallocate_range(k, ip, change, WriteBack::done);
    return 0;
  }

  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    Exclusive inode_lock(k, ip.i_rwsem);
    const bool waits = k.env.rules().extension_waits_for_dio || change.size < ip.i_size.load();
    if (k.env.rules().size_before_break) ip.i_size.store(change.size);
    if (waits) inode_dio_wait(k, ip);
    Exclusive invalidate_lock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    truncate_to(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::protocol
