#include "harness/base/verdict.hpp"

namespace daxrace {
namespace {

/// Who keeps the task from going on in the end: himself, or the holder of the lock, or his holder. Null:
/// locks in a circle, or somebody whom nobody knows.
const StuckTask* end_of_chain(std::span<const StuckTask> tasks, const StuckTask& task) {
  const StuckTask* at = &task;
  for (std::size_t hops = 0; hops <= tasks.size(); ++hops) {
    if (at->is_true) return at;
    if (at->holder == StuckTask::kNobody) return is_lock(at->waits_for) ? nullptr : at;
    at = &tasks[static_cast<std::size_t>(at->holder)];
  }
  return nullptr;
}

bool keeps_its_lock_from_another(std::span<const StuckTask> tasks, const StuckTask& task) {
  return std::ranges::any_of(tasks, [&](const StuckTask& other) {
    return (other.waits_for == WaitFor::iolock || other.waits_for == WaitFor::io_range) &&
           other.holder == &task - tasks.data();
  });
}

Sign sign_of(std::span<const StuckTask> tasks, const StuckTask& task) {
  if (task.is_true) return Sign::lost_wakeup;
  if (task.waits_for == WaitFor::lease) return Sign::lease;
  if (task.waits_for != WaitFor::page_idle) return Sign::other;
  if (!task.pinned) return Sign::page_mapped;
  return keeps_its_lock_from_another(tasks, task) ? Sign::pin_and_lock : Sign::page_pinned;
}

}  // namespace

Signs signs_of(std::span<const StuckTask> tasks) {
  Signs signs;
  for (const StuckTask& task : tasks) {
    if (!task.overdue) continue;
    const StuckTask* end = end_of_chain(tasks, task);
    signs.add(end == nullptr ? Sign::lock : sign_of(tasks, *end));
  }
  return signs.empty() ? Signs(Sign::other) : signs;
}

Signs signs_of_starvation(std::span<const StuckTask> tasks) {
  const bool page = std::ranges::any_of(tasks, [&](const StuckTask& task) {
    const StuckTask* end = task.overdue ? end_of_chain(tasks, task) : nullptr;
    return end != nullptr && end->waits_for == WaitFor::page_idle;
  });
  return page ? Sign::starved_page : Sign::other;
}

}  // namespace daxrace
