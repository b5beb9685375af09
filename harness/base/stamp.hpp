#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "harness/base/types.hpp"

namespace daxrace {

/// What every word of a page says about itself: who wrote it, for which page, in which order. 0 is a zeroed
/// word.
struct Stamp {
  std::uint8_t ino = 0;
  Hazard writer = Hazard::h1;  ///< the kind of access that wrote it
  PageOffset page = 0;         ///< 13 bits
  std::uint32_t sequence = 0;  ///< per page, 28 bits; 0: written by a device, whose data has no order

  static constexpr std::uint32_t kPageMask = (1U << 13) - 1;
  static constexpr std::uint32_t kSequenceMask = (1U << 28) - 1;

  std::uint64_t word() const noexcept {
    const std::uint64_t body = std::uint64_t{ino} << 44 |
                               std::uint64_t{static_cast<std::uint8_t>(writer)} << 41 |
                               std::uint64_t{page & kPageMask} << 28 | (sequence & kSequenceMask);
    return body << kCheckBits | check_of(body);
  }
  static Stamp from(std::uint64_t word) noexcept {
    const std::uint64_t body = word >> kCheckBits;
    return {static_cast<std::uint8_t>(body >> 44), static_cast<Hazard>(body >> 41 & 7),
            static_cast<PageOffset>(body >> 28 & kPageMask),
            static_cast<std::uint32_t>(body & kSequenceMask)};
  }
  /// False for a mixture of two stamps: a copy that runs beside a device's may see half of each, and says
  /// nothing.
  static bool is_whole(std::uint64_t word) noexcept {
    return (word & ((1U << kCheckBits) - 1)) == check_of(word >> kCheckBits);
  }

 private:
  static constexpr unsigned kCheckBits = 12;
  static std::uint64_t check_of(std::uint64_t body) noexcept {
    return (body * 0x9e37'79b9'7f4a'7c15U) >> (64 - kCheckBits);
  }
};

/// One I/O moves this much of a frame, and stamps one word in each of its sectors.
inline constexpr std::size_t kIoBytes = 4096;
inline constexpr std::size_t kSectorBytes = 512;
inline constexpr std::size_t kStampsPerPage = kIoBytes / kSectorBytes;

/// Frame contents are shared with other threads, so words of a frame are only touched as relaxed atomics.
inline std::uint64_t load_word(const std::byte* at) noexcept {
  return std::atomic_ref(*const_cast<std::uint64_t*>(reinterpret_cast<const std::uint64_t*>(at)))
      .load(std::memory_order_relaxed);
}
inline void store_word(std::byte* at, std::uint64_t word) noexcept {
  std::atomic_ref(*reinterpret_cast<std::uint64_t*>(at)).store(word, std::memory_order_relaxed);
}

/// Stamps every sector of a private buffer.
inline void stamp_buffer(std::byte* buffer, Stamp stamp) noexcept {
  const std::uint64_t word = stamp.word();
  for (std::size_t i = 0; i < kStampsPerPage; ++i) std::memcpy(buffer + i * kSectorBytes, &word, sizeof word);
}

}  // namespace daxrace
