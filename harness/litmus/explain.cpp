#include <algorithm>

#include <fmt/format.h>

#include "harness/litmus/table.hpp"

namespace daxrace::litmus {
namespace {

using model::Machine;
using model::TraceLine;

constexpr std::size_t kColumn = 38;

/// What each step means, in the words of the kernel.
std::string_view words_of(Step step) {
  switch (step) {
    case Step::fault_locked:
      return "dax_iomap_fault()";
    case Step::fault_looked_up:
      return "fault: block looked up";
    case Step::fault_touched:
      return "fault: about to install pte";
    case Step::fault_installed:
      return "fault: pte installed";
    case Step::access:
      return "inside load/store";
    case Step::gup_pinned:
      return "gup_fast: try_grab_folio()";
    case Step::gup_in_flight:
      return "pinned, I/O not submitted";
    case Step::io_in_flight:
      return "in flight";
    case Step::copy_looked_up:
      return "dax_iomap_rw: block looked up";
    case Step::copy_done:
      return "dax_iomap_rw: copied";
    case Step::aio_counted:
      return "inode_dio_begin()";
    case Step::aio_looked_up:
      return "iomap_dio_rw: block looked up";
    case Step::aio_submitted:
      return "bio submitted";
    case Step::unmapped:
      return "unmap_mapping_range() done";
    case Step::busy_scanned:
      return "no busy page";
    case Step::break_unlocked:
      return "about to schedule()";
    case Step::break_relocked:
      return "woken, MMAPLOCK held again";
    case Step::lease_recalled:
      return "break_layout(nonblock)";
    case Step::lease_unlocked:
      return "locks dropped for leases";
    case Step::layout_broken:
      return "break_layouts() done";
    case Step::entries_removed:
      return "DAX entries removed";
    case Step::block_unlinked:
      return "block out of the extent map";
    case Step::block_freed:
      return "block freed";
    case Step::block_moved:
      return "block moved";
    case Step::lease_mapped:
      return "lessee: layout in hand";
    case Step::leased_access:
      return "lessee: inside an access";
    case Step::writeback:
      return "writeback: ptes write-protected";
  }
  return "";
}

std::string_view name_of(TaskId task) {
  constexpr std::array<std::string_view, 3> kNames = {"access", "layout change", "other access"};
  return task < kNames.size() ? kNames[task] : "";
}

class Teller {
 public:
  explicit Teller(Scene& scene) : scene_(scene), columns_(takes_two(scene.access) ? 3U : 2U) {}

  std::vector<std::string> tell(const Cell& cell, const Schedule& schedule, const Outcome& outcome) {
    out_.push_back(fmt::format("{} under {} {}: {} against {}", info_of(cell.operation).name,
                               cell.protocol().name, name_in(kRefcountRegimeNames, cell.regime),
                               info_of(cell.operation).summary, info_of(cell.access).summary));
    out_.push_back(schedule_text(schedule));
    std::string heads = "   #  ";
    for (TaskId task = 0; task < columns_; ++task) heads += fmt::format("{:<{}}", name_of(task), kColumn);
    out_.push_back(heads + "locks held");
    for (std::size_t i = 0; i < scene_.machine.trace_size(); ++i) line(scene_.machine.trace_line(i));
    conclude(outcome);
    return std::move(out_);
  }

 private:
  static std::string schedule_text(const Schedule& schedule) {
    std::string text = fmt::format("  forced: access to its stop {}", schedule.access_stops);
    text += schedule.change_stops == Schedule::kToTheEnd
                ? "; layout change until it sleeps or ends"
                : fmt::format("; layout change to its stop {}", schedule.change_stops);
    text += schedule.access_more == Schedule::kToTheEnd
                ? "; access to the end; the rest"
                : fmt::format("; access {} more; layout change; the rest", schedule.access_more);
    return text;
  }

  std::string file_of(const void* address) const {
    for (std::uint32_t ino = 1; ino <= model::kFiles; ++ino) {
      const auto* begin = reinterpret_cast<const char*>(&scene_.store.inode(ino));
      const auto* at = static_cast<const char*>(address);
      if (at >= begin && at < begin + sizeof(ModelInode)) return fmt::format(" i{}", ino);
    }
    return "";
  }
  std::string lock_text(const void* lock, WaitFor name) const {
    return fmt::format("{}{}", name_in(kWaitForNames, name), file_of(lock));
  }
  std::string wait_text(const WaitKey& key) const {
    if (key.what == WaitFor::page_idle)
      return fmt::format("blk {} idle (ref={})", key.detail, scene_.store.frame(key.detail).refcount.load());
    return lock_text(key.address, key.what);
  }

