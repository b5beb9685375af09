#pragma once

#include <array>
#include <optional>
#include <span>

#include "harness/core/entry.hpp"

/// Faults, translations, get_user_pages and unmap.
namespace daxrace::core {

enum class FaultResult : std::uint8_t {
  installed,  ///< a translation to a frame, where there was none
  upgraded,   ///< the translation stood already; it may have become writable
  occupied,   ///< a translation to another frame stands: one that an unsafe protocol left behind
  zero_page,  ///< a read of a hole
  sigbus,     ///< beyond i_size
  no_space
};

/// unmap_mapping_range for one mapping: translations out, shootdown, real zap, references dropped, in this
/// order and batch by batch.
template <class K>
void unmap_one_mapping(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageRange range) {
  std::array<FrameNumber, K::EnvType::kUnmapBatch> frames;
  std::size_t count = 0;
  const auto flush_batch = [&] {
    {
      auto timed = k.env.timed(Phase::shootdown);
      k.env.tlb_shootdown(mapping, range);
      if (count != 0) {
        timed.next(Phase::zap);
        k.store.zap(std::span(frames.data(), count));
      }
    }
    for (std::size_t i = 0; i < count; ++i) put_mapping_reference(k, frames[i]);
    count = 0;
  };
  auto& translations = k.store.translations(mapping);
  translations.for_each(range, [&](PageOffset page) {
    const auto old = Translation::from(translations.update(page, [&](std::uint64_t word) {
      const auto seen = Translation::from(word);
      if (seen.has_frame()) uncount_mapping(k, seen.frame());
      return std::uint64_t{0};
    }));
    if (!old.has_frame()) return;
    k.env.oracle().event(Event::unmapped, ip.ino, page, old.frame(), 0);
    frames[count++] = old.frame();
    if (count == frames.size()) flush_batch();
  });
  // Also where nothing was found: somebody else may have cleared it just now and not shot it down yet, which
  // the kernel sees in mm_tlb_flush_nested.
  flush_batch();
}

/// unmap_mapping_range: every mapping of the inode.
template <class K>
void unmap_mapping_range(K& k, InodeOf<K>& ip, PageRange range) {
  const PageRange whole = with_large_entries(k, ip, range);
  for (std::uint32_t i = 0; i < ip.mappings; ++i) unmap_one_mapping(k, ip, ip.first_mapping + i, whole);
  k.step(Step::unmapped);
}

/// vmf_insert_mixed: a translation to another frame that stands already is left alone, as the kernel leaves
/// it.
template <class K>
FaultResult install_translation(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, Block block,
                                bool write) {
  const Translation wanted = Translation::to(block, write);
  const auto old = Translation::from(k.store.translations(mapping).update(page, [&](std::uint64_t word) {
    const auto seen = Translation::from(word);
    if (!seen.present() || seen.zero_page()) {
      get_mapping_reference(k, block.frame);
      return wanted.word();
    }
    return seen.frame() == block.frame && write ? wanted.word() : word;
  }));
  if (old.has_frame()) return old.frame() == block.frame ? FaultResult::upgraded : FaultResult::occupied;
  ++k.translations_installed;
  k.env.oracle().event(Event::fault_installed, ip.ino, page, block.frame, write);
  return FaultResult::installed;
}

/// One extent covers the pages, or might: each has a block.
template <class K>
bool has_every_block(K& k, InodeOf<K>& ip, PageRange pages) {
  PageOffset blocks = 0;
  k.store.extents(ip).for_each(pages, [&](PageOffset) { ++blocks; });
  return blocks == pages.end - pages.first;
}

/// Maps the other pages of a large entry, as one PMD does.
template <class K>
void install_neighbours(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageRange pages, PageOffset page,
                        bool write) {
  k.store.extents(ip).for_each(pages, [&](PageOffset neighbour) {
    if (neighbour == page) return;
    const Block block = lookup_block(k, ip, neighbour);
    if (!block) return;
    k.store.touch(block.frame);
    install_translation(k, ip, mapping, neighbour, block, write);
  });
}

/// dax_iomap_pmd_fault: one entry and the translations of all its pages, where each page of a large entry has
/// a block. Nothing: the fault falls back to its page.
template <class K>
std::optional<FaultResult> dax_iomap_pmd_fault(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page,
                                               bool write) {
  if (whole_entries(k, {page, page + 1}).end > ip.i_size.load()) return std::nullopt;
  EntryLock<K> lock(k, ip, page, EntrySize::large);
  if (!lock.taken()) return std::nullopt;
  const Block block = lookup_block(k, ip, page);
  if (!block || !has_every_block(k, ip, lock.pages())) return std::nullopt;
  k.step(Step::fault_looked_up);
  k.store.touch(block.frame);
  k.step(Step::fault_touched);
  lock.insert(lock.entry.with_frame(block.frame).with_dirty(write || lock.entry.dirty()));
  const FaultResult result = install_translation(k, ip, mapping, page, block, write);
  install_neighbours(k, ip, mapping, lock.pages(), page, write);
  k.step(Step::fault_installed);
  return result;
}

/// dax_iomap_pte_fault. A frame that an entry stands for gives way to no zero page (dax_insert_entry).
template <class K>
FaultResult dax_iomap_pte_fault(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, bool write) {
  EntryLock<K> lock(k, ip, page);
  Block block = lookup_block(k, ip, page);
  k.step(Step::fault_looked_up);
  if (!block && !write) {
    if (!lock.entry.has_frame()) lock.insert(lock.entry.with_zero_page());
    k.store.translations(mapping).update(
        page, [](std::uint64_t word) { return word == 0 ? Translation::to_zero_page().word() : word; });
    return FaultResult::zero_page;
  }
  if (!block) {
    block = allocate_block(k, ip, page);
    if (!block) return FaultResult::no_space;
    k.step(Step::fault_allocated);
  }
  if (lock.entry.zero_page()) unmap_mapping_range(k, ip, {page, page + 1});
  k.store.touch(block.frame);
  k.step(Step::fault_touched);
  lock.insert(lock.entry.with_frame(block.frame).with_dirty(write || lock.entry.dirty()));
  const FaultResult result = install_translation(k, ip, mapping, page, block, write);
  k.step(Step::fault_installed);
  return result;
}

/// dax_iomap_fault, under whatever the protocol holds.
template <class K>
FaultResult dax_iomap_fault(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, bool write) {
  k.step(Step::fault_locked);
  if (page >= ip.i_size.load()) return FaultResult::sigbus;
  if (k.store.pages_per_entry() > 1) {
    if (const auto result = dax_iomap_pmd_fault(k, ip, mapping, page, write)) return *result;
  }
  return dax_iomap_pte_fault(k, ip, mapping, page, write);
}

/// A page fault from user space: the protocol's locks around dax_iomap_fault.
template <class Protocol, class K>
FaultResult handle_fault(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, bool write) {
  FaultResult result = FaultResult::sigbus;
  Protocol::fault(k, ip, {page, page + 1}, [&] { result = dax_iomap_fault(k, ip, mapping, page, write); });
  return result;
}

/// A load or store through an installed translation: no lock, only an access section that a shootdown waits
/// for. Calls access(translation) inside it. missing: no such translation, it must fault first.
template <class K, class Fn>
Access access_mapping(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, bool write, Fn&& access) {
  k.env.access_begin(mapping, page);
  const auto translation = Translation::from(k.store.translations(mapping).load(page));
  Access result = Access::missing;
  if (translation.present() && (!write || translation.writable())) {
    k.step(Step::access);
    access(translation);
    const bool fresh = !translation.has_frame() || check_block(k, Hazard::h1, ip, page, translation.block());
    result = fresh ? Access::done : Access::stale;
  }
  k.env.access_end();
  return result;
}

/// What gup pinned, and how.
struct Pin {
  Block block;
  bool fast = false;
};

/// get_user_pages_fast: one access section with the translation read, a reference taken, the translation read
/// again. A reference that is dropped again inside the section is no violation.
template <class K>
std::optional<Pin> pin_fast(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, bool write) {
  std::optional<Pin> pin;
  k.env.access_begin(mapping, page);
  auto& translations = k.store.translations(mapping);
  const auto seen = Translation::from(translations.load(page));
  if (seen.has_frame() && (!write || seen.writable()) && try_get_page(k, seen.frame())) {
    k.step(Step::gup_pinned);
    if (Translation::from(translations.load(page)) == seen) {
      check_block(k, Hazard::h1, ip, page, seen.block());
      pin = Pin{seen.block(), true};
    } else {
      put_page(k, seen.frame());
    }
  }
  k.env.access_end();
  return pin;
}

/// follow_page_mask: takes the reference under the page-table lock.
template <class K>
std::optional<Pin> pin_locked(K& k, std::uint32_t mapping, PageOffset page, bool write) {
  std::optional<Pin> pin;
  k.store.translations(mapping).update(page, [&](std::uint64_t word) {
    const auto seen = Translation::from(word);
    if (seen.has_frame() && (!write || seen.writable())) {
      get_page(k, seen.frame());
      pin = Pin{seen.block(), false};
    }
    return word;
  });
  return pin;
}

/// The slow half of get_user_pages, out of line so that the fast one stays small.
template <class Protocol, class K>
[[gnu::noinline]] std::optional<Pin> pin_by_fault(K& k, InodeOf<K>& ip, std::uint32_t mapping,
                                                  PageOffset page, bool write) {
  for (;;) {
    const FaultResult fault = handle_fault<Protocol>(k, ip, mapping, page, write);
    if (fault != FaultResult::installed && fault != FaultResult::upgraded) return std::nullopt;
    if (const auto pin = pin_locked(k, mapping, page, write)) return pin;
  }
}

/// get_user_pages of one page. Nothing: a hole that is only read, beyond i_size, or no space.
template <class Protocol, class K>
std::optional<Pin> get_user_page(K& k, InodeOf<K>& ip, std::uint32_t mapping, PageOffset page, bool write) {
  std::optional<Pin> pin = pin_fast(k, ip, mapping, page, write);
  if (!pin) pin = pin_by_fault<Protocol>(k, ip, mapping, page, write);
  if (!pin) return std::nullopt;
  k.env.oracle().event(Event::pinned, ip.ino, page, pin->block.frame, count_to_tell(k, pin->block.frame));
  k.step(Step::gup_in_flight);
  return pin;
}

/// Who lets a pin go: the completion of a bio, or a pipe that is drained.
enum class PinOf : bool { bio, pipe };

/// put_page at the completion of the I/O, after the last look at the frame.
template <class K>
void unpin_user_page(K& k, InodeOf<K>& ip, PageOffset page, Block block, PinOf holder = PinOf::bio) {
  check_block(k, Hazard::h4, ip, page, block);
  k.env.oracle().event(Event::unpinned, ip.ino, page, block.frame, count_to_tell(k, block.frame));
  if (holder == PinOf::bio && !k.env.rules().bio_puts_wake) {
    put_page_unseen(k, block.frame);
  } else {
    put_page(k, block.frame);
  }
}

}  // namespace daxrace::core
