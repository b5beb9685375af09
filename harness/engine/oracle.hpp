#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/data_rules.hpp"
#include "harness/base/stamp.hpp"
#include "harness/base/verdict.hpp"
#include "harness/core/env.hpp"
#include "harness/core/words.hpp"
#include "harness/engine/episode.hpp"
#include "harness/engine/sparse_array.hpp"
#include "harness/engine/timeline.hpp"

namespace daxrace {

/// What the oracle remembers of one page of one file. A stamp's sequence says how many removals of the page's
/// block had begun when it was given out, plus one: who writes has nothing to count, which would cost more
/// than the store itself. The two counts of flushes have one writer at a time, who holds the lock of the DAX
/// entry.
struct alignas(32) PageHistory {
  std::atomic<std::uint32_t> removals{0};   ///< blocks that have begun to leave the extent map
  std::atomic<std::uint32_t> removed{0};    ///< the same, once the block's generation says that it is freed
  std::atomic<std::uint32_t> written{0};    ///< sequence of the newest whole-page write that has finished
  std::atomic<std::uint32_t> stored_in{0};  ///< sequence of the newest store that has finished
  std::atomic<std::uint32_t> stored{0};     ///< how many flushes had begun then, plus one
  std::atomic<std::uint32_t> flushes{0};    ///< begun
  std::atomic<std::uint32_t> flushed{0};    ///< finished
};

/// What all tasks of an episode report to. Counting is lock-free; a violation's story is told under a mutex.
class OracleShared {
 public:
  /// `pages[i]`: pages of the file with inode number i + 1.
  /// `shifts`: the first of them is one whose pages ShiftPair moves.
  OracleShared(std::size_t tasks, const std::vector<std::uint32_t>& pages, bool shifts = false);

  PageHistory& history(std::uint32_t ino, PageOffset page) noexcept { return histories_[ino - 1][page]; }
  std::uint32_t pages(std::uint32_t ino) const noexcept { return pages_[ino - 1]; }
  /// What a task's layout change is giving up; an empty range when it is done.
  void removing(std::uint32_t task, std::uint32_t ino, PageRange pages) noexcept;
  bool is_being_removed(std::uint32_t ino, PageOffset page) const noexcept;
  Timeline& timeline(std::uint32_t task) noexcept { return timelines_[task]; }
  /// Is what looks like a fault of the data only a page that was moved? In a file that shifts, data may lie
  /// one shift away from its page, and numbers of different pages have no order: there whoever wrote through
  /// a stale access is known by the block, whose generation every move counts up.
  bool moved(std::uint32_t ino, PageOffset page, const DataFault& fault, std::uint64_t word) const noexcept;

  /// Counts, and keeps the first few of each kind with the events that led there.
  void report(std::uint32_t task, Detector detector, Hazard hazard, std::uint32_t ino, PageOffset page,
              FrameNumber frame, const std::string& what) {
    report(task, detector, sign_of(detector), hazard, ino, page, frame, what);
  }
  /// Zeros that were read through the zero page after a finished write, before block `removals` of the page
  /// was removed: counted once for a block as a sign, however many look.
  void report_zero_page(std::uint32_t task, Hazard hazard, std::uint32_t ino, PageOffset page,
                        std::uint32_t removals);
  /// What the leak check at the end found.
  void report_leak(const std::string& what);

  std::array<std::uint64_t, kDetectorNames.size()> detected() const;
  Hazards violated() const { return Hazards::from_bits(violated_.load()); }
  Seen seen() const;
  std::vector<Violation> take_violations();

 private:
  struct StaleZeroPage {
    std::uint32_t ino;
    PageOffset page;
    std::uint32_t removals;
    friend bool operator==(const StaleZeroPage&, const StaleZeroPage&) = default;
  };

  void report(std::uint32_t task, Detector detector, std::optional<Sign> sign, Hazard hazard,
              std::uint32_t ino, PageOffset page, FrameNumber frame, const std::string& what);
  bool is_new(const StaleZeroPage& one);
  /// Whether a fault brought the page's block, as far as the timelines reach back; a write unmaps the zero
  /// page before it has finished.
  bool fault_brought_block(std::uint32_t ino, PageOffset page) const;
  std::vector<std::string> story(Hazard hazard, FrameNumber frame, std::uint32_t ino, PageOffset page) const;

