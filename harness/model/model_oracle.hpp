#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "harness/base/data_rules.hpp"
#include "harness/base/protocol_info.hpp"
#include "harness/base/stamp.hpp"
#include "harness/core/words.hpp"
#include "harness/model/machine.hpp"

namespace daxrace::model {

inline constexpr std::uint32_t kFiles = 3;
inline constexpr std::uint32_t kPages = 8;
inline constexpr std::uint32_t kFrames = 20;

struct SeenViolation {
  Detector detector = Detector::stale_access;
  Sign sign = Sign::stale_access;
  Hazard hazard = Hazard::h1;
  TaskId task = kNobody;
  std::uint32_t ino = 0;
  PageOffset page = 0;
  FrameNumber frame = core::kNoFrame;
  std::uint32_t value = 0;  ///< freed_busy: references
};

/// What the oracles of all tasks write to: fixed arrays, so that a whole model can be copied.
struct alignas(64) Record {
  struct Page {
    std::uint32_t sequence = 0;
    std::uint32_t removing = 0;
    std::uint32_t removed = 0;
    std::uint32_t removals = 0;
    std::uint32_t written = 0;
    std::uint32_t stored = 0;
    std::uint32_t flushed = 0;
    std::uint32_t flushing = 0;
  };
  static constexpr std::size_t kSeen = 8;

  std::array<std::array<Page, kPages>, kFiles> pages{};
  /// Layout changes that are giving the page up.
  std::array<std::array<std::uint32_t, kPages>, kFiles> being_removed{};
  bool keeps_seen = true;  ///< for whoever tells a story; the order of violations tells equal states apart
  std::array<SeenViolation, kSeen> seen{};
  std::size_t seen_count = 0;
  std::uint32_t detectors = 0;  ///< one bit for each Detector
  Hazards violated;
  SignSets signs{};
  std::uint32_t blocks_lost = 0;      ///< blocks that were freed or moved
  std::array<bool, kFrames> moved{};  ///< frames that stand at another offset of their file than at first

  Page& page(std::uint32_t ino, PageOffset page) {
    touch(&pages[ino - 1][page]);
    return pages[ino - 1][page];
  }
  void violation(const SeenViolation& what) {
    touch(&seen);
    if (keeps_seen && seen_count < kSeen) seen[seen_count++] = what;
    detectors |= 1U << static_cast<unsigned>(what.detector);
    violated.add(what.hazard);
    signs[static_cast<std::size_t>(what.hazard)].add(what.sign);
  }
  /// Calls fn(bytes) for each part that is touched by itself.
  template <class Fn>
  void for_each_part(Fn&& fn) {
    for (auto& file : pages)
      for (Page& page : file) fn(bytes_of(page));
    for (auto& file : being_removed)
      for (std::uint32_t& count : file) fn(bytes_of(count));
    fn(bytes_between(&seen, &blocks_lost));
    fn(bytes_between(&blocks_lost, this + 1));
  }
};

/// The first word of each frame.
class FrameContents {
 public:
  std::uint64_t& operator[](FrameNumber frame) {
    touch(&words_[frame]);
    return words_[frame];
  }
  template <class Fn>
  void for_each_part(Fn&& fn) {
    for (std::uint64_t& word : words_) fn(bytes_of(word));
  }

 private:
  std::array<std::uint64_t, kFrames> words_{};
};

/// One task's oracle: the interface of Oracle for the core and for whoever moves data, without atomics, heap
/// or clock.
class ModelOracle {
 public:
  static constexpr bool enabled = true;
  using Before = PageBefore;

  ModelOracle(Machine& machine, Record& record, FrameContents& contents)
      : machine_(machine), record_(record), contents_(contents) {}

