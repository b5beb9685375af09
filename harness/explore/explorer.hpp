#pragma once

#include <cstdint>
#include <optional>

#include "harness/explore/world.hpp"

namespace daxrace::explore {

struct Limits {
  std::uint64_t states = 10'000'000;     ///< beyond these a scenario is sampled
  std::uint32_t preemptions = 4;         ///< of the shortest story, at most
  std::uint64_t story_states = 300'000;  ///< looked at for it, at most
  std::uint32_t samples = 4'000;         ///< executions
  std::uint64_t seed = 1;
  /// Keeps every state whole and compares where keys are equal.
  bool audit = false;
  /// Looks at one order of several steps that do not meet: sees whatever can go wrong, but counts no
  /// interleavings.
  bool reduce = false;
};

/// A way to a cycle of steps that can go on for ever, and once around.
struct Lasso {
  Path stem;
  Path cycle;
};

/// What all interleavings of one scenario came to, or those that were looked at.
struct Result {
  bool complete = false;  ///< all interleavings of the steps; else a sample
  bool reduced = false;   ///< not in every order of steps that do not meet
  Hazards violated;
  SignSets signs{};             ///< of each violated hazard
  std::uint32_t detectors = 0;  ///< one bit for each Detector
  std::uint32_t ends = 0;       ///< one bit for each litmus::End
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;
  std::uint64_t endings = 0;     ///< states in which nobody can go on, or all are done
  double interleavings = 0;      ///< paths from the start to an end; infinite where there are cycles
  std::uint32_t depth = 0;       ///< steps of the longest
  std::uint64_t bytes = 0;       ///< the visited table
  std::uint64_t collisions = 0;  ///< of an audit
  std::array<Path, kHazardNames.size()> breaking;  ///< for each violated hazard one way there
  std::optional<Lasso> starvation;
};

/// Every interleaving, by depth-first search over the states; a sample of them if there are too many states.
Result explore_all(World& world, const Limits& limits);

/// Executions with random priorities and a few random changes of them (PCT), from a seed.
void sample(World& world, const Limits& limits, Result& result);

/// A path with the fewest preemptions, and among those with the fewest steps, to a violation of the hazard.
struct Story {
  Path path;
  std::uint32_t preemptions = 0;
  bool shortest = true;   ///< nothing shorter exists; else it is the one that was met first
  std::size_t cycle = 0;  ///< so many steps at the end repeat for ever
};
std::optional<Story> shortest_story(World& world, Hazard hazard, std::uint32_t most_preemptions,
                                    std::uint64_t most_states);

/// Whether a state with these choices is one where somebody unfinished waits and nobody comes.
bool is_stuck(const Choices& choices);
/// A switch away from a task that could have gone on.
bool is_preemption(TaskId last, Choice next, const Choices& at);

}  // namespace daxrace::explore
