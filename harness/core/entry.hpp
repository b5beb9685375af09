#pragma once

#include "harness/core/block.hpp"

/// DAX entries and their locks. Where entries can be large, one covers store.pages_per_entry() pages as a PMD
/// entry does: it stands at the first of them, and a busy test, an unmap and a removal act on the whole of
/// it. Beside it no page of its range has an entry of its own.
namespace daxrace::core {

/// The pages that the entries of the range cover, if all are large.
template <class K>
PageRange whole_entries(K& k, PageRange range) {
  const std::uint32_t per_entry = k.store.pages_per_entry();
  const PageOffset end = range.end / per_entry * per_entry;
  return {range.first / per_entry * per_entry, end == range.end ? end : end + per_entry};
}

/// Where the entry stands that covers the page.
template <class K>
PageOffset slot_of(K& k, InodeOf<K>& ip, PageOffset page) {
  if (k.store.pages_per_entry() == 1) return page;
  const PageOffset first = whole_entries(k, {page, page + 1}).first;
  return DaxEntry::from(k.store.entries(ip).load(first)).large() ? first : page;
}

template <class K>
DaxEntry load_entry(K& k, InodeOf<K>& ip, PageOffset page) {
  return DaxEntry::from(k.store.entries(ip).load(slot_of(k, ip, page)));
}

/// The pages that an entry covers which was found at `page`.
template <class K>
PageRange covered_by(K& k, PageOffset page, DaxEntry entry) {
  const PageRange own{page, page + 1};
  return entry.large() ? whole_entries(k, own) : own;
}

/// The range and the whole of the large entries at its edges.
template <class K>
PageRange with_large_entries(K& k, InodeOf<K>& ip, PageRange range) {
  if (k.store.pages_per_entry() == 1) return range;
  const PageRange whole = whole_entries(k, range);
  const bool at_first = load_entry(k, ip, range.first).large();
  const bool at_last = load_entry(k, ip, range.end - 1).large();
  return {at_first ? whole.first : range.first, at_last ? whole.end : range.end};
}

/// Calls fn(page) once for every entry that covers a page of the range, with the first of these pages.
template <class K, class Fn>
void for_each_entry(K& k, InodeOf<K>& ip, PageRange range, Fn&& fn) {
  auto& entries = k.store.entries(ip);
  entries.for_each({whole_entries(k, range).first, range.end}, [&](PageOffset slot) {
    if (slot >= range.first) {
      fn(slot);
    } else if (DaxEntry::from(entries.load(slot)).large()) {
      fn(range.first);
    }
  });
}

/// Calls fn(page, frame) for every frame that an entry stands for which was found at `page`.
template <class K, class Fn>
void for_each_frame(K& k, InodeOf<K>& ip, PageOffset page, DaxEntry entry, Fn&& fn) {
  if (!entry.has_frame()) return;
  if (!entry.large()) {
    fn(page, entry.frame());
    return;
  }
  k.store.extents(ip).for_each(covered_by(k, page, entry), [&](PageOffset covered) {
    if (const Block block = lookup_block(k, ip, covered)) fn(covered, block.frame);
  });
}

/// Sleeps until the entry that stands in a slot is not locked.
template <class K>
void wait_entry_unlocked(K& k, InodeOf<K>& ip, PageOffset slot) {
  auto& entries = k.store.entries(ip);
  wait_event(k.env, WaitKey{entries.address(slot), WaitFor::entry_lock, ip.ino}, Sleep::uninterruptible,
             [&] { return !DaxEntry::from(entries.load(slot)).locked(); });
}

/// get_unlocked_entry, then replaces it by change(entry) in one step. Returns what stood there before.
template <class K, class Change>
DaxEntry change_unlocked_entry(K& k, InodeOf<K>& ip, PageOffset page, Change&& change) {
  auto& entries = k.store.entries(ip);
  for (;;) {
    PageOffset slot = page;
    DaxEntry seen;
    k.store.with_tree_lock(ip, page, [&] {
      slot = slot_of(k, ip, page);
      seen = DaxEntry::from(entries.update(slot, [&](std::uint64_t word) {
        const auto entry = DaxEntry::from(word);
        return entry.locked() ? word : change(entry).word();
      }));
    });
    if (!seen.locked()) return seen;
    wait_entry_unlocked(k, ip, slot);
  }
}

enum class EntrySize : bool { page, large };

/// Holds one entry's lock (grab_mapping_entry, dax_unlock_entry); what it holds is written back when it is
/// let go. A large one is not to be had (`taken` is false) where a page of its range has an entry of its own.
template <class K>
class EntryLock {
 public:
  EntryLock(K& k, InodeOf<K>& ip, PageOffset page, EntrySize size = EntrySize::page)
      : k_(k), ip_(ip), slot_(page) {
    if (size == EntrySize::large) {
      take_large();
    } else {
      entry = change_unlocked_entry(k, ip, page, [](DaxEntry seen) { return seen.with_lock(true); });
      if (entry.large()) slot_ = whole_entries(k, {page, page + 1}).first;
    }
  }
  ~EntryLock() {
    if (!taken_) return;
    const DaxEntry left = entry.present() ? entry.with_lock(false) : DaxEntry{};
    k_.store.entries(ip_).update(slot_, [&](std::uint64_t) { return left.word(); });
    k_.env.wake_up(WaitKey{k_.store.entries(ip_).address(slot_), WaitFor::entry_lock, ip_.ino});
  }
  EntryLock(const EntryLock&) = delete;
  EntryLock& operator=(const EntryLock&) = delete;

