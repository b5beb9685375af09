#pragma once

#include "harness/core/file.hpp"

/// break_layouts and layout leases, under the kernel's names.
namespace daxrace::core {

/// dax_layout_busy_page: unmaps the scope, then scans its entries. Waits for locked entries. kNoFrame: none
/// is busy.
template <class K>
FrameNumber dax_layout_busy_page(K& k, InodeOf<K>& ip, PageRange scope) {
  unmap_mapping_range(k, ip, scope);
  FrameNumber busy = kNoFrame;
  auto& entries = k.store.entries(ip);
  entries.for_each(entries_of(k, scope), [&](PageOffset index) {
    if (busy != kNoFrame) return;
    const DaxEntry entry = change_unlocked_entry(k, ip, index, [](DaxEntry seen) { return seen; });
    for_each_frame(k, ip, index, entry, [&](FrameNumber frame) {
      if (page_is_busy(k, frame)) busy = frame;
    });
  });
  return busy;
}

/// ___wait_var_event on the page's refcount; MMAPLOCK is dropped while it sleeps, IOLOCK is kept.
template <class K>
int wait_page_idle(K& k, InodeOf<K>& ip, FrameNumber frame) {
  [[maybe_unused]] auto timed = k.env.timed(Phase::break_wait);
  k.env.oracle().event(Event::busy_wait, ip.ino, 0, frame, k.store.frame(frame).refcount.load());
  return wait_event(
      k.env, page_key(k, frame), Sleep::interruptible, [&] { return page_is_idle(k, frame); },
      [&] {
        k.up_write(ip.invalidate_lock);
        k.step(Step::break_unlocked);
        k.env.schedule();
        k.down_write(ip.invalidate_lock);
        k.step(Step::break_relocked);
      });
}

/// xfs_break_dax_layouts: one scan, one wait. `retry` says that MMAPLOCK may have been dropped: scan again.
template <class K>
int break_dax_layouts(K& k, InodeOf<K>& ip, bool* retry) {
  const FrameNumber busy = dax_layout_busy_page(k, ip, kWholeFile);
  if (busy == kNoFrame) {
    k.step(Step::busy_scanned);
    return 0;
  }
  *retry = true;
  return wait_page_idle(k, ip, busy);
}

inline constexpr std::uint32_t kRecalled = 1;
inline constexpr std::uint32_t kOneLease = 2;

template <class K>
WaitKey lease_key(InodeOf<K>& ip) {
  return {&ip.layout_leases, WaitFor::lease, ip.ino};
}

/// A layout lease for a client. -EAGAIN while leases are being recalled.
template <class K>
int get_layout_lease(K& k, InodeOf<K>& ip) {
  std::uint32_t seen = ip.layout_leases.load();
  do {
    if ((seen & kRecalled) != 0) return -EAGAIN;
  } while (!ip.layout_leases.compare_exchange_weak(seen, seen + kOneLease));
  k.env.oracle().event(Event::lease_granted, ip.ino, 0, kNoFrame, 0);
  return 0;
}

template <class K>
bool layout_recalled(K&, InodeOf<K>& ip) {
  return (ip.layout_leases.load() & kRecalled) != 0;
}

/// Returned; the last one ends the recall and wakes whoever broke the layout.
template <class K>
void put_layout_lease(K& k, InodeOf<K>& ip) {
  k.env.oracle().event(Event::lease_returned, ip.ino, 0, kNoFrame, 0);
  std::uint32_t seen = ip.layout_leases.load();
  std::uint32_t left = 0;
  do {
    left = seen - kOneLease;
    if (left == kRecalled) left = 0;
  } while (!ip.layout_leases.compare_exchange_weak(seen, left));
  if (left == 0) k.env.wake_up(lease_key<K>(ip));
}

/// break_layout(inode, wait=false): recalls what is out. -EWOULDBLOCK if there was anything.
template <class K>
int recall_layouts(K& k, InodeOf<K>& ip) {
  std::uint32_t seen = ip.layout_leases.load();
  do {
    if (seen == 0) return 0;
  } while (!ip.layout_leases.compare_exchange_weak(seen, seen | kRecalled));
  k.env.oracle().event(Event::lease_recalled, ip.ino, 0, kNoFrame, seen / kOneLease);
  return -EWOULDBLOCK;
}

/// break_layout(inode, wait=true), with no lock held.
template <class K>
int wait_for_leases(K& k, InodeOf<K>& ip) {
  [[maybe_unused]] auto timed = k.env.timed(Phase::lease_wait);
  return wait_event(k.env, lease_key<K>(ip), Sleep::interruptible,
                    [&] { return (ip.layout_leases.load() & kRecalled) == 0; });
}

/// Whether the caller of break_leased_layouts holds MMAPLOCK beside IOLOCK.
enum class Locked : bool { iolock_only, iolock_and_mmaplock };

/// xfs_break_leased_layouts: drops every lock that is held, waits, takes IOLOCK exclusively and then the rest
/// again.
template <class K>
int break_leased_layouts(K& k, InodeOf<K>& ip, bool* retry, Locked locked = Locked::iolock_and_mmaplock) {
  int error = 0;
  while (error == 0 && recall_layouts(k, ip) == -EWOULDBLOCK) {
    k.step(Step::lease_recalled);
    if (locked == Locked::iolock_and_mmaplock) k.up_write(ip.invalidate_lock);
    k.up_write(ip.i_rwsem);
    *retry = true;
    k.step(Step::lease_unlocked);
    error = wait_for_leases(k, ip);
    k.down_write(ip.i_rwsem);
    if (locked == Locked::iolock_and_mmaplock) k.down_write(ip.invalidate_lock);
  }
  return error;
}

enum class BreakReason : std::uint8_t { write, unmap };

/// xfs_break_layouts: busy pages, then leases, and again while anything was unlocked.
template <class K>
int break_layouts(K& k, InodeOf<K>& ip, BreakReason reason) {
  bool retry = false;
  int error = 0;
  do {
    retry = false;
    if (reason == BreakReason::unmap) {
      error = break_dax_layouts(k, ip, &retry);
      if (error != 0 || retry) continue;
    }
    error = break_leased_layouts(k, ip, &retry);
  } while (error == 0 && retry);
  k.step(Step::layout_broken);
  return error;
}

/// The busy-page half alone, to its end.
template <class K>
int break_busy_pages(K& k, InodeOf<K>& ip) {
  bool retry = false;
  int error = 0;
  do {
    retry = false;
    error = break_dax_layouts(k, ip, &retry);
  } while (error == 0 && retry);
  k.step(Step::layout_broken);
  return error;
}

/// A layout change as the system call asks for it.
enum class ChangeKind : std::uint8_t { punch, truncate };
struct Change {
  ChangeKind kind = ChangeKind::punch;
  PageRange range;          ///< punch
  PageOffset size = 0;      ///< truncate: the new i_size in pages
  std::uint32_t freed = 0;  ///< out: blocks that were freed

  static Change punch(PageRange range) { return {ChangeKind::punch, range, 0, 0}; }
  static Change truncate(PageOffset size) { return {ChangeKind::truncate, {}, size, 0}; }
};

}  // namespace daxrace::core
