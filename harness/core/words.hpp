#pragma once

#include <cstdint>
#include <limits>

#include "harness/base/types.hpp"

/// The words that the core keeps in its arrays: 64 bits each, so that a lookup is one atomic load. A block
/// carries the generation that its frame had when it was allocated: whoever looked it up can tell later
/// whether it was freed.
namespace daxrace::core {

inline constexpr FrameNumber kNoFrame = std::numeric_limits<FrameNumber>::max();

/// What the extent map holds for a page: a frame and the frame's generation, or a hole.
struct Block {
  FrameNumber frame = kNoFrame;
  std::uint32_t generation = 0;

  explicit operator bool() const { return frame != kNoFrame; }
  friend bool operator==(const Block&, const Block&) = default;

  /// 0 is a hole.
  std::uint64_t word() const {
    return frame == kNoFrame ? 0 : (std::uint64_t{generation} << 32) | (std::uint64_t{frame} + 1);
  }
  static Block from(std::uint64_t word) {
    if (word == 0) return {};
    return {static_cast<FrameNumber>((word & 0xffff'ffffU) - 1), static_cast<std::uint32_t>(word >> 32)};
  }
};

/// A page table entry. Generations are kept to 29 bits here, which a frame does not wrap while anyone looks.
class Translation {
 public:
  static constexpr std::uint32_t kGenerationMask = (1U << 29) - 1;

  Translation() = default;
  static Translation from(std::uint64_t word) {
    Translation t;
    t.word_ = word;
    return t;
  }
  static Translation to(Block block, bool writable) {
    return from(kPresent | (writable ? kWritable : 0) |
                (std::uint64_t{block.generation & kGenerationMask} << 32) | block.frame);
  }
  static Translation to_zero_page() { return from(kPresent | kZeroPage); }

  bool present() const { return (word_ & kPresent) != 0; }
  bool writable() const { return (word_ & kWritable) != 0; }
  bool zero_page() const { return (word_ & kZeroPage) != 0; }
  bool has_frame() const { return present() && !zero_page(); }
  FrameNumber frame() const { return static_cast<FrameNumber>(word_); }
  Block block() const { return {frame(), static_cast<std::uint32_t>(word_ >> 32) & kGenerationMask}; }
  Translation write_protected() const { return from(word_ & ~kWritable); }
  std::uint64_t word() const { return word_; }
  friend bool operator==(Translation, Translation) = default;

 private:
  static constexpr std::uint64_t kPresent = 1ULL << 63;
  static constexpr std::uint64_t kWritable = 1ULL << 62;
  static constexpr std::uint64_t kZeroPage = 1ULL << 61;
  std::uint64_t word_ = 0;
};

/// A DAX entry of the inode's page cache tree: its frame, or of a large entry the frame that was faulted
/// first; a lock bit, a dirty tag.
class DaxEntry {
 public:
  static DaxEntry from(std::uint64_t word) {
    DaxEntry e;
    e.word_ = word;
    return e;
  }
  bool locked() const { return (word_ & kLocked) != 0; }
  bool dirty() const { return (word_ & kDirty) != 0; }
  bool zero_page() const { return (word_ & kZeroPage) != 0; }
  bool has_frame() const { return (word_ & kFrame) != 0; }
  bool large() const { return (word_ & kLarge) != 0; }
  bool present() const { return (word_ & (kFrame | kZeroPage)) != 0; }
  FrameNumber frame() const { return static_cast<FrameNumber>(word_); }

  DaxEntry with_lock(bool on) const { return from(on ? word_ | kLocked : word_ & ~kLocked); }
  DaxEntry with_dirty(bool on) const { return from(on ? word_ | kDirty : word_ & ~kDirty); }
  DaxEntry with_frame(FrameNumber frame) const { return from((word_ & kKept) | kFrame | frame); }
  DaxEntry with_zero_page() const { return from((word_ & kKept) | kZeroPage); }
  DaxEntry as_large() const { return from(word_ | kLarge); }
  std::uint64_t word() const { return word_; }

 private:
  static constexpr std::uint64_t kFrame = 1ULL << 32;
  static constexpr std::uint64_t kZeroPage = 1ULL << 33;
  static constexpr std::uint64_t kDirty = 1ULL << 34;
  static constexpr std::uint64_t kLocked = 1ULL << 35;
  static constexpr std::uint64_t kLarge = 1ULL << 36;
  static constexpr std::uint64_t kKept = kLocked | kDirty | kLarge;
  std::uint64_t word_ = 0;
};

}  // namespace daxrace::core
