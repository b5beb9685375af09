#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "harness/model/machine.hpp"

namespace daxrace::explore {

/// 128 bits that stand for a state.
struct Key {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Key&, const Key&) = default;
};

/// Everything that a run can change, at fixed addresses, with a copy of how it last was: a step is taken back
/// by the lines that it changed, and the key of a state is the sum of the keys of its lines. Below a task's
/// stack pointer everything is held at zero, so that what a finished call left there tells no states apart.
class Snapshot {
 public:
  static constexpr std::size_t kLine = 64;

  /// Starts to watch; sizes are multiples of a line.
  void watch(std::span<std::byte> region) { regions_.push_back(make_region(region)); }
  void watch_stack(model::Machine& machine, model::TaskId task);
  /// Tasks also write to each other's stacks, where they queue.
  void watch_all_stacks() { all_stacks_ = true; }

  /// Before `task` runs, and after it: notes what changed.
  void begin(model::TaskId task);
  void commit(model::TaskId task);
  /// Undoes what was noted since the mark.
  struct Mark {
    std::size_t changes = 0;
    Key key;
  };
  Mark mark() const { return {undo_.size(), key_}; }
  void back_to(const Mark& mark);
  /// Undoes whatever was done since the last commit, by any tasks or outside of them.
  void forget();

  Key key() const { return key_; }
  /// The watched bytes themselves, for who does not trust keys.
  std::vector<std::byte> bytes() const;
  std::size_t size() const;

 private:
  struct alignas(kLine) Line {
    std::array<std::uint64_t, kLine / sizeof(std::uint64_t)> words;
  };
  struct Region {
    Line* now = nullptr;
    std::size_t lines = 0;
    std::uint32_t number = 0;  ///< of its first line
    std::vector<Line> before;
  };
  struct Change {
    Line* now;
    Line* before;
    std::uint32_t number;
    Line was;
  };

  static Key key_of(const Line& line, std::uint32_t number);
  Region make_region(std::span<std::byte> bytes);
  void compare(Region& region, std::size_t first);
  void add(const Line& line, std::uint32_t number, bool out);
  std::size_t first_used_line(model::TaskId task);
  void tidy_stack(model::TaskId task);

  std::vector<Region> regions_;
  std::array<Region, model::kTasks> stacks_;
  std::size_t began_at_ = 0;  ///< first used line of the stack of the task that runs
  bool all_stacks_ = false;
  model::Machine* machine_ = nullptr;
  std::vector<Change> undo_;
  std::uint32_t next_number_ = 0;
  Key key_;
};

}  // namespace daxrace::explore
