#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/engine/task.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace {

/// Looks from outside whether every operation ends. It reads what tasks publish and never takes a lock of
/// theirs.
class Watchdog {
 public:
  /// Names a lock, frame or inode that a task waits for, with its holder where the lock knows it.
  using Describe = std::function<std::string(const Task&)>;

  Watchdog(std::vector<std::unique_ptr<Task>>& tasks, std::uint64_t bound_ns, Describe describe);

  /// True if an operation has outlived the bound.
  bool overdue();
  /// Whether the task's was among them then.
  bool is_overdue(const Task& task) const { return seen_[task.id].overdue; }
  /// True if some task has begun an operation lately: what is overdue may only be starved.
  bool others_go_on() const;
  /// One line per task: operation, since when, what it waits for, what it holds.
  std::vector<std::string> report() const;
  /// Makes every sleep throw Aborted.
  void abort_all();

 private:
  struct Seen {
    std::uint64_t ops_begun = 0;
    std::uint64_t since_ns = 0;
    std::uint64_t begun_ns = 0;  ///< when an operation was last seen to begin
    bool overdue = false;
  };
  std::vector<std::unique_ptr<Task>>& tasks_;
  std::uint64_t bound_ns_;
  Describe describe_;
  std::vector<Seen> seen_;
};

}  // namespace daxrace
