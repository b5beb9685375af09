#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "harness/base/stamp.hpp"
#include "harness/core/kernel.hpp"
#include "harness/core/words.hpp"
#include "harness/engine/sparse_array.hpp"
#include "harness/engine/spinlock.hpp"
#include "harness/platform/region.hpp"

namespace daxrace {

/// The Store of measured runs: real frames of a region, arrays of any size. Inodes and mappings are numbered
/// in the order in which they are added; nothing is added while tasks run.
template <class E>
class RunStore {
 public:
  using Inode = core::Inode<E>;
  using Frame = core::Frame<E>;
  static_assert(sizeof(Frame) <= 16);

  /// Uses frames [0, frames) of the region. With `discard_storage` a freed frame's storage is given back too.
  RunStore(Region& region, std::uint32_t frames, std::uint32_t idle_refcount, std::uint32_t pages_per_entry,
           bool discard_storage)
      : region_(region),
        discard_storage_(discard_storage),
        pages_per_entry_(pages_per_entry),
        frame_count_(frames),
        frames_(frames),
        free_(frames) {
    for (FrameNumber i = 0; i < frames; ++i) {
      if (idle_refcount != 0) frames_[i].refcount.store(idle_refcount, std::memory_order_relaxed);
      free_[i] = frames - 1 - i;
    }
    free_count_ = frames;
  }

  Inode& add_inode(std::uint32_t pages, std::uint32_t mappings) {
    const auto ino = static_cast<std::uint32_t>(files_.size() + 1);
    files_.push_back(std::make_unique<File>(ino, pages, pages_per_entry_));
    Inode& ip = files_.back()->inode;
    ip.first_mapping = static_cast<std::uint32_t>(translations_.size());
    ip.mappings = mappings;
    for (std::uint32_t i = 0; i < mappings; ++i) {
      translations_.push_back(std::make_unique<SparseArray<E>>(pages));
    }
    ip.i_size.store(pages);
    return ip;
  }

  Frame& frame(FrameNumber number) noexcept { return frames_[number]; }
  SparseArray<E>& extents(Inode& ip) noexcept { return files_[ip.ino - 1]->extents; }
  SparseArray<E>& entries(Inode& ip) noexcept { return files_[ip.ino - 1]->entries; }
  SparseArray<E>& translations(std::uint32_t mapping) noexcept { return *translations_[mapping]; }
  std::uint32_t pages_per_entry() const noexcept { return pages_per_entry_; }
  /// A worker's munmap takes translations out, the mapping itself stays.
  static constexpr bool is_mapped(const Inode&) noexcept { return true; }
  /// Calls fn() while no entry can come to stand in the range of the large entry that would cover the page.
  template <class Fn>
  void with_tree_lock(Inode& ip, PageOffset page, Fn&& fn) {
    if (pages_per_entry_ == 1) return fn();
    Spinlock& lock = files_[ip.ino - 1]->tree_locks[page / pages_per_entry_];
    lock.lock();
    fn();
    lock.unlock();
  }

  /// The frame that was freed last, or none.
  FrameNumber allocate() noexcept {
    free_lock_.lock();
    const FrameNumber number = free_count_ == 0 ? core::kNoFrame : free_[--free_count_];
    free_lock_.unlock();
    return number;
  }
  void release(FrameNumber number) noexcept {
    free_lock_.lock();
    free_[free_count_++] = number;
    free_lock_.unlock();
  }
  std::uint32_t free_frames() const noexcept { return free_count_; }
  std::uint32_t frame_count() const noexcept { return frame_count_; }

  /// A real CPU access through the user mapping: a page fault if the translation was zapped. A
  /// read-modify-write that changes nothing, because a read would let the kernel map neighbours too.
  void touch(FrameNumber number) noexcept {
    std::atomic_ref(*reinterpret_cast<std::uint64_t*>(region_.user(number)))
        .fetch_add(0, std::memory_order_relaxed);
  }
  void zero(FrameNumber number) noexcept { region_.zero_frame(number); }
  void flush(FrameNumber number) noexcept { region_.flush_frame(number); }
  void discard(FrameNumber number) noexcept {
    if (discard_storage_) region_.discard(number);
  }
  /// Drops real translations, one system call for each run of neighbouring frames.
  void zap(std::span<FrameNumber> frames) noexcept {
    if (frames.size() > 1) std::sort(frames.begin(), frames.end());
    for (std::size_t first = 0; first < frames.size();) {
      std::size_t end = first + 1;
      while (end < frames.size() && frames[end] == frames[first] + (end - first)) ++end;
      region_.zap(frames[first], end - first);
      first = end;
    }
  }

  Region& region() noexcept { return region_; }

 private:
  struct File {
    File(std::uint32_t ino, std::uint32_t pages, std::uint32_t pages_per_entry)
        : inode(ino),
          extents(pages),
          entries(pages),
          tree_locks(pages_per_entry == 1 ? 0 : pages / pages_per_entry + 1) {}
    Inode inode;
    SparseArray<E> extents;
    SparseArray<E> entries;
    ZeroedArray<Spinlock> tree_locks;  ///< one for the range of each large entry
  };

  Region& region_;
  bool discard_storage_;
  std::uint32_t pages_per_entry_;
  std::uint32_t frame_count_;
  ZeroedArray<Frame> frames_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<std::unique_ptr<SparseArray<E>>> translations_;
  Spinlock free_lock_;
  std::vector<FrameNumber> free_;
  std::uint32_t free_count_ = 0;
};

}  // namespace daxrace
