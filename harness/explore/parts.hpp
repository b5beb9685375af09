#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "harness/litmus/scene.hpp"

namespace daxrace::explore {

using model::TaskId;
using Part = model::Footprint::Part;
/// Stands for one content of one part.
using Number = std::uint32_t;

/// 128 bits that stand for a state: the sum of the keys of what its parts hold.
struct Key {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  static Key of(Part part, Number content);
  Key& operator+=(const Key& other) {
    low += other.low;
    high += other.high;
    return *this;
  }
  Key& operator-=(const Key& other) {
    low -= other.low;
    high -= other.high;
    return *this;
  }
  friend Key operator+(Key a, const Key& b) { return a += b; }
  friend bool operator==(const Key&, const Key&) = default;
};

/// The memory of a scene as numbered contents of numbered parts: first a part for each task, which is what
/// only the task looks at and its stack, then whatever the tasks share. A task's stack counts from its stack
/// pointer on, so that what a finished call left there tells no states apart.
class Parts {
 public:
  Parts(litmus::Scene& scene, std::size_t tasks);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  /// Once the scene stands as it starts.
  void begin();
  std::size_t size() const { return parts_.size(); }
  Part of(const void* shared) const;
  /// Whoever touches a part of the memory is noted here.
  model::Footprint& footprint() { return footprint_; }

  /// What the part holds.
  Number read(Part part);
  /// Has it hold that.
  void write(Part part, Number content);
  /// Whether it holds that.
  bool holds(Part part, Number content);
  std::string_view content(Part part, Number number) const { return *parts_[part].contents[number]; }
  /// Before a task runs: nothing of the past is left below its stack pointer.
  void clear_unused_stack(TaskId task);
  /// Whether the memory that is no part of anything is as it first was.
  bool rest_is_unchanged() const { return rest() == rest_; }

 private:
  struct Held {
    std::span<std::byte> bytes;
    std::unordered_map<std::string, Number> numbers;
    std::vector<const std::string*> contents;
  };

  bool is_task(Part part) const { return part < tasks_; }
  std::span<std::byte> used_stack(TaskId task);
  void add(std::span<std::byte> bytes);
  const std::string& in_memory(Part part);
  std::string rest() const;

  litmus::Scene& scene_;
  std::size_t tasks_;
  model::Footprint footprint_;
  std::vector<Held> parts_;
  std::string buffer_;
  std::string rest_;
};

}  // namespace daxrace::explore
