#pragma once

#include <array>
#include <span>
#include <vector>

#include "harness/explore/parts.hpp"

namespace daxrace::explore {

/// What can happen next: a task runs to its next stop, or something comes to it from outside.
struct Choice {
  enum class What : std::uint8_t { runs, signalled, grace_over };
  What what = What::runs;
  TaskId task = 0;
  friend bool operator==(const Choice&, const Choice&) = default;
};

/// Some parts; two of a few dozen are never taken for one, more may be.
class PartSet {
 public:
  void add(std::uint32_t rank) { bits_[rank / 64 % bits_.size()] |= std::uint64_t{1} << rank % 64; }
  void add(const PartSet& other) {
    for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] |= other.bits_[i];
  }
  bool covers(const PartSet& other) const {
    return ((other.bits_[0] & ~bits_[0]) | (other.bits_[1] & ~bits_[1])) == 0;
  }
  static PartSet all() {
    PartSet set;
    set.bits_.fill(~std::uint64_t{0});
    return set;
  }
  bool meets(const PartSet& other) const {
    return ((bits_[0] & other.bits_[0]) | (bits_[1] & other.bits_[1])) != 0;
  }

 private:
  std::array<std::uint64_t, 2> bits_{};
};

/// One step, once and for all: what it looks at decides what it does.
struct Step {
  struct Write {
    Part part;
    Number content;
    friend bool operator==(const Write&, const Write&) = default;
  };

  Choice choice;
  bool possible = false;
  bool ended = false;  ///< the task has, before
  std::uint32_t pattern = 0;
  std::uint32_t first_read = 0;  ///< contents of the pattern's parts
  std::uint32_t first_write = 0;
  std::uint32_t writes = 0;
  Key change;  ///< of the state's key
  PartSet reads_from;
  PartSet writes_to;
};
using StepId = std::uint32_t;

/// The steps that were taken so far. A task's own part and the contents of what it touches make up the step:
/// where they are met again, nobody has to run.
class Steps {
 public:
  enum class Kind : std::uint8_t { task, signal };
  static constexpr StepId kUnknown = ~StepId{0};

  Steps() : table_(kFirst, kUnknown) {}

  const Step& at(StepId id) const { return steps_[id]; }
  std::span<const Step::Write> writes(const Step& step) const {
    return std::span(writes_).subspan(step.first_write, step.writes);
  }
  /// The content of the task's own part, which comes before all others.
  Number own_before(const Step& step) const { return reads_[step.first_read]; }
  Number own_after(const Step& step) const {
    const bool changes = step.writes != 0 && writes_[step.first_write].part == step.choice.task;
    return changes ? writes_[step.first_write].content : own_before(step);
  }
  std::size_t size() const { return steps_.size(); }
  std::size_t bytes() const;

  StepId find(Kind kind, TaskId task, const std::vector<Number>& state) const {
    const auto& sites = sites_[static_cast<std::size_t>(kind)][task];
    if (state[task] >= sites.size()) return kUnknown;
    for (std::uint32_t i = sites[state[task]]; i != kNone; i = patterns_[i].next)
      if (const StepId id = find_in(i, state); id != kUnknown) return id;
    return kUnknown;
  }
  /// Learns a step that touched these parts.
  StepId add(Kind kind, TaskId task, const std::vector<Number>& state, std::span<const Part> touched,
             std::span<const Step::Write> writes, Step step);

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::size_t kFirst = 1U << 8;

  /// Steps that start from the same content of a task's own part and touch the same parts.
  struct Pattern {
    std::uint32_t first_part = 0;
    std::uint32_t parts = 0;
    std::uint32_t next = kNone;
  };

  std::span<const Part> parts_of(const Pattern& pattern) const {
    return std::span(parts_).subspan(pattern.first_part, pattern.parts);
  }
  std::uint32_t hash_of(std::uint32_t pattern, const std::vector<Number>& state) const {
    std::uint64_t hash = pattern * 0x9e37'79b9'7f4a'7c15U;
    for (const Part part : parts_of(patterns_[pattern])) {
      const std::uint64_t one = (std::uint64_t{part} << 32 | state[part]) * 0xd6e8'feb8'6659'fd93U;
      hash += one ^ one >> 32;
    }
    return static_cast<std::uint32_t>(hash >> 32);
  }
  bool reads(const Step& step, const std::vector<Number>& state) const {
    const Number* content = &reads_[step.first_read];
    for (const Part part : parts_of(patterns_[step.pattern]))
      if (*content++ != state[part]) return false;
    return true;
  }
  StepId find_in(std::uint32_t pattern, const std::vector<Number>& state) const {
    for (std::size_t i = hash_of(pattern, state) & (table_.size() - 1);; i = (i + 1) & (table_.size() - 1)) {
      const StepId id = table_[i];
      if (id == kUnknown) return id;
      if (steps_[id].pattern == pattern && reads(steps_[id], state)) return id;
    }
  }
  std::uint32_t pattern_for(Kind kind, TaskId task, Number own, std::span<const Part> touched);
  std::uint32_t rank_of(Part part);
  void grow();
  void place(StepId id);

  std::array<std::array<std::vector<std::uint32_t>, model::kTasks>, 2> sites_;
  std::vector<Pattern> patterns_;
  std::vector<Part> parts_;
  std::vector<Number> reads_;
  std::vector<Step::Write> writes_;
  std::vector<Step> steps_;
  std::vector<std::uint32_t> hashes_;  ///< of the steps, for the table when it grows
  std::vector<StepId> table_;
  std::vector<std::uint32_t> ranks_;  ///< of the parts that were touched, in the order in which they were
  std::uint32_t last_rank_ = 0;
};

}  // namespace daxrace::explore
