#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "harness/base/types.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/load/workload.hpp"

namespace daxrace {

/// The operations of one worker in their proportions, drawn with one random number and one load.
struct Mix {
  static constexpr std::size_t kSlots = 1024;

  double rate_per_s = 0;  ///< of this worker
  std::array<Op, kSlots> slots{};

  Op draw(Random& random) const noexcept { return slots[random.below(kSlots)]; }

  /// Every role of a workload, shared out evenly over `workers` paced workers.
  static Mix of_all_roles(const Workload& workload, double rate_scale, unsigned workers);
  /// One role by itself, as fast as it goes.
  static Mix of_role(const Role& role);
};

/// The role of thread i under closed load: roles in order, each `count` times, over again if there are more
/// threads.
const Role& role_of_thread(const Workload& workload, unsigned thread);

/// The hazards that a workload can show: those of its accesses, if it has a layout change beside them.
Hazards hazards_of(const Workload& workload);

}  // namespace daxrace
