#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "harness/base/stamp.hpp"

namespace daxrace {

/// Pages of one collapse, and of the insert that makes up for it.
inline constexpr std::uint32_t kShiftPages = 2;

/// Who may collapse the file under test, and where it is to be inserted into again: one collapse at a time is
/// outstanding, and its insert is of the same range. So the file has one of two sizes, and no page strays
/// (see is_one_shift_away).
class ShiftPair {
 public:
  /// False: one is outstanding, or somebody is at it.
  bool begin_collapse() noexcept {
    std::uint32_t seen = kWhole;
    return state_.compare_exchange_strong(seen, kBusy);
  }
  /// The first page of the range that was collapsed; nothing: none was, or somebody is at it.
  std::optional<PageOffset> begin_insert() noexcept {
    std::uint32_t seen = state_.load();
    if (seen < kCollapsed || !state_.compare_exchange_strong(seen, kBusy)) return std::nullopt;
    return seen - kCollapsed;
  }
  /// After an insert, or a collapse that failed.
  void whole() noexcept { state_.store(kWhole); }
  /// After a collapse, or an insert that failed.
  void collapsed_at(PageOffset first) noexcept { state_.store(kCollapsed + first); }

 private:
  static constexpr std::uint32_t kWhole = 0;
  static constexpr std::uint32_t kBusy = 1;
  static constexpr std::uint32_t kCollapsed = 2;  ///< and the first page
  std::atomic<std::uint32_t> state_{kWhole};
};

/// May data that was written for page `stamped` lie at page `at` of a file that ShiftPair shifts?
///
/// Whatever is written lands at its own page: a CPU's store in a section that the unmap waits for, a write
/// under IOLOCK, a device's or a lessee's in time that the change waits for. Only shifts take it elsewhere.
/// Say that a whole file holds data at its page or n pages above it (n: kShiftPages); a new file does. A
/// collapse at a frees its range, moves what lies above it n down, to its page or n below it, and leaves what
/// lies before a. The insert at the same a moves all from a on n up: what the collapse moved goes back, what
/// was written in between comes to n above its page. That is what was assumed. Two collapses in a row, or an
/// insert elsewhere, would take data further: there are none. Zeroing and punching only remove data. So would
/// truncation, but it would take away the size that a collapse needs: no workload has both.
///
/// Who does not wait writes to a block that has moved. That is not seen here but by the block's generation,
/// which each move counts up.
inline bool is_one_shift_away(PageOffset stamped, PageOffset at) noexcept {
  const std::uint32_t distance = (stamped - at) & Stamp::kPageMask;
  return distance == kShiftPages || distance == Stamp::kPageMask + 1 - kShiftPages;
}

}  // namespace daxrace
