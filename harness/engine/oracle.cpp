#include "harness/engine/oracle.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/load/shift.hpp"

namespace daxrace {
namespace {

std::string name_of_file(std::uint32_t ino) { return fmt::format("inode {}", ino); }

std::string name_of_frame(FrameNumber frame) {
  return frame == core::kNoFrame ? std::string("no blk") : fmt::format("blk {}", frame);
}

std::string line_of(const TimelineEvent& event, Clock::Ticks start) {
  const double us = static_cast<double>(Clock::to_ns(event.at - start)) / 1000.0;
  std::string line =
      fmt::format("{:12.2f} us  task {:<2} {:<18} inode {} page {:<4} {}", us, event.task,
                  name_in(kEventNames, event.event), event.ino, event.page, name_of_frame(event.frame));
  switch (event.event) {
    case Event::pinned:
    case Event::unpinned:
    case Event::busy_wait:
      line += fmt::format(" ref={}", event.value);
      break;
    default:
      break;
  }
  return line;
}

}  // namespace

void Timeline::copy_to(std::vector<TimelineEvent>& out, std::uint32_t task) const {
  const std::uint64_t end = next_.load(std::memory_order_acquire);
  const std::uint64_t first = end > kEvents ? end - kEvents : 0;
  const std::size_t old_size = out.size();
  for (std::uint64_t i = first; i < end; ++i) {
    const Slot& slot = slots_[i % kEvents];
    const std::uint64_t what = slot.what.load(std::memory_order_relaxed);
    const std::uint64_t where = slot.where.load(std::memory_order_relaxed);
    out.push_back({slot.at.load(std::memory_order_relaxed), static_cast<Event>(what & 0xff),
                   static_cast<std::uint8_t>(what >> 8), task, static_cast<PageOffset>(where >> 32),
                   static_cast<FrameNumber>(where), static_cast<std::uint32_t>(what >> 32)});
  }
  const std::uint64_t now = next_.load(std::memory_order_acquire);
  const std::uint64_t overwritten = now + 1 > first + kEvents ? now + 1 - kEvents - first : 0;
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(old_size),
            out.begin() + static_cast<std::ptrdiff_t>(old_size + std::min(overwritten, end - first)));
}

OracleShared::OracleShared(std::size_t tasks, const std::vector<std::uint32_t>& pages, bool shifts)
    : pages_(pages), shifts_(shifts), timelines_(tasks), removing_(tasks) {
  for (const std::uint32_t count : pages) histories_.emplace_back(count);
}

bool OracleShared::moved(std::uint32_t ino, PageOffset page, const DataFault& fault,
                         std::uint64_t word) const noexcept {
  constexpr std::uint32_t kFile = 1;
  if (!shifts_ || ino != kFile || word == 0) return false;
  return fault.detector == Detector::stale_data ||
         (fault.detector == Detector::misplaced && is_one_shift_away(Stamp::from(word).page, page));
}

namespace {

constexpr unsigned kPageBits = 28;
constexpr std::uint64_t kPageMask = (1ULL << kPageBits) - 1;

}  // namespace

void OracleShared::removing(std::uint32_t task, std::uint32_t ino, PageRange pages) noexcept {
  const std::uint64_t end = std::min(pages.end, this->pages(ino));
  const bool none = pages.first >= end;
  removing_[task].word.store(
      none ? 0 : std::uint64_t{ino} << 2 * kPageBits | std::uint64_t{pages.first} << kPageBits | end);
}

bool OracleShared::is_being_removed(std::uint32_t ino, PageOffset page) const noexcept {
  return std::any_of(removing_.begin(), removing_.end(), [&](const Removing& of_task) {
    const std::uint64_t word = of_task.word.load();
    return word >> 2 * kPageBits == ino && page >= (word >> kPageBits & kPageMask) &&
           page < (word & kPageMask);
  });
}

