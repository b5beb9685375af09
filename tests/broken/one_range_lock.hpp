#pragma once

#include "harness/core/protocol.hpp"

namespace daxrace::broken {
using namespace core;

/// One range lock for I/O and mapping: a copy that faults in its own range waits for itself.
struct one_range_lock : WaitedEviction {
  static constexpr ProtocolInfo info{
      .name = "one_range_lock",
      .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
      .stands_for = "a broken specimen",
      .summary = "One range lock for I/O and mapping",
  };

  template <class K, class Body>
  static void fault(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    HeldRange<K> lock(k, ip, ip.io_range, kWholeFile, LockMode::shared);
    body();
  }
  template <class K, class Body>
  static void read(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    HeldRange<K> lock(k, ip, ip.io_range, kWholeFile, LockMode::shared);
    body();
  }
  template <class K, class Body>
  static void write(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    HeldRange<K> lock(k, ip, ip.io_range, kWholeFile, LockMode::exclusive);
    body();
  }
  template <class K, class Body>
  static void aio(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    HeldRange<K> lock(k, ip, ip.io_range, kWholeFile, LockMode::shared);
    body();
  }
  template <class K, class Body>
  static void map_blocks(K& k, InodeOf<K>& ip, PageRange, Body&& body) {
    HeldRange<K> lock(k, ip, ip.io_range, kWholeFile, LockMode::exclusive);
    body();
  }

  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& change) {
    HeldRange<K> range(k, ip, ip.io_range, kWholeFile, LockMode::exclusive);
    if (const int error = break_busy_pages(k, ip, kWholeFile, drop_range(k, range))) return error;
    inode_dio_wait(k, ip);
    apply_change(k, ip, change);
    return 0;
  }
};

}  // namespace daxrace::broken
