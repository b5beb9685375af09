#include "harness/engine/watchdog.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "harness/load/workload.hpp"

namespace daxrace {

Watchdog::Watchdog(std::vector<std::unique_ptr<Task>>& tasks, std::uint64_t bound_ns, Describe describe)
    : tasks_(tasks), bound_ns_(bound_ns), describe_(std::move(describe)), seen_(tasks.size()) {
  for (Seen& seen : seen_) seen.since_ns = Clock::monotonic_ns();
}

bool Watchdog::overdue() {
  const std::uint64_t now_ns = Clock::monotonic_ns();
  bool overdue = false;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = *tasks_[i];
    const std::uint64_t ops_begun = task.ops_begun.load(std::memory_order_relaxed);
    if (ops_begun != seen_[i].ops_begun) seen_[i].begun_ns = now_ns;
    if (task.op.load(std::memory_order_relaxed) == Task::kIdle || ops_begun != seen_[i].ops_begun) {
      seen_[i].ops_begun = ops_begun;
      seen_[i].since_ns = now_ns;
    }
    seen_[i].overdue = now_ns - seen_[i].since_ns > bound_ns_;
    overdue = overdue || seen_[i].overdue;
  }
  return overdue;
}

bool Watchdog::others_go_on() const {
  const std::uint64_t now_ns = Clock::monotonic_ns();
  return std::ranges::any_of(seen_, [&](const Seen& seen) { return now_ns - seen.begun_ns < bound_ns_ / 2; });
}

std::vector<std::string> Watchdog::report() const {
  const std::uint64_t now_ns = Clock::monotonic_ns();
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = *tasks_[i];
    const std::uint8_t op = task.op.load();
    if (op == Task::kIdle) {
      lines.push_back(fmt::format("task {}: between operations", task.id));
      continue;
    }
    const std::string_view name = op == Task::kDraining ? "waits for its last I/O" : kOpNames[op];
    std::string line =
        fmt::format("task {}: {} for {} ms", task.id, name, (now_ns - seen_[i].since_ns) / 1'000'000);
    if (task.wait_for.load() == WaitFor::nothing) {
      line += ", running";
    } else {
      line += fmt::format(", waits for {}", describe_(task));
    }
    lines.push_back(line);
  }
  return lines;
}

void Watchdog::abort_all() {
  for (const auto& task : tasks_) task->aborting.store(true);
  for (const auto& task : tasks_) {
    task->wake();
    if (task->io != nullptr) task->io->poke();
  }
}

}  // namespace daxrace
