#pragma once

#include <optional>

#include "harness/base/stamp.hpp"

namespace daxrace {

/// What was true of a page before a read began. Numbers are stamp sequences.
struct PageBefore {
  std::uint32_t removing = 0;  ///< the last one given out before its block began to leave the extent map
  std::uint32_t removed = 0;   ///< the last one given out before the page's block was last freed
  std::uint32_t removals = 0;  ///< how often that happened
  std::uint32_t written = 0;   ///< the newest whole-page write that has finished
};

struct DataFault {
  Detector detector;
  Hazard hazard;
};

/// Judges one word that was read from a page. A foreign stamp in it was put there by somebody else's stale
/// access: the hazard is the writer's.
inline std::optional<DataFault> judge_word(std::uint32_t ino, PageOffset page, const PageBefore& before,
                                           std::uint32_t removals_now, std::uint64_t word) {
  if (word == 0) {
    if (before.written > before.removing && removals_now == before.removals)
      return DataFault{Detector::stale_data, Hazard::h8};
    return std::nullopt;
  }
  if (!Stamp::is_whole(word)) return std::nullopt;
  const Stamp stamp = Stamp::from(word);
  if (stamp.ino != ino) return DataFault{Detector::corruption, stamp.writer};
  if (stamp.page != (page & Stamp::kPageMask)) return DataFault{Detector::misplaced, stamp.writer};
  if (stamp.sequence != 0 && stamp.sequence <= before.removed) {
    // The block was zeroed when it was allocated: whoever put old data there wrote through a stale access.
    return DataFault{Detector::stale_data, stamp.writer};
  }
  return std::nullopt;
}

}  // namespace daxrace
