#pragma once

#include "harness/explore/explorer.hpp"

namespace daxrace::explore {

/// Notes what is wrong at a state, with one way there for each hazard.
class Notes {
 public:
  Notes(World& world, Result& result) : world_(world), result_(result) {}

  template <class PathFn>
  void violated(Hazards seen, PathFn&& path) {
    if ((seen & result_.violated) == seen) return;
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      const auto hazard = static_cast<Hazard>(i);
      if (!seen.has(hazard) || result_.violated.has(hazard)) continue;
      result_.violated.add(hazard);
      result_.breaking[i] = path();
    }
  }

  /// A state that was just reached. True: an interleaving ends here.
  template <class PathFn>
  bool reached(const Choices& choices, PathFn&& path) {
    record(world_.recorded(), path);
    if (choices.all_done()) {
      record(world_.recorded_in_the_end(), path);
      result_.ends |= 1U << static_cast<unsigned>(litmus::End::finished);
      return true;
    }
    if (!is_stuck(choices)) return false;
    const litmus::Stuck stuck = world_.how_stuck();
    result_.ends |= 1U << static_cast<unsigned>(stuck.end);
    result_.signs[static_cast<std::size_t>(Hazard::h6)].add(stuck.signs);
    violated(Hazards(Hazard::h6), path);
    return true;
  }

 private:
  template <class PathFn>
  void record(const World::Recorded& seen, PathFn&& path) {
    if (seen.violated.empty()) return;
    violated(seen.violated, path);
    result_.detectors |= seen.detectors;
    for (std::size_t i = 0; i < seen.signs.size(); ++i) result_.signs[i].add(seen.signs[i]);
  }

  World& world_;
  Result& result_;
};

}  // namespace daxrace::explore
