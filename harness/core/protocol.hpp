#pragma once

#include <concepts>

#include "harness/core/layout.hpp"
#include "harness/protocol_info.hpp"

/// What a protocol is made of. A protocol decides which locks are taken, in which order, and what is waited
/// for; the core does the data work. Faults and file I/O come in two kinds that protocols inherit.
namespace daxrace::core {

/// Faults under MMAPLOCK shared (xfs_filemap_fault, ext4_dax_huge_fault).
struct MmaplockedFaults {
  template <class K, class Body>
  static void fault(K& k, InodeOf<K>& ip, Body&& body) {
    Shared mmaplock(k, ip.invalidate_lock);
    body();
  }
};

struct UnlockedFaults {
  template <class K, class Body>
  static void fault(K&, InodeOf<K>&, Body&& body) {
    body();
  }
};

/// File I/O under IOLOCK: a DAX read shared, a DAX write exclusive (xfs_file_dax_read, xfs_file_dax_write),
/// the submission of direct I/O shared, or exclusive if it is unaligned or extends the file
/// (xfs_file_dio_write), the mapping of blocks for a lessee exclusive (xfs_fs_map_blocks).
struct IolockedIo {
  template <class K, class Body>
  static void read(K& k, InodeOf<K>& ip, Body&& body) {
    Shared iolock(k, ip.i_rwsem);
    body();
  }
  template <class K, class Body>
  static void write(K& k, InodeOf<K>& ip, Body&& body) {
    Exclusive iolock(k, ip.i_rwsem);
    body();
  }
  template <class K, class Body>
  static void aio(K& k, InodeOf<K>& ip, Body&& body) {
    Shared iolock(k, ip.i_rwsem);
    body();
  }
  template <class K, class Body>
  static void map_blocks(K& k, InodeOf<K>& ip, Body&& body) {
    Exclusive iolock(k, ip.i_rwsem);
    body();
  }
};

struct UnlockedIo {
  template <class K, class Body>
  static void read(K&, InodeOf<K>&, Body&& body) {
    body();
  }
  template <class K, class Body>
  static void write(K&, InodeOf<K>&, Body&& body) {
    body();
  }
  template <class K, class Body>
  static void aio(K&, InodeOf<K>&, Body&& body) {
    body();
  }
  template <class K, class Body>
  static void map_blocks(K&, InodeOf<K>&, Body&& body) {
    body();
  }
};

/// fallocate(PUNCH_HOLE) and truncate return 0 or -errno; after an error size and extents are as they were.
template <class P, class K>
concept Protocol = requires(K& k, InodeOf<K>& ip, Change& change, void (*body)()) {
  { P::info } -> std::convertible_to<const ProtocolInfo&>;
  P::fault(k, ip, body);
  P::read(k, ip, body);
  P::write(k, ip, body);
  P::aio(k, ip, body);
  P::map_blocks(k, ip, body);
  { P::punch(k, ip, change) } -> std::same_as<int>;
  { P::truncate(k, ip, change) } -> std::same_as<int>;
};

}  // namespace daxrace::core