  bool taken() const { return taken_; }
  PageRange pages() const { return covered_by(k_, slot_, entry); }

  /// dax_insert_entry: others see what the entry stands for, and its dirty tag, while it is still locked. To
  /// be called before the translation stands: who stores through that and syncs must find the tag.
  void insert(DaxEntry inserted) {
    entry = inserted;
    k_.store.entries(ip_).update(slot_, [&](std::uint64_t) { return entry.with_lock(true).word(); });
  }

  DaxEntry entry;

 private:
  void take_large() {
    const PageRange pages = whole_entries(k_, {slot_, slot_ + 1});
    slot_ = pages.first;
    auto& entries = k_.store.entries(ip_);
    for (bool locked = true; locked;) {
      k_.store.with_tree_lock(ip_, slot_, [&] {
        entry = DaxEntry::from(entries.load(slot_));
        locked = entry.large() && entry.locked();
        taken_ = !locked && (entry.large() || none_of_its_own(pages));
        if (taken_)
          entries.update(slot_, [&](std::uint64_t) { return entry.as_large().with_lock(true).word(); });
      });
      if (locked) wait_entry_unlocked(k_, ip_, slot_);
    }
    entry = entry.as_large();
  }
  bool none_of_its_own(PageRange pages) const {
    bool none = true;
    k_.store.entries(ip_).for_each(pages, [&](PageOffset) { none = false; });
    return none;
  }

  K& k_;
  InodeOf<K>& ip_;
  PageOffset slot_;
  bool taken_ = true;
};

/// dax_delete_mapping_entry for every entry that the range touches; waits for locked ones.
template <class K>
void remove_entries(K& k, InodeOf<K>& ip, PageRange range) {
  for_each_entry(k, ip, range, [&](PageOffset page) {
    change_unlocked_entry(k, ip, page, [](DaxEntry) { return DaxEntry{}; });
  });
  k.step(Step::entries_removed);
}

/// Takes the zero page out of the page cache where a write has filled a hole. What a fault has put there
/// since stands for the new block, and whoever looks for pins must go on finding it.
template <class K>
void remove_zero_page(K& k, InodeOf<K>& ip, PageOffset page) {
  for_each_entry(k, ip, {page, page + 1}, [&](PageOffset at) {
    change_unlocked_entry(k, ip, at, [](DaxEntry seen) { return seen.zero_page() ? DaxEntry{} : seen; });
  });
  k.step(Step::entries_removed);
}

}  // namespace daxrace::core
