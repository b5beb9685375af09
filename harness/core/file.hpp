#pragma once

#include "harness/core/mm.hpp"

/// Reading, writing, direct I/O, fsync, and the data work of layout changes.
namespace daxrace::core {

inline constexpr PageRange kWholeFile{0, std::numeric_limits<PageOffset>::max() / 2};

/// A layout change as the system call asks for it.
enum class ChangeKind : std::uint8_t { punch, zero, collapse, insert, truncate };
struct Change {
  ChangeKind kind = ChangeKind::punch;
  PageRange range;          ///< all but truncate
  PageOffset size = 0;      ///< truncate: the new i_size in pages
  std::uint32_t freed = 0;  ///< out: blocks that were freed

  static Change punch(PageRange range) { return {ChangeKind::punch, range, 0, 0}; }
  static Change zero(PageRange range) { return {ChangeKind::zero, range, 0, 0}; }
  static Change collapse(PageRange range) { return {ChangeKind::collapse, range, 0, 0}; }
  static Change insert(PageRange range) { return {ChangeKind::insert, range, 0, 0}; }
  static Change truncate(PageOffset size) { return {ChangeKind::truncate, {}, size, 0}; }
};

/// The pages whose blocks it frees or moves.
inline PageRange pages_of(const Change& change) {
  switch (change.kind) {
    case ChangeKind::punch:
    case ChangeKind::zero:
      return change.range;
    case ChangeKind::collapse:
    case ChangeKind::insert:
      return {change.range.first, kWholeFile.end};
    case ChangeKind::truncate:
      return {change.size, kWholeFile.end};
  }
  return kWholeFile;
}

/// A block for a page that is written: an existing one, or a fresh one in a hole, from where the zero page is
/// unmapped. The entry goes first, the translation after it: a fault that found the hole holds the entry's
/// lock until its zero page stands. (For IOMAP_F_NEW the kernel calls invalidate_inode_pages2_range, which
/// drops clean entries with frames too: a page that was read-faulted and pinned in between loses its entry,
/// and with it its place in later busy scans. The model drops zero-page entries only.)
template <class K>
Block block_for_write(K& k, InodeOf<K>& ip, PageOffset page) {
  if (const Block block = lookup_block(k, ip, page)) return block;
  const Block fresh = allocate_block(k, ip, page);
  if (fresh) {
    remove_zero_page(k, ip, page);
    unmap_mapping_range(k, ip, {page, page + 1});
  }
  return fresh;
}

/// dax_iomap_rw for a read: copy(block) copies from the frame. No page reference.
template <class K, class Copy>
Access dax_iomap_read(K& k, InodeOf<K>& ip, PageOffset page, Copy&& copy) {
  if (page >= ip.i_size.load()) return Access::missing;
  const Block block = lookup_block(k, ip, page);
  k.step(Step::copy_looked_up);
  if (!block) return Access::missing;
  copy(block);
  k.step(Step::copy_done);
  k.env.oracle().event(Event::copy_read, ip.ino, page, block.frame, 0);
  return check_block(k, Hazard::h2, ip, page, block) ? Access::done : Access::stale;
}

/// dax_iomap_rw for a write: copy(block) copies into the frame. A write beyond i_size extends the file.
template <class K, class Copy>
Access dax_iomap_write(K& k, InodeOf<K>& ip, PageOffset page, Copy&& copy) {
  const Block block = block_for_write(k, ip, page);
  k.step(Step::copy_looked_up);
  if (!block) return Access::missing;
  copy(block);
  k.step(Step::copy_done);
  k.env.oracle().event(Event::copy_written, ip.ino, page, block.frame, 0);
  if (page >= ip.i_size.load()) ip.i_size.store(page + 1);
  return check_block(k, Hazard::h2, ip, page, block) ? Access::done : Access::stale;
}

template <class K>
WaitKey dio_key(InodeOf<K>& ip) {
  return {&ip.i_dio_count, WaitFor::dio, ip.ino};
}

template <class K>
void inode_dio_begin(K&, InodeOf<K>& ip) {
  ip.i_dio_count.fetch_add(1);
}

template <class K>
void inode_dio_end(K& k, InodeOf<K>& ip) {
  if (ip.i_dio_count.fetch_sub(1) == 1) k.env.wake_up(dio_key<K>(ip));
}

/// Not interruptible, as in the kernel.
template <class K>
void inode_dio_wait(K& k, InodeOf<K>& ip) {
  if (ip.i_dio_count.load() == 0) return;
  [[maybe_unused]] auto timed = k.env.timed(Phase::dio_wait);
  wait_event(k.env, dio_key<K>(ip), Sleep::uninterruptible, [&] { return ip.i_dio_count.load() == 0; });
}

/// iomap_dio_rw up to the return of the submission. submit(block) starts the device; end_aio() follows when
/// it is done. False: nothing was submitted (beyond i_size, a hole that is read, no space).
template <class K, class Submit>
bool submit_aio(K& k, InodeOf<K>& ip, PageOffset page, bool write, Submit&& submit) {
  if (page >= ip.i_size.load()) return false;
  inode_dio_begin(k, ip);
  k.step(Step::aio_counted);
  const Block block = write ? block_for_write(k, ip, page) : lookup_block(k, ip, page);
  k.step(Step::aio_looked_up);
  if (!block) {
    inode_dio_end(k, ip);
    return false;
  }
  k.env.oracle().event(Event::dio_submitted, ip.ino, page, block.frame, 0);
  submit(block);
  k.step(Step::aio_submitted);
  return true;
}

/// The completion: the last look at the frame, then i_dio_count.
template <class K>
void end_aio(K& k, InodeOf<K>& ip, PageOffset page, Block block) {
  k.env.oracle().event(Event::dio_completed, ip.ino, page, block.frame, 0);
  check_block(k, Hazard::h3, ip, page, block);
  inode_dio_end(k, ip);
}

/// dax_entry_mkclean: the next store must fault, so that it tags the entry again.
template <class K>
void write_protect(K& k, InodeOf<K>& ip, PageRange pages) {
  for (std::uint32_t i = 0; i < ip.mappings; ++i) {
    auto& translations = k.store.translations(ip.first_mapping + i);
    translations.for_each(pages, [&](PageOffset page) {
      translations.update(
          page, [](std::uint64_t word) { return Translation::from(word).write_protected().word(); });
    });
    // Always: an unmap may have cleared the translation just now and not shot it down yet.
    [[maybe_unused]] auto timed = k.env.timed(Phase::shootdown);
    k.env.tlb_shootdown(ip.first_mapping + i, pages);
  }
}

/// dax_writeback_mapping_range: takes only entry locks. Returns how many entries were flushed. A tag stands
/// before there is a translation to store through, so an entry that is locked and not tagged has nothing yet
/// to write back.
template <class K>
std::uint32_t write_back(K& k, InodeOf<K>& ip, PageRange range) {
  std::uint32_t flushed = 0;
  for_each_entry(k, ip, range, [&](PageOffset page) {
    if (!load_entry(k, ip, page).dirty()) return;
    EntryLock<K> lock(k, ip, page);
    if (!lock.entry.dirty()) return;
    write_protect(k, ip, lock.pages());
    k.step(Step::writeback);
    for_each_frame(k, ip, page, lock.entry, [&](PageOffset at, FrameNumber frame) {
      k.env.oracle().flush_begin(ip.ino, at);
      k.store.flush(frame);
      k.env.oracle().event(Event::flushed, ip.ino, at, frame, 0);
      k.env.oracle().flush_end(ip.ino, at);
    });
    lock.entry = lock.entry.with_dirty(false);
    ++flushed;
  });
  return flushed;
}

/// From here on nobody is owed what was stored in these pages: the change that is under way gives their
/// blocks up, and whether a sync that meets it came before or after is nobody's to say.
template <class K>
class Removal {
 public:
  Removal(K& k, InodeOf<K>& ip, PageRange pages) : k_(k), ip_(ip), pages_(pages) {
    k_.env.oracle().removal_begin(ip_.ino, pages_);
  }
  ~Removal() { k_.env.oracle().removal_end(ip_.ino, pages_); }
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

