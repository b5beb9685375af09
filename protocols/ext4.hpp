#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// ext4 from 6.1 on: i_rwsem, inode_dio_wait, then the invalidate_lock and ext4_break_layouts
/// (ext4_punch_hole, ext4_setattr; i_size after the break). Direct I/O is waited for before MMAPLOCK is
/// taken, where XFS waits after it.
struct ext4
    : MadeOf<MmaplockedFaults, IolockedIo, KernelEviction, BusyPagesUnderIolock, WrittenBackBeforeLocks> {
  static constexpr ProtocolInfo info{
      .name = "ext4",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "ext4 from 6.1: ext4_punch_hole, ext4_setattr",
      .summary = "IOLOCK excl; inode_dio_wait; MMAPLOCK excl; break busy pages",
  };

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    write_back_range(k, ip, change);
    Exclusive inode_lock(k, ip.i_rwsem);
    const bool waits = waits_for_dio(k, ip, change);
    if (change.kind == ChangeKind::truncate && k.env.rules().size_before_break) ip.i_size.store(change.size);
    if (waits) inode_dio_wait(k, ip);
    Exclusive invalidate_lock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    apply_change(k, ip, change);
    return 0;
  }

 private:
  /// A truncate that extends the file need not.
  template <class K>
  static bool waits_for_dio(K& k, InodeOf<K>& ip, const Change& change) {
    return change.kind != ChangeKind::truncate || k.env.rules().extension_waits_for_dio ||
           change.size < ip.i_size.load();
  }
};

}  // namespace daxrace::protocol