  static constexpr std::size_t kStoriesPerKind = 2;
  static constexpr std::size_t kLinesPerStory = 24;

  std::vector<std::uint32_t> pages_;
  bool shifts_;
  std::vector<ZeroedArray<PageHistory>> histories_;
  std::vector<Timeline> timelines_;
  struct alignas(64) Removing {
    std::atomic<std::uint64_t> word{0};  ///< inode, first page and end in one, so that they are read at once
  };
  std::vector<Removing> removing_;
  std::array<std::atomic<std::uint64_t>, kDetectorNames.size()> detected_{};
  std::array<std::array<std::atomic<std::uint64_t>, kSignNames.size()>, kHazardNames.size()> seen_{};
  std::atomic<std::uint8_t> violated_{0};
  std::mutex mutex_;
  std::vector<Violation> violations_;
  std::vector<StaleZeroPage> stale_zero_pages_;
  Clock::Ticks start_ = Clock::now();
};

/// One task's oracle: believes nothing that a protocol says.
class Oracle {
 public:
  static constexpr bool enabled = true;

  Oracle(OracleShared& shared, std::uint32_t task);

  // Called by the core.
  void event(Event event, std::uint32_t ino, PageOffset page, FrameNumber frame,
             std::uint32_t value) noexcept {
    timeline_.record(event, ino, page, frame, value);
  }
  void freed_busy(Hazard hazard, std::uint32_t ino, PageOffset page, core::Block block,
                  std::uint32_t references);
  void stale_access(Hazard hazard, std::uint32_t ino, PageOffset page, core::Block block, std::uint32_t now);
  /// Before a block leaves the extent map, after its page was unmapped.
  void page_removing(std::uint32_t ino, PageOffset page) noexcept;
  /// After its generation was counted up, before its frame can be allocated again.
  void page_removed(std::uint32_t ino, PageOffset page) noexcept;
  /// Before a block stands at another offset of the same file.
  void page_moved(std::uint32_t ino, PageOffset from, PageOffset to, FrameNumber frame) noexcept;
  /// Around the flush of the page's frame: of what was really flushed, never of what was meant.
  void flush_begin(std::uint32_t ino, PageOffset page) noexcept;
  void flush_end(std::uint32_t ino, PageOffset page) noexcept;
  /// Around the part of a layout change that gives the blocks of these pages up, entries first. A task does
  /// one at a time.
  void removal_begin(std::uint32_t ino, PageRange pages) noexcept { shared_.removing(task_, ino, pages); }
  void removal_end(std::uint32_t ino, PageRange) noexcept { shared_.removing(task_, ino, {}); }

  // Called by whoever moves data.
  /// Under what keeps the page's block from being removed: the access section, the lock, the lease.
  std::uint32_t next_sequence(std::uint32_t ino, PageOffset page) noexcept {
    return shared_.history(ino, page).removals.load() + 1;
  }
  void stored(std::uint32_t ino, PageOffset page, std::uint32_t sequence) noexcept {
    PageHistory& history = shared_.history(ino, page);
    raise(history.stored, history.flushes.load() + 1);
    raise(history.stored_in, sequence);
  }
  void written(std::uint32_t ino, PageOffset page, std::uint32_t sequence) noexcept {
    raise(shared_.history(ino, page).written, sequence);
  }

  /// What was true of a page before a read began; judge() needs it.
  using Before = PageBefore;
  Before before_read(std::uint32_t ino, PageOffset page) const noexcept {
    const PageHistory& history = shared_.history(ino, page);
    const std::uint32_t removals = history.removals.load();
    return {removals, history.removed.load(), removals, history.written.load()};
  }
  /// Judges one word that was read from a block whose generation was still right afterwards, or, without a
  /// block, through the zero page. A foreign stamp in it was put there by somebody else's stale access: the
  /// hazard is the writer's.
  void judge(std::uint32_t ino, PageOffset page, core::Block block, const Before& before,
             std::uint64_t word) {
    const auto fault = judge_word(ino, page, before, shared_.history(ino, page).removals.load(), word);
    if (fault) accuse(*fault, ino, page, block, before, word);
  }

