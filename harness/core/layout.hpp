#pragma once

#include "harness/core/lease.hpp"

/// The halves of break_layouts, under the kernel's names.
namespace daxrace::core {

/// dax_layout_busy_page_range: unmaps the scope, then scans its entries. Waits for locked entries, or steps
/// over them. kNoFrame: none is busy.
template <class K>
FrameNumber dax_layout_busy_page(K& k, InodeOf<K>& ip, PageRange scope) {
  if (k.env.rules().unmapped_is_idle && !k.store.is_mapped(ip)) return kNoFrame;
  unmap_mapping_range(k, ip, scope);
  FrameNumber busy = kNoFrame;
  for_each_entry(k, ip, scope, [&](PageOffset page) {
    if (busy != kNoFrame) return;
    if (k.env.rules().scan_skips_locked && load_entry(k, ip, page).locked()) return;
    const DaxEntry entry = change_unlocked_entry(k, ip, page, [](DaxEntry seen) { return seen; });
    for_each_frame(k, ip, page, entry, [&](PageOffset, FrameNumber frame) {
      if (page_is_busy(k, frame)) busy = frame;
    });
  });
  return busy;
}

/// What is slept with where no lock may be dropped.
template <class K>
auto keep_locks(K& k) {
  return [&k] { k.env.schedule(); };
}

/// xfs_wait_dax_page, ext4_wait_dax_page: MMAPLOCK is dropped while it sleeps, IOLOCK is kept.
template <class K>
auto drop_mmaplock(K& k, InodeOf<K>& ip) {
  return [&k, &ip] {
    k.up_write(ip.invalidate_lock);
    k.step(Step::break_unlocked);
    k.env.schedule();
    k.down_write(ip.invalidate_lock);
    k.step(Step::break_relocked);
  };
}

/// The same for a range of a range lock.
template <class K>
auto drop_range(K& k, HeldRange<K>& mapping_range) {
  return [&k, &mapping_range] {
    mapping_range.drop();
    k.step(Step::break_unlocked);
    k.env.schedule();
    mapping_range.retake();
    k.step(Step::break_relocked);
  };
}

/// ___wait_var_event on the page's refcount; sleep() may drop locks while it sleeps.
template <class K, class SleepFn>
int wait_page_idle(K& k, InodeOf<K>& ip, FrameNumber frame, Sleep mode, SleepFn&& sleep) {
  [[maybe_unused]] auto timed = k.env.timed(Phase::break_wait);
  k.env.oracle().event(Event::busy_wait, ip.ino, 0, frame, count_to_tell(k, frame));
  return wait_event(
      k.env, page_key(k, frame), mode, [&] { return page_is_idle(k, frame); }, sleep);
}

/// dax_delete_mapping_range, with which a break ends that found nobody (dax_break_layout from 6.15).
template <class K>
void end_of_break(K& k, InodeOf<K>& ip, PageRange scope) {
  if (k.env.rules().break_removes_entries) remove_entries(k, ip, scope);
}

/// xfs_break_dax_layouts: one scan, one wait. `retry` says that MMAPLOCK may have been dropped: scan again.
template <class K, class SleepFn>
int break_dax_layouts(K& k, InodeOf<K>& ip, bool* retry, PageRange scope, SleepFn&& sleep) {
  const FrameNumber busy = dax_layout_busy_page(k, ip, scope);
  if (busy == kNoFrame) {
    end_of_break(k, ip, scope);
    k.step(Step::busy_scanned);
    return 0;
  }
  *retry = !k.env.rules().rescans_only_if_slept;
  return wait_page_idle(k, ip, busy, Sleep::interruptible, [&] {
    *retry = true;
    sleep();
  });
}

/// The busy-page half alone, to its end (ext4_break_layouts; dax_break_layout from 6.15).
template <class K, class SleepFn>
int break_busy_pages(K& k, InodeOf<K>& ip, PageRange scope, SleepFn&& sleep) {
  bool retry = false;
  int error = 0;
  do {
    retry = false;
    error = break_dax_layouts(k, ip, &retry, scope, sleep);
  } while (error == 0 && retry);
  k.step(Step::layout_broken);
  return error;
}

/// Of which pages the layout is broken for a change, where that is not always the whole file.
template <class K>
PageRange scope_of_break(K& k, const Change& change) {
  switch (k.env.rules().break_scope) {
    case BreakScope::whole_file:
      return kWholeFile;
    case BreakScope::range:
      return pages_of(change);
    case BreakScope::first_page:
      return {0, 1};
  }
  return kWholeFile;
}

/// dax_break_layout_final, from 6.15: no lock is held and no signal ends it.
template <class K>
void break_busy_pages_final(K& k, InodeOf<K>& ip) {
  FrameNumber busy = dax_layout_busy_page(k, ip, kWholeFile);
  for (; busy != kNoFrame; busy = dax_layout_busy_page(k, ip, kWholeFile))
    wait_page_idle(k, ip, busy, Sleep::uninterruptible, keep_locks(k));
  end_of_break(k, ip, kWholeFile);
}

}  // namespace daxrace::core