  // Called by the core.
  void event(Event event, std::uint32_t ino, PageOffset page, FrameNumber frame, std::uint32_t value) {
    if (event == Event::freed || event == Event::moved) {
      touch(&record_.blocks_lost);
      ++record_.blocks_lost;
      record_.moved[frame] = event == Event::moved;
    }
    if (machine_.tracing()) {
      machine_.note({.what = TraceLine::What::event,
                     .task = machine_.current(),
                     .event = event,
                     .ino = ino,
                     .page = page,
                     .frame = frame,
                     .value = value});
    }
  }
  void freed_busy(Hazard hazard, std::uint32_t ino, PageOffset page, core::Block block,
                  std::uint32_t references) {
    report(Detector::freed_busy, hazard, ino, page, block.frame, references);
  }
  void stale_access(Hazard hazard, std::uint32_t ino, PageOffset page, core::Block block, std::uint32_t) {
    touch(&record_.blocks_lost);
    const bool moved = record_.moved[block.frame];
    report(moved ? Detector::misplaced : Detector::stale_access, hazard, ino, page, block.frame, 0);
  }
  void page_removing(std::uint32_t ino, PageOffset page) {
    Record::Page& history = record_.page(ino, page);
    ++history.removals;
    history.removing = history.sequence;
  }
  void page_removed(std::uint32_t ino, PageOffset page) {
    record_.page(ino, page).removed = record_.page(ino, page).removing;
  }
  /// The block's contents go with it: they count as written anew at the new offset.
  void page_moved(std::uint32_t ino, PageOffset from, PageOffset to, FrameNumber frame) {
    const Record::Page old = record_.page(ino, from);
    for (const PageOffset page : {from, to}) {
      page_removing(ino, page);
      page_removed(ino, page);
    }
    Stamp stamp = Stamp::from(contents_[frame]);
    if (contents_[frame] == 0 || stamp.ino != ino || stamp.page != from) return;
    Record::Page& history = record_.page(ino, to);
    stamp.page = to;
    stamp.sequence = ++history.sequence;
    contents_[frame] = stamp.word();
    history.written = stamp.sequence;
    if (old.stored > old.removed) history.stored = stamp.sequence;
    if (old.flushed >= old.stored) history.flushed = history.stored;
  }
  void flush_begin(std::uint32_t ino, PageOffset page) {
    record_.page(ino, page).flushing = record_.page(ino, page).stored;
  }
  void flush_end(std::uint32_t ino, PageOffset page) {
    Record::Page& history = record_.page(ino, page);
    history.flushed = std::max(history.flushed, history.flushing);
  }
  void removal_begin(std::uint32_t ino, PageRange pages) {
    for (PageOffset page = pages.first; page < std::min(pages.end, kPages); ++page) ++removals_of(ino, page);
  }
  void removal_end(std::uint32_t ino, PageRange pages) {
    for (PageOffset page = pages.first; page < std::min(pages.end, kPages); ++page) --removals_of(ino, page);
  }
  bool is_being_removed(std::uint32_t ino, PageOffset page) const { return removals_of(ino, page) != 0; }

  // Called by whoever moves data.
  std::uint32_t next_sequence(std::uint32_t ino, PageOffset page) {
    return ++record_.page(ino, page).sequence;
  }
  void stored(std::uint32_t ino, PageOffset page, std::uint32_t sequence) {
    record_.page(ino, page).stored = std::max(record_.page(ino, page).stored, sequence);
  }
  void written(std::uint32_t ino, PageOffset page, std::uint32_t sequence) {
    record_.page(ino, page).written = std::max(record_.page(ino, page).written, sequence);
  }
  Before before_read(std::uint32_t ino, PageOffset page) const {
    const Record::Page& history = record_.page(ino, page);
    return {history.removing, history.removed, history.removals, history.written};
  }
  void judge(std::uint32_t ino, PageOffset page, core::Block block, const Before& before,
             std::uint64_t word) {
    const auto fault = judge_word(ino, page, before, record_.page(ino, page).removals, word);
    if (!fault) return;
    const Sign sign = word == 0 && !block ? Sign::stale_zero_page : sign_of(fault->detector);
    report(fault->detector, sign, fault->hazard, ino, page, block.frame, 0);
  }

  void report(Detector detector, Hazard hazard, std::uint32_t ino, PageOffset page, FrameNumber frame,
              std::uint32_t value) {
    report(detector, sign_of(detector), hazard, ino, page, frame, value);
  }

 private:
  void report(Detector detector, Sign sign, Hazard hazard, std::uint32_t ino, PageOffset page,
              FrameNumber frame, std::uint32_t value) {
    record_.violation({detector, sign, hazard, machine_.current(), ino, page, frame, value});
    machine_.note({.what = TraceLine::What::violation,
                   .task = machine_.current(),
                   .ino = ino,
                   .page = page,
                   .frame = frame,
                   .value = static_cast<std::uint32_t>(detector)});
  }

  std::uint32_t& removals_of(std::uint32_t ino, PageOffset page) const {
    touch(&record_.being_removed[ino - 1][page]);
    return record_.being_removed[ino - 1][page];
  }

  Machine& machine_;
  Record& record_;
  FrameContents& contents_;
};

}  // namespace daxrace::model