  /// fsync of pages [0, pages) of a file: what had been stored before it began must have been flushed when it
  /// ends.
  template <class LookupBlock>
  void fsync_begin(std::uint32_t ino, LookupBlock&& lookup);
  template <class LookupBlock>
  void fsync_end(std::uint32_t ino, LookupBlock&& lookup);

 private:
  static void raise(std::atomic<std::uint32_t>& to, std::uint32_t value) noexcept {
    std::uint32_t seen = to.load(std::memory_order_relaxed);
    while (seen < value && !to.compare_exchange_weak(seen, value)) {
    }
  }
  void unflushed(std::uint32_t ino, PageOffset page, core::Block block);
  [[gnu::cold]] void accuse(const DataFault& fault, std::uint32_t ino, PageOffset page, core::Block block,
                            const Before& before, std::uint64_t word);

  struct FsyncPage {
    core::Block block;
    std::uint32_t stored_in = 0;
    std::uint32_t stored = 0;
  };
  static constexpr std::size_t kFsyncPages = 4096;

  OracleShared& shared_;
  Timeline& timeline_;
  std::uint32_t task_;
  std::vector<FsyncPage> fsync_pages_;
};

template <class LookupBlock>
void Oracle::fsync_begin(std::uint32_t ino, LookupBlock&& lookup) {
  const std::size_t pages = std::min<std::size_t>(shared_.pages(ino), kFsyncPages);
  for (PageOffset page = 0; page < pages; ++page) {
    const PageHistory& history = shared_.history(ino, page);
    fsync_pages_[page] = {lookup(page), history.stored_in.load(), history.stored.load()};
  }
}

template <class LookupBlock>
void Oracle::fsync_end(std::uint32_t ino, LookupBlock&& lookup) {
  const std::size_t pages = std::min<std::size_t>(shared_.pages(ino), kFsyncPages);
  for (PageOffset page = 0; page < pages; ++page) {
    const FsyncPage& then = fsync_pages_[page];
    if (!then.block || lookup(page) != then.block) continue;
    const PageHistory& history = shared_.history(ino, page);
    if (then.stored_in <= history.removals.load() || then.stored <= history.flushed.load()) continue;
    // Of a page that is given up just now nobody is owed anything; if that has ended, so has the block.
    if (!shared_.is_being_removed(ino, page) && lookup(page) == then.block) unflushed(ino, page, then.block);
  }
}

/// No oracle: every call is nothing.
class NullOracle {
 public:
  static constexpr bool enabled = false;

  NullOracle(OracleShared&, std::uint32_t) {}
  void event(Event, std::uint32_t, PageOffset, FrameNumber, std::uint32_t) noexcept {}
  void freed_busy(Hazard, std::uint32_t, PageOffset, core::Block, std::uint32_t) noexcept {}
  void stale_access(Hazard, std::uint32_t, PageOffset, core::Block, std::uint32_t) noexcept {}
  void page_removing(std::uint32_t, PageOffset) noexcept {}
  void page_removed(std::uint32_t, PageOffset) noexcept {}
  void page_moved(std::uint32_t, PageOffset, PageOffset, FrameNumber) noexcept {}
  void flush_begin(std::uint32_t, PageOffset) noexcept {}
  void flush_end(std::uint32_t, PageOffset) noexcept {}
  void removal_begin(std::uint32_t, PageRange) noexcept {}
  void removal_end(std::uint32_t, PageRange) noexcept {}
  std::uint32_t next_sequence(std::uint32_t, PageOffset) noexcept { return ++sequence_; }
  void stored(std::uint32_t, PageOffset, std::uint32_t) noexcept {}
  void written(std::uint32_t, PageOffset, std::uint32_t) noexcept {}
  struct Before {};
  Before before_read(std::uint32_t, PageOffset) const noexcept { return {}; }
  void judge(std::uint32_t, PageOffset, core::Block, const Before&, std::uint64_t) noexcept {}
  template <class LookupBlock>
  void fsync_begin(std::uint32_t, LookupBlock&&) noexcept {}
  template <class LookupBlock>
  void fsync_end(std::uint32_t, LookupBlock&&) noexcept {}

 private:
  std::uint32_t sequence_ = 0;
};

}  // namespace daxrace
