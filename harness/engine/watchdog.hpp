#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/engine/standstill.hpp"
#include "harness/engine/task.hpp"
#include "harness/platform/clock.hpp"
#include "harness/platform/thread_cpu.hpp"

namespace daxrace {

/// Looks from outside whether every operation ends. It reads what tasks publish and never takes a lock of
/// theirs.
class Watchdog {
 public:
  /// Names a lock, frame or inode that a task waits for, with its holder where the lock knows it.
  using Describe = std::function<std::string(const Task&)>;

  using LookAt = std::function<ThreadCpu(const Task&)>;

  Watchdog(std::vector<std::unique_ptr<Task>>& tasks, std::uint64_t bound_ns, Describe describe,
           LookAt cpu_of = thread_of);

  /// To be asked every few milliseconds. True if an operation has outlived the bound, less the time in which
  /// some task of the episode was ready to go on and the machine gave it no CPU: what sleeps may well wait
  /// for that one. Ten times the bound is too late anyhow.
  bool overdue();
  /// Whether the task's was among them then.
  bool is_overdue(const Task& task) const { return seen_[task.id].overdue; }
  /// True if some task has begun an operation lately: what is overdue may only be starved.
  bool others_go_on() const;
  /// How long the whole process stood still since the episode began.
  std::uint64_t stood_still_ns() const { return standstill_.total_ns(); }
  /// One line per task: operation, since when, what it waits for, what it holds.
  std::vector<std::string> report() const;
  /// Makes every sleep throw Aborted.
  void abort_all();

 private:
  struct Seen {
    std::uint64_t ops_begun = 0;
    std::uint64_t since_ns = 0;
    std::uint64_t begun_ns = 0;    ///< when an operation was last seen to begin
    std::uint64_t held_up_ns = 0;  ///< held_up_ns_ when this operation was young
    ThreadCpu cpu;                 ///< at the last look
    bool overdue = false;
  };

  static ThreadCpu thread_of(const Task& task);
  void see_own_gap();
  void see_who_has_no_cpu(std::uint64_t now_ns);

  std::vector<std::unique_ptr<Task>>& tasks_;
  std::uint64_t bound_ns_;
  Describe describe_;
  LookAt cpu_of_;
  std::vector<Seen> seen_;
  Standstill standstill_;
  /// The sum, look by look, of what the task waited that waited longest for a CPU. Looked at only while an
  /// operation is half as old as the bound: a look costs a system call or three a task.
  std::uint64_t held_up_ns_ = 0;
  std::uint64_t looked_ns_ = 0;  ///< 0: not looking
};

}  // namespace daxrace