std::vector<std::string> OracleShared::story(Hazard hazard, FrameNumber frame, std::uint32_t ino,
                                             PageOffset page) const {
  std::vector<TimelineEvent> events;
  for (std::uint32_t task = 0; task < timelines_.size(); ++task) timelines_[task].copy_to(events, task);
  std::erase_if(events, [&](const TimelineEvent& event) {
    const bool same_frame = frame != core::kNoFrame && event.frame == frame;
    const bool same_page = event.ino == ino && event.page == page && event.frame != core::kNoFrame;
    const bool lease = hazard == Hazard::h5 && event.frame == core::kNoFrame && event.ino == ino;
    return !same_frame && !same_page && !lease;
  });
  std::stable_sort(events.begin(), events.end(),
                   [](const TimelineEvent& a, const TimelineEvent& b) { return a.at < b.at; });
  if (events.size() > kLinesPerStory) {
    events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kLinesPerStory));
  }
  std::vector<std::string> lines;
  lines.reserve(events.size());
  for (const TimelineEvent& event : events) lines.push_back(line_of(event, start_));
  return lines;
}

void OracleShared::report(std::uint32_t task, Detector detector, std::optional<Sign> sign, Hazard hazard,
                          std::uint32_t ino, PageOffset page, FrameNumber frame, const std::string& what) {
  detected_[static_cast<std::size_t>(detector)].fetch_add(1);
  if (sign) seen_[static_cast<std::size_t>(hazard)][static_cast<std::size_t>(*sign)].fetch_add(1);
  violated_.fetch_or(Hazards(hazard).bits());
  timelines_[task].record(Event::violation, ino, page, frame, 0);
  const std::scoped_lock lock(mutex_);
  const auto same = std::count_if(violations_.begin(), violations_.end(), [&](const Violation& seen) {
    return seen.detector == detector && seen.hazard == hazard;
  });
  if (static_cast<std::size_t>(same) >= kStoriesPerKind) return;
  violations_.push_back({detector, hazard, what, story(hazard, frame, ino, page)});
}

bool OracleShared::is_new(const StaleZeroPage& one) {
  const std::scoped_lock lock(mutex_);
  if (std::ranges::find(stale_zero_pages_, one) != stale_zero_pages_.end()) return false;
  stale_zero_pages_.push_back(one);
  return true;
}

bool OracleShared::fault_brought_block(std::uint32_t ino, PageOffset page) const {
  std::vector<TimelineEvent> events;
  for (std::uint32_t task = 0; task < timelines_.size(); ++task) timelines_[task].copy_to(events, task);
  std::erase_if(events,
                [&](const TimelineEvent& event) { return event.ino != (ino & 0xff) || event.page != page; });
  std::ranges::stable_sort(events, {}, &TimelineEvent::at);
  const auto is_end_of_a_block = [](const TimelineEvent& event) {
    return event.event == Event::allocated || event.event == Event::freed || event.event == Event::moved;
  };
  const auto newest = std::find_if(events.rbegin(), events.rend(), is_end_of_a_block);
  if (newest == events.rend() || newest->event != Event::allocated) return true;
  const auto next = std::find_if(newest.base(), events.end(), [&](const TimelineEvent& event) {
    return event.task == newest->task && event.event != Event::unmapped;
  });
  return next == events.end() || (next->event != Event::copy_written && next->event != Event::dio_submitted);
}

void OracleShared::report_zero_page(std::uint32_t task, Hazard hazard, std::uint32_t ino, PageOffset page,
                                    std::uint32_t removals) {
  std::optional<Sign> sign = Sign::stale_data;
  if (fault_brought_block(ino, page))
    sign = is_new({ino, page, removals}) ? std::optional(Sign::stale_zero_page) : std::nullopt;
  report(task, Detector::stale_data, sign, hazard, ino, page, core::kNoFrame,
         fmt::format("{} page {}: zeros read through the zero page after a finished write", name_of_file(ino),
                     page));
}

void OracleShared::report_leak(const std::string& what) {
  detected_[static_cast<std::size_t>(Detector::leak)].fetch_add(1);
  seen_[static_cast<std::size_t>(Hazard::h6)][static_cast<std::size_t>(Sign::leak)].fetch_add(1);
  const std::scoped_lock lock(mutex_);
  violations_.push_back({Detector::leak, Hazard::h6, what, {}});
}

std::array<std::uint64_t, kDetectorNames.size()> OracleShared::detected() const {
  std::array<std::uint64_t, kDetectorNames.size()> counts{};
  std::transform(detected_.begin(), detected_.end(), counts.begin(),
                 [](const auto& count) { return count.load(); });
  return counts;
}

