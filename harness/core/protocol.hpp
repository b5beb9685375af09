#pragma once

#include <concepts>

#include "harness/base/protocol_info.hpp"
#include "harness/core/findings.hpp"
#include "harness/core/layout.hpp"

/// What a protocol is made of. A protocol decides which locks are taken, in which order, and what is waited
/// for; the core does the data work. Faults, file I/O and eviction come in kinds that protocols inherit. Each
/// is told the pages that it acts on.
namespace daxrace::core {

/// Faults under MMAPLOCK shared (xfs_filemap_fault, ext4_dax_huge_fault).
struct MmaplockedFaults {
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

/// fallocate and truncate return 0 or -errno; after an error size and extents are as they were. evict returns
/// how many blocks it freed.
template <class P, class K>
concept Protocol = requires(K& k, InodeOf<K>& ip, Change& change, PageRange range, void (*body)()) {
  { P::info } -> std::convertible_to<const ProtocolInfo&>;
  P::fault(k, ip, range, body);
  P::read(k, ip, range, body);
  P::write(k, ip, range, body);
  P::aio(k, ip, range, body);
  P::map_blocks(k, ip, range, body);
  { P::fallocate(k, ip, change) } -> std::same_as<int>;
  { P::truncate(k, ip, change) } -> std::same_as<int>;
  { P::evict(k, ip) } -> std::same_as<std::uint32_t>;
};

}  // namespace daxrace::core