  std::string held_text(const TraceLine& line) const {
    std::string text;
    for (const auto& held : line.held) {
      if (held.lock == nullptr) continue;
      text += fmt::format("{}{}:{}", text.empty() ? "" : " ", held.exclusive ? 'W' : 'R',
                          lock_text(held.lock, held.name));
    }
    return text;
  }

  std::string event_text(const TraceLine& line) const {
    std::string text{name_in(kEventNames, line.event)};
    if (line.frame != core::kNoFrame) text += fmt::format(" {}", line.frame);
    if (line.event != Event::busy_wait) text += fmt::format("  i{} p{}", line.ino, line.page);
    if (line.event == Event::pinned || line.event == Event::unpinned || line.event == Event::busy_wait)
      text += fmt::format(" ref={}", line.value);
    return text;
  }

  std::string text_of(const TraceLine& line) const {
    const std::string_view mode = line.exclusive ? "write" : "read";
    switch (line.what) {
      case TraceLine::What::step:
        return fmt::format("  {}", words_of(line.step));
      case TraceLine::What::event:
        return event_text(line);
      case TraceLine::What::takes:
        return fmt::format("down_{}({})", mode, lock_text(line.key.address, line.key.what));
      case TraceLine::What::drops:
        return fmt::format("up_{}({})", mode, lock_text(line.key.address, line.key.what));
      case TraceLine::What::blocks:
        return fmt::format("SLEEPS: {}", lock_text(line.key.address, line.key.what));
      case TraceLine::What::wakes:
        return fmt::format("wakes {}", name_of(line.value));
      case TraceLine::What::signal:
        return "-- signal --";
      case TraceLine::What::grace_over:
        return "-- grace time over --";
      case TraceLine::What::ends:
        return "returns";
      case TraceLine::What::violation:
        return fmt::format("*** {} blk {} i{} p{}", kDetectorNames[line.value], line.frame, line.ino,
                           line.page);
    }
    return "";
  }

  void line(const TraceLine& line) {
    if (line.task >= columns_) return;
    const bool switched = last_ != model::kNobody && last_ != line.task;
    last_ = line.task;
    std::string text = fmt::format("{:>4}{} ", ++number_, switched ? '>' : ' ');
    text += std::string(kColumn * line.task, ' ');
    text += fmt::format("{:<{}}", text_of(line), kColumn * (columns_ - line.task));
    text += held_text(line);
    text.erase(text.find_last_not_of(' ') + 1);
    out_.push_back(text);
  }

  void conclude(const Outcome& outcome) {
    for (std::size_t i = 0; i < scene_.record.seen_count; ++i) {
      const model::SeenViolation& seen = scene_.record.seen[i];
      out_.push_back(
          fmt::format("  => {} ({} {}): blk {} of inode {} page {}{}", name_in(kDetectorNames, seen.detector),
                      name_in(kHazardNames, seen.hazard), name_in(kHazardMeanings, seen.hazard),
                      seen.frame == core::kNoFrame ? std::string("none") : std::to_string(seen.frame),
                      seen.ino, seen.page, seen.task == model::kNobody ? ", when all was over" : ""));
    }
    for (TaskId task = 0; outcome.end != End::finished && task < columns_; ++task) {
      if (!scene_.machine.unfinished(task)) continue;
      out_.push_back(fmt::format("  => {}: {} sleeps: {}", name_in(kEndNames, outcome.end), name_of(task),
                                 wait_text(scene_.machine.waits_for(task))));
    }
    if (outcome.error != 0) out_.push_back("  => the change returned -" + error_name(outcome.error));
    if (outcome.fenced) out_.push_back("  => the lessee was fenced and touched nothing more");
    if (outcome.violated.empty() && outcome.waited) out_.push_back("  => safe: it waited");
    if (outcome.violated.empty() && !outcome.waited && outcome.overlapped)
      out_.push_back("  => it went ahead while the access was in flight, and nothing came of it");
  }

  Scene& scene_;
  TaskId columns_;
  TaskId last_ = model::kNobody;
  int number_ = 0;
  std::vector<std::string> out_;
};

}  // namespace

std::vector<std::string> explain(const Cell& cell) {
  Scene scene(*cell.script, cell.operation, cell.access, cell.regime);
  scene.machine.trace(true);
  const Schedule schedule = cell.telling_schedule();
  const Outcome outcome = run(scene, schedule);
  return Teller(scene).tell(cell, schedule, outcome);
}

}  // namespace daxrace::litmus
