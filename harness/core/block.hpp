#pragma once

#include <algorithm>

#include "harness/core/page.hpp"

/// Extents: looking blocks up, allocating and freeing them. Freed blocks are handed out again at once.
namespace daxrace::core {

template <class K>
Block lookup_block(K& k, InodeOf<K>& ip, PageOffset page) {
  return Block::from(k.store.extents(ip).load(page));
}

/// Tells the oracle if the frame was freed since `block` was looked up, pinned or translated. False: it was.
template <class K>
bool check_block(K& k, Hazard hazard, InodeOf<K>& ip, PageOffset page, Block block) {
  if constexpr (K::EnvType::Oracle::enabled) {
    const std::uint32_t now = k.store.frame(block.frame).generation.load();
    if ((now & Translation::kGenerationMask) != (block.generation & Translation::kGenerationMask)) {
      k.env.oracle().stale_access(hazard, ip.ino, page, block, now);
      return false;
    }
  }
  return true;
}

/// How an access to a page ended.
enum class Access : std::uint8_t {
  missing,  ///< there was nothing to access: no translation, a hole, beyond i_size, no space
  stale,    ///< its block was freed meanwhile: a violation, reported
  done
};

/// A zeroed block for a hole. Whoever loses a race for the same hole gets the winner's block; no block: no
/// space.
template <class K>
Block allocate_block(K& k, InodeOf<K>& ip, PageOffset page) {
  const FrameNumber number = k.store.allocate();
  if (number == kNoFrame) return {};
  auto& frame = k.store.frame(number);
  k.store.zero(number);
  const Block fresh{number, frame.generation.load()};
  const auto old = Block::from(
      k.store.extents(ip).update(page, [&](std::uint64_t word) { return word == 0 ? fresh.word() : word; }));
  if (old) {
    k.store.release(number);
    return old;
  }
  frame.owner.store(ip.ino);
  k.env.oracle().event(Event::allocated, ip.ino, page, number, 0);
  return fresh;
}

/// The end of a block: checked by the oracle, counted as a new generation, on top of the free list.
template <class K>
void free_block(K& k, InodeOf<K>& ip, PageOffset page, Block block) {
  auto& frame = k.store.frame(block.frame);
  if constexpr (K::EnvType::Oracle::enabled) {
    const std::uint32_t mapcount = k.refcount.per_mapping * frame.mapcount.load();
    const std::uint32_t pins = frame.refcount.load() - mapcount - k.refcount.idle;
    if (pins != 0) k.env.oracle().freed_busy(Hazard::h4, ip.ino, page, block, pins);
    if (mapcount != 0) k.env.oracle().freed_busy(Hazard::h1, ip.ino, page, block, mapcount);
  }
  frame.owner.store(0);
  frame.generation.fetch_add(1);
  k.env.oracle().page_removed(ip.ino, page);
  k.env.oracle().event(Event::freed, ip.ino, page, block.frame, 0);
  k.store.discard(block.frame);
  k.store.release(block.frame);
  k.step(Step::block_freed);
}

/// Frees every block of the range. Returns how many there were.
template <class K>
std::uint32_t free_blocks(K& k, InodeOf<K>& ip, PageRange range) {
  std::uint32_t freed = 0;
  auto& extents = k.store.extents(ip);
  extents.for_each(range, [&](PageOffset page) {
    k.env.oracle().page_removing(ip.ino, page);
    const auto block = Block::from(extents.update(page, [](std::uint64_t) { return std::uint64_t{0}; }));
    if (!block) return;
    k.step(Step::block_unlinked);
    free_block(k, ip, page, block);
    ++freed;
  });
  return freed;
}

/// Makes the blocks of the range read as zero, where they are.
template <class K>
void zero_blocks(K& k, InodeOf<K>& ip, PageRange range) {
  k.store.extents(ip).for_each(range, [&](PageOffset page) {
    k.env.oracle().page_removing(ip.ino, page);
    k.store.zero(lookup_block(k, ip, page).frame);
    k.env.oracle().page_removed(ip.ino, page);
  });
}

/// Gives a block a new offset. It counts as a new generation: whoever knew the block at its old offset would
/// hit the right frame at the wrong place.
template <class K>
void move_block(K& k, InodeOf<K>& ip, PageOffset from, PageOffset to) {
  auto& extents = k.store.extents(ip);
  Block block = Block::from(extents.update(from, [](std::uint64_t) { return std::uint64_t{0}; }));
  if (!block) return;
  auto& frame = k.store.frame(block.frame);
  if constexpr (K::EnvType::Oracle::enabled) {
    const std::uint32_t mapcount = k.refcount.per_mapping * frame.mapcount.load();
    const std::uint32_t pins = frame.refcount.load() - mapcount - k.refcount.idle;
    if (pins != 0) k.env.oracle().freed_busy(Hazard::h4, ip.ino, from, block, pins);
    if (mapcount != 0) k.env.oracle().freed_busy(Hazard::h1, ip.ino, from, block, mapcount);
  }
  k.env.oracle().page_moved(ip.ino, from, to, block.frame);
  block.generation = frame.generation.fetch_add(1) + 1;
  const auto overrun = Block::from(extents.update(to, [&](std::uint64_t) { return block.word(); }));
  k.env.oracle().event(Event::moved, ip.ino, to, block.frame, 0);
  if (overrun) free_block(k, ip, to, overrun);  // somebody allocated there meanwhile: an unsafe protocol
  k.step(Step::block_moved);
}

/// xfs_collapse_file_space without its free: what lies behind the range moves down into its place.
template <class K>
void shift_blocks_down(K& k, InodeOf<K>& ip, PageRange gap) {
  const PageOffset end = std::max(ip.i_size.load(), gap.end);
  for (PageOffset page = gap.end; page < end; ++page) move_block(k, ip, page, page - (gap.end - gap.first));
}

/// xfs_insert_file_space: what lies at and behind the range's start moves up, the last first.
template <class K>
void shift_blocks_up(K& k, InodeOf<K>& ip, PageRange gap, PageOffset old_size) {
  for (PageOffset page = old_size; page > gap.first; --page)
    move_block(k, ip, page - 1, page - 1 + (gap.end - gap.first));
}

}  // namespace daxrace::core
