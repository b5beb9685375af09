#pragma once

#include "harness/types.hpp"

namespace daxrace {

/// What was seen, held against what was promised. `exercised`: the hazards that the workload can show at all.
/// A leak breaks any protocol: accounts must balance whatever was promised.
/// `found`: promised hazards that the modelled kernel is known not to stop.
constexpr Verdict judge_promises(Hazards promises, Hazards found, Hazards violated, Hazards exercised,
                                 bool leaked) {
  const Hazards broken = promises & violated;
  if (leaked || (broken & found) != broken) return Verdict::broken;
  if (!broken.empty()) return Verdict::finding;
  if (!violated.empty()) return Verdict::expected;
  const auto unpromised = Hazards::from_bits(
      static_cast<std::uint8_t>(exercised.bits() & static_cast<std::uint8_t>(~promises.bits())));
  if (!unpromised.empty()) return Verdict::unseen;
  return promises.empty() ? Verdict::none : Verdict::kept;
}

}  // namespace daxrace
