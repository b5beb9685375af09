#pragma once

#include "harness/core/block.hpp"

/// DAX entries and their locks. An entry covers store.pages_per_entry() pages: a busy test, an unmap and a
/// removal act on the whole entry, as they do on a PMD entry.
namespace daxrace::core {

template <class K>
PageOffset entry_of(K& k, PageOffset page) {
  return page / k.store.pages_per_entry();
}

/// The pages of every entry that the range touches.
template <class K>
PageRange whole_entries(K& k, PageRange range) {
  const std::uint32_t per_entry = k.store.pages_per_entry();
  const PageOffset end = range.end / per_entry * per_entry;
  return {range.first / per_entry * per_entry, end == range.end ? end : end + per_entry};
}

template <class K>
PageRange entries_of(K& k, PageRange range) {
  const PageRange whole = whole_entries(k, range);
  return {whole.first / k.store.pages_per_entry(), whole.end / k.store.pages_per_entry()};
}

/// Calls fn(frame) for every frame that the entry stands for.
template <class K, class Fn>
void for_each_frame(K& k, InodeOf<K>& ip, PageOffset index, DaxEntry entry, Fn&& fn) {
  if (!entry.has_frame()) return;
  const std::uint32_t per_entry = k.store.pages_per_entry();
  if (per_entry == 1) {
    fn(entry.frame());
    return;
  }
  k.store.extents(ip).for_each({index * per_entry, (index + 1) * per_entry}, [&](PageOffset page) {
    if (const Block block = lookup_block(k, ip, page)) fn(block.frame);
  });
}

/// get_unlocked_entry, then replaces it by change(entry) in one step. Returns what stood there before.
template <class K, class Change>
DaxEntry change_unlocked_entry(K& k, InodeOf<K>& ip, PageOffset index, Change&& change) {
  auto& entries = k.store.entries(ip);
  const WaitKey key{entries.address(index), WaitFor::entry_lock, ip.ino};
  for (;;) {
    const auto seen = DaxEntry::from(entries.update(index, [&](std::uint64_t word) {
      const auto entry = DaxEntry::from(word);
      return entry.locked() ? word : change(entry).word();
    }));
    if (!seen.locked()) return seen;
    wait_event(k.env, key, Sleep::uninterruptible,
               [&] { return !DaxEntry::from(entries.load(index)).locked(); });
  }
}

/// Holds one entry's lock (grab_mapping_entry, dax_unlock_entry); what it holds is written back when it is
/// let go.
template <class K>
class EntryLock {
 public:
  EntryLock(K& k, InodeOf<K>& ip, PageOffset page) : k_(k), ip_(ip), index_(entry_of(k, page)) {
    entry = change_unlocked_entry(k, ip, index_, [](DaxEntry seen) { return seen.with_lock(true); });
  }
  ~EntryLock() {
    k_.store.entries(ip_).update(index_, [&](std::uint64_t) { return entry.with_lock(false).word(); });
    k_.env.wake_up(WaitKey{k_.store.entries(ip_).address(index_), WaitFor::entry_lock, ip_.ino});
  }
  EntryLock(const EntryLock&) = delete;
  EntryLock& operator=(const EntryLock&) = delete;

  PageOffset index() const { return index_; }
  DaxEntry entry;

 private:
  K& k_;
  InodeOf<K>& ip_;
  PageOffset index_;
};

/// dax_delete_mapping_entry for every entry that the range touches; waits for locked ones.
template <class K>
void remove_entries(K& k, InodeOf<K>& ip, PageRange range) {
  k.store.entries(ip).for_each(entries_of(k, range), [&](PageOffset index) {
    change_unlocked_entry(k, ip, index, [](DaxEntry) { return DaxEntry{}; });
  });
  k.step(Step::entries_removed);
}

/// Takes the zero page out of the page cache where a write has filled a hole. What a fault has put there
/// since stands for the new block, and whoever looks for pins must go on finding it.
template <class K>
void remove_zero_page(K& k, InodeOf<K>& ip, PageOffset page) {
  k.store.entries(ip).for_each(entries_of(k, {page, page + 1}), [&](PageOffset index) {
    change_unlocked_entry(k, ip, index, [](DaxEntry seen) { return seen.zero_page() ? DaxEntry{} : seen; });
  });
  k.step(Step::entries_removed);
}

}  // namespace daxrace::core
