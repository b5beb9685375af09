#include "harness/litmus/teller.hpp"

#include <fmt/format.h>

namespace daxrace::litmus {
namespace {

using model::TraceLine;

/// What each step means, in the words of the kernel.
std::string_view words_of(Step step) {
  switch (step) {
    case Step::fault_locked:
      return "dax_iomap_fault()";
    case Step::fault_looked_up:
      return "fault: block looked up";
    case Step::fault_allocated:
      return "fault: block allocated";
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
    case Step::lease_fenced:
      return "lessees fenced, accesses still inside";
    case Step::writeback:
      return "writeback: ptes write-protected";
  }
  return "";
}

}  // namespace

std::string Teller::heads() const {
  std::string heads = "   #  ";
  for (const std::string& name : names_) heads += fmt::format("{:<{}}", name, column_);
  return heads + "locks held";
}

std::string Teller::file_of(const void* address) const {
  for (std::uint32_t ino = 1; ino <= model::kFiles; ++ino) {
    const auto* begin = reinterpret_cast<const char*>(&scene_.store.inode(ino));
    const auto* at = static_cast<const char*>(address);
    if (at >= begin && at < begin + sizeof(ModelInode)) return fmt::format(" i{}", ino);
  }
  return "";
}

std::string Teller::lock_text(const void* lock, WaitFor name) const {
  if (name == WaitFor::nothing) return "wait_lock";  // the spinlock of a lock that is explored itself
  return fmt::format("{}{}", name_in(kWaitForNames, name), file_of(lock));
}

std::string Teller::wait_text(const WaitKey& key) const {
  if (key.what == WaitFor::page_idle)
    return fmt::format("blk {} idle (ref={})", key.detail, scene_.store.frame(key.detail).refcount.load());
  return lock_text(key.address, key.what);
}

std::string Teller::held_text(const TraceLine& line) const {
  std::string text;
  for (const auto& held : line.held) {
    if (held.lock == nullptr) continue;
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", held.exclusive ? 'W' : 'R',
                        lock_text(held.lock, held.name));
  }
  return text;
}

std::string Teller::event_text(const TraceLine& line) const {
  std::string text{name_in(kEventNames, line.event)};
  if (line.frame != core::kNoFrame) text += fmt::format(" {}", line.frame);
  if (line.event != Event::busy_wait) text += fmt::format("  i{} p{}", line.ino, line.page);
  if (line.event == Event::pinned || line.event == Event::unpinned || line.event == Event::busy_wait)
    text += fmt::format(" ref={}", line.value);
  return text;
}

std::string Teller::text_of(const TraceLine& line) const {
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
    case TraceLine::What::atomic:
      return fmt::format("{} {}: {:#x}", line.text, line.name, line.value);
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

std::string Teller::line(const TraceLine& line, char mark, const std::string& remark) {
  if (line.task >= names_.size()) return "";
  last_ = line.task;
  std::string text = fmt::format("{:>4}{} ", ++number_, mark);
  text += std::string(column_ * line.task, ' ');
  text += fmt::format("{:<{}}", text_of(line), column_ * (names_.size() - line.task));
  text += held_text(line);
  if (!remark.empty()) text += "  " + remark;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> Teller::what_went_wrong(End end) const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < scene_.record.seen_count; ++i) {
    const model::SeenViolation& seen = scene_.record.seen[i];
    out.push_back(fmt::format("  => {} ({} {}): blk {} of inode {} page {}{}",
                              name_in(kDetectorNames, seen.detector), name_in(kHazardNames, seen.hazard),
                              name_in(kHazardMeanings, seen.hazard),
                              seen.frame == core::kNoFrame ? std::string("none") : std::to_string(seen.frame),
                              seen.ino, seen.page, seen.task == model::kNobody ? ", when all was over" : ""));
  }
  for (TaskId task = 0; end != End::finished && task < names_.size(); ++task) {
    if (!scene_.machine.unfinished(task)) continue;
    out.push_back(fmt::format("  => {}: {} sleeps: {}", name_in(kEndNames, end), name_of(task),
                              wait_text(scene_.machine.waits_for(task))));
  }
  return out;
}

}  // namespace daxrace::litmus