 private:
  K& k_;
  InodeOf<K>& ip_;
  PageRange pages_;
};

/// truncate_pagecache_range: unmap, then remove the entries.
template <class K>
void truncate_pagecache_range(K& k, InodeOf<K>& ip, PageRange range) {
  unmap_mapping_range(k, ip, range);
  remove_entries(k, ip, range);
}

/// truncate_setsize: i_size, then the page cache beyond it.
template <class K>
void truncate_setsize(K& k, InodeOf<K>& ip, PageOffset size) {
  const PageOffset old_size = ip.i_size.load();
  ip.i_size.store(size);
  if (size < old_size || k.env.rules().size_before_break)
    truncate_pagecache_range(k, ip, {size, kWholeFile.end});
}

/// The data work of fallocate once nothing is in progress: xfs_flush_unmap_range, xfs_free_file_space, and
/// xfs_prepare_shift with the shift where blocks move. A zeroed range is left as a hole: XFS frees its blocks
/// and reserves new ones; where it keeps its blocks, as unwritten ones, they read as zero. ext4 has written
/// the range of a punch back before it took a lock.
enum class WriteBack : bool { now, done };
template <class K>
void fallocate_range(K& k, InodeOf<K>& ip, Change& change, WriteBack written = WriteBack::now) {
  const PageRange range = change.range;
  const PageOffset pages = range.end - range.first;
  const PageOffset old_size = ip.i_size.load();
  const bool shifts = change.kind == ChangeKind::collapse || change.kind == ChangeKind::insert;
  if (change.kind == ChangeKind::insert) ip.i_size.store(old_size + pages);
  const PageRange touched = shifts ? PageRange{range.first, kWholeFile.end} : range;
  if (shifts || written == WriteBack::now) write_back(k, ip, touched);
  {
    const bool gives_up = change.kind != ChangeKind::insert;
    const Removal<K> removal(k, ip, gives_up ? range : PageRange{});
    truncate_pagecache_range(k, ip, touched);
    if (change.kind == ChangeKind::zero && k.env.rules().zero_keeps_blocks) {
      zero_blocks(k, ip, range);
    } else if (gives_up) {
      change.freed = free_blocks(k, ip, range);
    }
  }
  if (change.kind == ChangeKind::collapse) {
    shift_blocks_down(k, ip, range);
    ip.i_size.store(old_size - pages);
  } else if (change.kind == ChangeKind::insert) {
    shift_blocks_up(k, ip, range, old_size);
  }
}

/// Size, page cache and blocks beyond it.
template <class K>
void truncate_to(K& k, InodeOf<K>& ip, Change& change) {
  const PageRange cut{change.size, kWholeFile.end};
  const Removal<K> removal(k, ip, cut);
  truncate_setsize(k, ip, change.size);
  change.freed = free_blocks(k, ip, cut);
}

/// Either of the two.
template <class K>
void apply_change(K& k, InodeOf<K>& ip, Change& change, WriteBack written = WriteBack::now) {
  if (change.kind == ChangeKind::truncate) {
    truncate_to(k, ip, change);
  } else {
    fallocate_range(k, ip, change, written);
  }
}

/// The last unlink and close: truncate_inode_pages_final and the blocks. Not interruptible, no IOLOCK or
/// MMAPLOCK. Waits for nobody: see evict() of a protocol.
template <class K>
std::uint32_t evict_inode(K& k, InodeOf<K>& ip) {
  unmap_mapping_range(k, ip, kWholeFile);
  remove_entries(k, ip, kWholeFile);
  return free_blocks(k, ip, kWholeFile);
}

}  // namespace daxrace::core
