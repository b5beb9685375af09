#include "harness/engine/watchdog.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "harness/load/workload.hpp"

namespace daxrace {
namespace {

/// A machine that gives a task no CPU for so many bounds is one on which nothing can be said.
constexpr std::uint64_t kPatience = 9;
/// Longer than some ticks, so that a thread on a CPU is seen to have run.
constexpr std::uint64_t kLookNs = 40'000'000;

}  // namespace

Watchdog::Watchdog(std::vector<std::unique_ptr<Task>>& tasks, std::uint64_t bound_ns, Describe describe,
                   LookAt cpu_of)
    : tasks_(tasks),
      bound_ns_(bound_ns),
      describe_(std::move(describe)),
      cpu_of_(std::move(cpu_of)),
      seen_(tasks.size()),
      standstill_(tasks.size()) {
  for (Seen& seen : seen_) seen.since_ns = Clock::monotonic_ns();
}

ThreadCpu Watchdog::thread_of(const Task& task) {
  return ThreadCpu::of(task.tid.load(std::memory_order_relaxed));
}

/// Where the watch itself was given no CPU, or the process was stopped, the workers may have had none either.
void Watchdog::see_own_gap() {
  const std::uint64_t gap_ns = standstill_.look();
  if (gap_ns < kLookNs) return;
  held_up_ns_ += gap_ns;
  looked_ns_ = 0;
}

void Watchdog::see_who_has_no_cpu(std::uint64_t now_ns) {
  const std::uint64_t elapsed_ns = now_ns - looked_ns_;
  if (looked_ns_ != 0 && elapsed_ns < kLookNs) return;
  std::uint64_t longest_ns = 0;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const ThreadCpu before = std::exchange(seen_[i].cpu, cpu_of_(*tasks_[i]));
    const ThreadCpu& cpu = seen_[i].cpu;
    // What it waits now is added to queued_ns only when it gets its CPU.
    const bool waits = cpu.runnable && cpu.ran_ns == before.ran_ns;
    longest_ns =
        std::max(longest_ns, waits ? elapsed_ns : std::min(cpu.queued_ns - before.queued_ns, elapsed_ns));
  }
  if (looked_ns_ != 0) held_up_ns_ += longest_ns;
  looked_ns_ = now_ns;
}

bool Watchdog::overdue() {
  see_own_gap();
  const std::uint64_t now_ns = Clock::monotonic_ns();
  const bool look =
      std::ranges::any_of(seen_, [&](const Seen& seen) { return now_ns - seen.since_ns > bound_ns_ / 2; });
  if (look) see_who_has_no_cpu(now_ns);
  if (!look) looked_ns_ = 0;
  bool overdue = false;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = *tasks_[i];
    const std::uint64_t ops_begun = task.ops_begun.load(std::memory_order_relaxed);
    if (ops_begun != seen_[i].ops_begun) seen_[i].begun_ns = now_ns;
    if (task.op.load(std::memory_order_relaxed) == Task::kIdle || ops_begun != seen_[i].ops_begun) {
      seen_[i].ops_begun = ops_begun;
      seen_[i].since_ns = now_ns;
      seen_[i].held_up_ns = held_up_ns_;
    }
    const std::uint64_t age_ns = now_ns - seen_[i].since_ns;
    const std::uint64_t held_up_ns = held_up_ns_ - seen_[i].held_up_ns;
    seen_[i].overdue = age_ns > bound_ns_ + std::min(held_up_ns, kPatience * bound_ns_);
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
