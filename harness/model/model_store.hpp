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
    return i < kPages ? words_[i] : 0;
  }
  const void* address(PageOffset i) const { return &words_[i]; }
  template <class Change>
  std::uint64_t update(PageOffset i, Change&& change) {
    touched = true;
    const std::uint64_t old = words_[i];
    words_[i] = change(old);
    return old;
  }
  template <class Fn>
  void for_each(PageRange range, Fn&& fn) const {
    touched = true;
    for (PageOffset i = range.first; i < kPages && i < range.end; ++i)
      if (words_[i] != 0) fn(i);
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
      free_[i] = kFrames - 1 - i;
    }
  }

  Inode& inode(std::uint32_t ino) { return inodes_[ino - 1]; }
  Frame& frame(FrameNumber number) { return frames_[number]; }
  ModelWords& extents(Inode& ip) { return extents_[ip.ino - 1]; }
  ModelWords& entries(Inode& ip) { return entries_[ip.ino - 1]; }
  ModelWords& translations(std::uint32_t mapping) { return translations_[mapping]; }
  std::uint32_t pages_per_entry() const { return pages_per_entry_; }

  FrameNumber allocate() {
    touched = true;
    return free_count_ == 0 ? core::kNoFrame : free_[--free_count_];
  }
  void release(FrameNumber number) {
    touched = true;
    free_[free_count_++] = number;
  }
  /// The frame that the next allocation gets.
  FrameNumber next_free() const { return free_count_ == 0 ? core::kNoFrame : free_[free_count_ - 1]; }
  std::uint32_t free_frames() const { return free_count_; }

  void touch(FrameNumber) {}
  void zero(FrameNumber number) {
    touched = true;
    contents[number] = 0;
  }
  void flush(FrameNumber) {}
  void discard(FrameNumber) {}
  void zap(std::span<FrameNumber>) {}

  std::array<std::uint64_t, kFrames> contents{};

 private:
  std::uint32_t pages_per_entry_;
  std::array<Inode, kFiles> inodes_;
  std::array<Frame, kFrames> frames_{};
  std::array<ModelWords, kFiles> extents_{};
  std::array<ModelWords, kFiles> entries_{};
  std::array<ModelWords, kFiles> translations_{};
  std::array<FrameNumber, kFrames> free_{};
  std::uint32_t free_count_ = kFrames;
};

}  // namespace daxrace::model
