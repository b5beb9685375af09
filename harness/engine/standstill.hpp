#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace daxrace {

/// The gaps in which whoever watches an episode did not look itself. In a long one in which the process used
/// no CPU to speak of it stood still as a whole: stopped by a signal or a debugger, frozen with its control
/// group, suspended with the machine, or kept off every CPU. What was measured meanwhile is none of the
/// protocol's.
class Standstill {
 public:
  /// `threads`: how many are watched.
  explicit Standstill(std::size_t threads);
  /// To be called every few milliseconds. How long ago the last call was, or the beginning.
  std::uint64_t look();
  /// How long the process stood still so far, the usual delays not counted.
  std::uint64_t total_ns() const { return total_ns_; }

 private:
  std::uint64_t unseen_cpu_ns_;  ///< what they may have used between the last look and a gap
  std::uint64_t turn_ns_;
  std::uint64_t wall_ns_;
  std::uint64_t cpu_ns_;
  std::uint64_t total_ns_ = 0;
};

/// What the remark of a row says of it.
std::string standstill_remark(std::uint64_t ns);

}  // namespace daxrace
