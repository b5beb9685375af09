#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "harness/core/kernel.hpp"
#include "harness/core/words.hpp"
#include "harness/model/model_env.hpp"

namespace daxrace::model {

/// Words by page offset.
class ModelWords {
 public:
  std::uint64_t load(PageOffset i) const {
    touched = true;
    if (i >= kPages) return 0;
    touch(&words_[i]);
    return words_[i];
  }
  const void* address(PageOffset i) const { return &words_[i]; }
  template <class Change>
  std::uint64_t update(PageOffset i, Change&& change) {
    touch(&words_[i]);
    const std::uint64_t old = words_[i];
    words_[i] = change(old);
    return old;
  }
  template <class Fn>
  void for_each(PageRange range, Fn&& fn) const {
    touched = true;
    for (PageOffset i = range.first; i < kPages && i < range.end; ++i) {
      note_touch(&words_[i]);
      if (words_[i] != 0) fn(i);
    }
  }

  template <class Fn>
  void for_each_part(Fn&& fn) {
    for (std::uint64_t& word : words_) fn(bytes_of(word));
  }

 private:
  std::array<std::uint64_t, kPages> words_{};
};

/// The Store of the model: a few files of a few pages with one mapping each, a few frames whose contents are
/// one stamp. A freed frame is the next to be handed out.
class alignas(64) ModelStore {
 public:
  using Inode = core::Inode<ModelEnv>;
  using Frame = core::Frame<ModelEnv>;

  ModelStore(std::uint32_t idle_refcount, std::uint32_t pages_per_entry)
      : pages_per_entry_(pages_per_entry), inodes_{Inode(1), Inode(2), Inode(3)} {
    for (std::uint32_t i = 0; i < kFiles; ++i) {
      inodes_[i].first_mapping = i;
      inodes_[i].mappings = 1;
    }
    for (FrameNumber i = 0; i < kFrames; ++i) {
      frames_[i].refcount.store(idle_refcount);
      free_.frames[i] = kFrames - 1 - i;
    }
  }

  Inode& inode(std::uint32_t ino) { return inodes_[ino - 1]; }
  Frame& frame(FrameNumber number) { return frames_[number]; }
  ModelWords& extents(Inode& ip) { return extents_[ip.ino - 1]; }
  ModelWords& entries(Inode& ip) { return entries_[ip.ino - 1]; }
  ModelWords& translations(std::uint32_t mapping) { return translations_[mapping]; }
  std::uint32_t pages_per_entry() const { return pages_per_entry_; }
  /// Whether a mapping of the file is left (mapping_mapped), with translations or without.
  bool is_mapped(const Inode& ip) const {
    model::touch(&unmapped_[ip.ino - 1]);
    return !unmapped_[ip.ino - 1];
  }
  void mapping_is_gone(const Inode& ip) {
    model::touch(&unmapped_[ip.ino - 1]);
    unmapped_[ip.ino - 1] = true;
  }
  /// Nobody else runs between two steps.
  template <class Fn>
  void with_tree_lock(Inode&, PageOffset, Fn&& fn) {
    fn();
  }

  FrameNumber allocate() {
    model::touch(&free_);
    return free_.count == 0 ? core::kNoFrame : free_.frames[--free_.count];
  }
  void release(FrameNumber number) {
    model::touch(&free_);
    free_.frames[free_.count++] = number;
  }
  /// The frame that the next allocation gets.
  FrameNumber next_free() const {
    model::touch(&free_);
    return free_.count == 0 ? core::kNoFrame : free_.frames[free_.count - 1];
  }
  std::uint32_t free_frames() const {
    model::touch(&free_);
    return free_.count;
  }

  void touch(FrameNumber) {}
  void zero(FrameNumber number) { contents[number] = 0; }
  void flush(FrameNumber) {}
  void discard(FrameNumber) {}
  void zap(std::span<FrameNumber>) {}

  /// Calls fn(bytes) for each part that is touched by itself.
  template <class Fn>
  void for_each_part(Fn&& fn) {
    contents.for_each_part(fn);
    for (Inode& ip : inodes_) {
      fn(bytes_of(ip.i_rwsem));
      fn(bytes_of(ip.invalidate_lock));
      fn(bytes_of(ip.io_range));
      fn(bytes_of(ip.mapping_range));
      fn(bytes_of(ip.i_size));
      fn(bytes_of(ip.i_dio_count));
      fn(bytes_of(ip.layout_leases));
    }
    for (Frame& frame : frames_) {
      fn(bytes_of(frame.refcount));
      fn(bytes_of(frame.mapcount));
      fn(bytes_of(frame.generation));
      fn(bytes_of(frame.owner));
    }
    for (auto* words : {&extents_, &entries_, &translations_})
      for (ModelWords& one : *words) one.for_each_part(fn);
    fn(bytes_of(free_));
    fn(bytes_of(unmapped_));
  }

  FrameContents contents;

 private:
  std::uint32_t pages_per_entry_;
  std::array<Inode, kFiles> inodes_;
  std::array<Frame, kFrames> frames_{};
  std::array<ModelWords, kFiles> extents_{};
  std::array<ModelWords, kFiles> entries_{};
  std::array<ModelWords, kFiles> translations_{};
  struct {
    std::array<FrameNumber, kFrames> frames{};
    std::uint32_t count = kFrames;
  } free_;
  alignas(4) std::array<bool, kFiles> unmapped_{};
};

}  // namespace daxrace::model
