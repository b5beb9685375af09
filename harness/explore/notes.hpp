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
    violated(world_.violated(), path);
    result_.detectors |= world_.detectors();
    if (choices.all_done()) {
      std::uint32_t detectors = 0;
      violated(world_.violated_in_the_end(detectors), path);
      result_.detectors |= detectors;
      result_.ends |= 1U << static_cast<unsigned>(litmus::End::finished);
      return true;
    }
    if (!is_stuck(choices)) return false;
    result_.ends |= 1U << static_cast<unsigned>(world_.why_stuck());
    violated(Hazards(Hazard::h6), path);
    return true;
  }

 private:
  World& world_;
  Result& result_;
};

}  // namespace daxrace::explore
