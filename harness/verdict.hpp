#pragma once

#include "harness/types.hpp"

namespace daxrace {

/// What was seen, held against what was promised. `exercised`: the hazards that the workload can show at all.
/// A leak breaks any protocol: accounts must balance whatever was promised.
constexpr Verdict judge_promises(Hazards promises, Hazards violated, Hazards exercised, bool leaked) {
  if (leaked || !(promises & violated).empty()) return Verdict::broken;
  if (!violated.empty()) return Verdict::expected;
  const auto unpromised = Hazards::from_bits(
      static_cast<std::uint8_t>(exercised.bits() & static_cast<std::uint8_t>(~promises.bits())));
  if (!unpromised.empty()) return Verdict::unseen;
  return promises.empty() ? Verdict::none : Verdict::kept;
}

}  // namespace daxrace