Seen OracleShared::seen() const {
  Seen seen;
  for (std::size_t hazard = 0; hazard < kHazardNames.size(); ++hazard)
    for (std::size_t sign = 0; sign < kSignNames.size(); ++sign)
      seen.add(static_cast<Hazard>(hazard), static_cast<Sign>(sign), seen_[hazard][sign].load());
  return seen;
}

std::vector<Violation> OracleShared::take_violations() {
  const std::scoped_lock lock(mutex_);
  return std::move(violations_);
}

Oracle::Oracle(OracleShared& shared, std::uint32_t task)
    : shared_(shared), timeline_(shared.timeline(task)), task_(task), fsync_pages_(kFsyncPages) {}

void Oracle::freed_busy(Hazard hazard, std::uint32_t ino, PageOffset page, core::Block block,
                        std::uint32_t references) {
  const bool pinned = hazard == Hazard::h4;
  shared_.report(task_, Detector::freed_busy, hazard, ino, page, block.frame,
                 fmt::format("{} page {}: blk {} freed with {} {} on its page", name_of_file(ino), page,
                             block.frame, references, pinned ? "pin(s)" : "mapping(s)"));
}

void Oracle::stale_access(Hazard hazard, std::uint32_t ino, PageOffset page, core::Block block,
                          std::uint32_t now) {
  shared_.report(
      task_, Detector::stale_access, hazard, ino, page, block.frame,
      fmt::format("{} page {}: {} hit blk {}, which was freed meanwhile (generation {} then, {} now)",
                  name_of_file(ino), page, name_in(kHazardMeanings, hazard), block.frame, block.generation,
                  now));
}

void Oracle::page_removing(std::uint32_t ino, PageOffset page) noexcept {
  shared_.history(ino, page).removals.fetch_add(1);
}

void Oracle::page_removed(std::uint32_t ino, PageOffset page) noexcept {
  PageHistory& history = shared_.history(ino, page);
  raise(history.removed, history.removals.load());
}

void Oracle::page_moved(std::uint32_t ino, PageOffset from, PageOffset to, FrameNumber) noexcept {
  for (const PageOffset page : {from, to}) {
    page_removing(ino, page);
    page_removed(ino, page);
  }
}

void Oracle::flush_begin(std::uint32_t ino, PageOffset page) noexcept {
  if (page >= shared_.pages(ino)) return;
  PageHistory& history = shared_.history(ino, page);
  history.flushes.store(history.flushes.load() + 1, std::memory_order_release);
}

void Oracle::flush_end(std::uint32_t ino, PageOffset page) noexcept {
  if (page >= shared_.pages(ino)) return;
  PageHistory& history = shared_.history(ino, page);
  history.flushed.store(history.flushes.load(), std::memory_order_release);
}

void Oracle::unflushed(std::uint32_t ino, PageOffset page, core::Block block) {
  shared_.report(
      task_, Detector::unflushed, Hazard::h7, ino, page, block.frame,
      fmt::format("{} page {}: fsync returned, a store before it was not flushed", name_of_file(ino), page));
}

void Oracle::accuse(const DataFault& fault, std::uint32_t ino, PageOffset page, core::Block block,
                    const Before& before, std::uint64_t word) {
  if (shared_.moved(ino, page, fault, word)) return;
  if (word == 0 && !block) return shared_.report_zero_page(task_, fault.hazard, ino, page, before.removals);
  const Stamp stamp = Stamp::from(word);
  std::string what;
  if (fault.detector == Detector::corruption) {
    what = fmt::format("holds data that {} wrote for inode {} page {}",
                       name_in(kHazardMeanings, stamp.writer), stamp.ino, stamp.page);
  } else if (fault.detector == Detector::misplaced) {
    what = fmt::format("holds data that {} wrote for page {}", name_in(kHazardMeanings, stamp.writer),
                       stamp.page);
  } else if (word == 0) {
    what = "zero read after a finished write";
  } else {
    what = fmt::format("data of the page's block {} read after its block {} was freed", stamp.sequence,
                       before.removed);
  }
  shared_.report(task_, fault.detector, fault.hazard, ino, page, block.frame,
                 fmt::format("{} page {}: {}", name_of_file(ino), page, what));
}

}  // namespace daxrace
