#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// What a step looks at or changes of all that a model's tasks share. Everything that is shared says so
/// itself, by touch(); one machine runs on a thread at a time.
namespace daxrace::model {

/// The shared memory of a model, cut into numbered parts, and which of them were touched since begin().
class Footprint {
 public:
  using Part = std::uint16_t;
  static constexpr Part kNoPart = 0xffff;

  void covers(std::span<std::byte> memory) {
    memory_ = memory;
    part_at_.assign(memory.size() / kGrain, kNoPart);
  }
  /// `bytes` are the next part.
  void add_part(std::span<const std::byte> bytes) {
    const std::size_t first = static_cast<std::size_t>(bytes.data() - memory_.data()) / kGrain;
    for (std::size_t i = 0; i < (bytes.size() + kGrain - 1) / kGrain; ++i)
      part_at_[first + i] = static_cast<Part>(noted_.size());
    noted_.push_back(0);
    touched_.reserve(noted_.size());  // nothing is allocated on the stack of whoever touches
  }
  /// Which part an address lies in, if any.
  Part part_of(const void* at) const {
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(at) - memory_.data());
    return offset < memory_.size() ? part_at_[offset / kGrain] : kNoPart;
  }

  void begin() {
    touched_.clear();
    ++round_;
  }
  /// Not inlined, so that note_touch() is and a run that nobody watches pays for a question only.
  [[gnu::noinline]] void touch(const void* at) {
    if (const Part part = part_of(at); part != kNoPart) touch_part(part);
  }
  void touch_part(Part part) {
    if (noted_[part] == round_) return;
    noted_[part] = round_;
    touched_.push_back(part);
  }
  std::span<const Part> touched() const { return touched_; }
  bool was_touched(Part part) const { return noted_[part] == round_; }

 private:
  static constexpr std::size_t kGrain = 4;

  std::span<std::byte> memory_;
  std::vector<Part> part_at_;
  std::vector<std::uint64_t> noted_;
  std::vector<Part> touched_;
  std::uint64_t round_ = 0;
};

/// Whether the task that runs has touched anything shared since it last stopped.
inline thread_local constinit bool touched = false;
/// Of whoever wants to know what.
inline thread_local constinit Footprint* footprint = nullptr;

/// Without a reason to stop: what is looked at is nothing that another could have changed its mind about.
inline void note_touch(const void* what) {
  if (footprint != nullptr) [[unlikely]]
    footprint->touch(what);
}
inline void touch(const void* what) {
  touched = true;
  note_touch(what);
}

template <class T>
std::span<std::byte> bytes_of(T& object) {
  return std::as_writable_bytes(std::span(&object, 1));
}
inline std::span<std::byte> bytes_between(void* begin, void* end) {
  return {static_cast<std::byte*>(begin), static_cast<std::byte*>(end)};
}

}  // namespace daxrace::model
