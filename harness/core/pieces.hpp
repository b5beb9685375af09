#pragma once

#include <array>

#include "harness/core/findings.hpp"
#include "harness/core/layout.hpp"

/// The pieces that protocols are made of. A piece carries what is found of the kernels that have it
/// (`kFindings`), so that a protocol need not know.
namespace daxrace::core {

/// Faults under MMAPLOCK shared (xfs_filemap_fault, ext4_dax_huge_fault). A write of the file, under another
/// lock, may come between the steps of one.
struct MmaplockedFaults {
  static constexpr std::array kFindings{kZeroPageOutlivesAllocation};

  template <class K, class Body>
  static void fault(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    Shared mmaplock(k, ip.invalidate_lock);
    body();
  }
};

struct UnlockedFaults {
  template <class K, class Body>
  static void fault(K&, InodeOf<K>&, PageRange, Body&& body) {
    body();
  }
};

/// File I/O under IOLOCK: a DAX read shared, a DAX write exclusive (xfs_file_dax_read, xfs_file_dax_write),
/// the submission of direct I/O shared, or exclusive if it is unaligned or extends the file
/// (xfs_file_dio_write), the mapping of blocks for a lessee exclusive (xfs_fs_map_blocks).
struct IolockedIo {
  template <class K, class Body>
  static void read(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    Shared iolock(k, ip.i_rwsem);
    body();
  }
  template <class K, class Body>
  static void write(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    Exclusive iolock(k, ip.i_rwsem);
    body();
  }
  template <class K, class Body>
  static void aio(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    Shared iolock(k, ip.i_rwsem);
    body();
  }
  template <class K, class Body>
  static void map_blocks(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    Exclusive iolock(k, ip.i_rwsem);
    body();
  }
};

struct UnlockedIo {
  template <class K, class Body>
  static void read(K&, InodeOf<K>&, PageRange, Body&& body) {
    body();
  }
  template <class K, class Body>
  static void write(K&, InodeOf<K>&, PageRange, Body&& body) {
    body();
  }
  template <class K, class Body>
  static void aio(K&, InodeOf<K>&, PageRange, Body&& body) {
    body();
  }
  template <class K, class Body>
  static void map_blocks(K&, InodeOf<K>&, PageRange, Body&& body) {
    body();
  }
};

/// The last unlink and close as the kernel does it: until 6.14 (ref1) nobody waits for pins; from 6.15 (ref0)
/// ext4_evict_inode and xfs_fs_evict_inode call dax_break_layout_final.
struct KernelEviction {
  static constexpr std::array kFindings{kEvictionIgnoresPins};

  template <class K>
  static std::uint32_t evict(K& k, InodeOf<K>& ip) {
    if (k.refcount.per_mapping != 0) break_busy_pages_final(k, ip);
    return evict_inode(k, ip);
  }
};

/// The same without the wait, whatever the refcount rule.
struct UnwaitedEviction {
  template <class K>
  static std::uint32_t evict(K& k, InodeOf<K>& ip) {
    return evict_inode(k, ip);
  }
};

/// What no kernel before 6.15 does: every page is waited for.
struct WaitedEviction {
  template <class K>
  static std::uint32_t evict(K& k, InodeOf<K>& ip) {
    break_busy_pages_final(k, ip);
    return evict_inode(k, ip);
  }
};

enum class BreakReason : std::uint8_t { write, unmap };

/// Busy pages are waited for with MMAPLOCK dropped, so that faults and pins come in meanwhile.
struct BusyPages {
  static constexpr std::array kFindings{kMappedAgainByGup, kMappedAgainByTouch, kPinnedAgain, kFaultedAgain};

  /// ext4_break_layouts; dax_break_layout from 6.15: busy pages alone.
  template <class K>
  static int break_busy_pages(K& k, InodeOf<K>& ip) {
    return core::break_busy_pages(k, ip, kWholeFile, drop_mmaplock(k, ip));
  }
  /// Of a range, under locks that sleep() drops while it sleeps.
  template <class K, class SleepFn>
  static int break_busy_pages(K& k, InodeOf<K>& ip, PageRange scope, SleepFn&& sleep) {
    return core::break_busy_pages(k, ip, scope, sleep);
  }

  /// xfs_break_layouts: busy pages, then leases, and again while anything was unlocked.
  template <class K>
  static int break_layouts(K& k, InodeOf<K>& ip, BreakReason reason, SilentHolder silent) {
    bool retry = false;
    int error = 0;
    do {
      retry = false;
      if (reason == BreakReason::unmap) {
        error = break_dax_layouts(k, ip, &retry, kWholeFile, drop_mmaplock(k, ip));
        if (error != 0 || retry) continue;
      }
      error = break_leased_layouts(k, ip, &retry, Locked::iolock_and_mmaplock, silent);
    } while (error == 0 && retry);
    k.step(Step::layout_broken);
    return error;
  }
};

/// The same in a protocol whose file I/O takes IOLOCK: it is kept meanwhile (xfs_wait_dax_page,
/// ext4_wait_dax_page), also from a reader who has the pin.
struct BusyPagesUnderIolock : BusyPages {
  static constexpr std::array kFindings{kMappedAgainByGup, kMappedAgainByTouch, kPinnedAgain, kFaultedAgain,
                                        kPinHolderNeedsIolock};
};

/// A lessee that never returns its layout is waited for (nfsd up to 6.12).
struct SilentLesseesWaitedFor {
  static constexpr std::array kFindings{kSilentLessee};
  static constexpr SilentHolder kSilent = SilentHolder::waited_for;
};

/// It is fenced after a grace time.
struct SilentLesseesFenced {
  static constexpr SilentHolder kSilent = SilentHolder::revoked;
};

/// What fallocate changes is written back under the locks (xfs_flush_unmap_range), what truncate cuts is not.
struct FallocateWritesBack {
  static constexpr std::array kFindings{kDirtyTagLostByTruncate};

  template <class K>
  static void apply_change(K& k, InodeOf<K>& ip, Change& change) {
    core::apply_change(k, ip, change);
  }
};

/// ext4_fallocate writes the range back before it takes a lock, and a store may follow: every range by the
/// idealised one, to 6.13 that of a punch, nothing since the rework of 6.14.
struct WrittenBackBeforeLocks {
  static constexpr std::array kFindings{kDirtyTagLostByTruncate, kDirtyTagLostByPunch, kDirtyTagLostByZero};

  template <class K>
  static void write_back_range(K& k, InodeOf<K>& ip, const Change& change) {
    if (change.kind == ChangeKind::truncate) return;
    const WriteBackFirst rule = k.env.rules().write_back_first;
    if (rule == WriteBackFirst::always || (rule == WriteBackFirst::punch && change.kind == ChangeKind::punch))
      write_back(k, ip, change.range);
  }
  template <class K>
  static void apply_change(K& k, InodeOf<K>& ip, Change& change) {
    core::apply_change(k, ip, change, WriteBack::done);
  }
};

}  // namespace daxrace::core
