#pragma once

#include <algorithm>
#include <array>

#include "harness/core/protocol.hpp"

namespace daxrace::protocol {
using namespace core;

/// Two range locks in place of the two rwsems, as the range-locking proposals have them: one for I/O, one for
/// the mapping. Two, because a copy that faults inside would wait for itself in one. Busy pages are looked
/// for in the range only. What changes the size, or moves blocks, takes everything from there to the end.
struct range_lock : MadeOf<WaitedEviction, BusyPages> {
  static constexpr std::array kOwnFindings{pin_holder_needs_lock("truncate_down"),
                                           pin_holder_needs_lock("collapse"), pin_holder_needs_lock("insert"),
                                           kZeroPageOutlivesAllocation};
  static constexpr ProtocolInfo info{
      .name = "range_lock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "the range-locking proposals; in no kernel",
      .summary =
          "I/O range excl; mapping range excl; break busy pages of the range; inode_dio_wait; flush_unmap",
      .findings = kOwnFindings,
  };

  template <class K, class Body>
  static void fault(K& k, InodeOf<K>& ip, PageRange range, Body&& body) {
    HeldRange<K> mapping(k, ip, ip.mapping_range, whole_entries(k, range), LockMode::shared);
    body();
  }
  template <class K, class Body>
  static void read(K& k, InodeOf<K>& ip, PageRange range, Body&& body) {
    HeldRange<K> io(k, ip, ip.io_range, range, LockMode::shared);
    body();
  }
  template <class K, class Body>
  static void write(K& k, InodeOf<K>& ip, PageRange range, Body&& body) {
    for (;;) {
      const PageRange wanted = range.end > ip.i_size.load() ? from_size(ip, range.first) : range;
      HeldRange<K> io(k, ip, ip.io_range, wanted, LockMode::exclusive);
      if (wanted != range ? wanted != from_size(ip, range.first) : range.end > ip.i_size.load()) continue;
      return body();
    }
  }
  template <class K, class Body>
  static void aio(K& k, InodeOf<K>& ip, PageRange range, Body&& body) {
    HeldRange<K> io(k, ip, ip.io_range, range, LockMode::shared);
    body();
  }
  template <class K, class Body>
  static void map_blocks(K& k, InodeOf<K>& ip, PageRange range, Body&& body) {
    HeldRange<K> io(k, ip, ip.io_range, range, LockMode::exclusive);
    body();
  }

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    return change.kind == ChangeKind::truncate ? truncate(k, ip, change) : fallocate(k, ip, change);
  }

 private:
  template <class K>
  static int fallocate(K& k, InodeOf<K>& ip, Change& change) {
    const bool moves = change.kind == ChangeKind::collapse || change.kind == ChangeKind::insert;
    const PageRange range{change.range.first, moves ? kWholeFile.end : change.range.end};
    HeldRange<K> io(k, ip, ip.io_range, range, LockMode::exclusive);
    HeldRange<K> mapping(k, ip, ip.mapping_range, whole_entries(k, range), LockMode::exclusive);
    if (const int error = break_busy_pages(k, ip, range, drop_range(k, mapping))) return error;
    inode_dio_wait(k, ip);
    fallocate_range(k, ip, change);
    return 0;
  }

  template <class K>
  static int truncate(K& k, InodeOf<K>& ip, Change& change) {
    for (;;) {
      const PageRange range = from_size(ip, change.size);
      HeldRange<K> io(k, ip, ip.io_range, range, LockMode::exclusive);
      if (from_size(ip, change.size) != range) continue;
      HeldRange<K> mapping(k, ip, ip.mapping_range, whole_entries(k, range), LockMode::exclusive);
      if (const int error = break_busy_pages(k, ip, range, drop_range(k, mapping))) return error;
      inode_dio_wait(k, ip);
      write_back(k, ip, {change.size, change.size + 1});  // its entry may reach below the new size
      truncate_to(k, ip, change);
      return 0;
    }
  }

  /// What changes when i_size changes to `size`, or from it.
  template <class Inode>
  static PageRange from_size(Inode& ip, PageOffset size) {
    return {std::min(ip.i_size.load(), size), kWholeFile.end};
  }
};

}  // namespace daxrace::protocol
