#pragma once

#include <array>
#include <string_view>

#include "harness/types.hpp"

namespace daxrace {

/// A promise that a faithful model of a kernel is known to break, and how.
struct Finding {
  Hazard hazard = Hazard::h1;
  bool ref1 = true;  ///< under which refcount rules it was seen
  bool ref0 = true;
  std::string_view mechanism;

  constexpr bool applies_to(RefcountRegime regime) const {
    return regime == RefcountRegime::ref1 ? ref1 : ref0;
  }
};

/// From 6.15 on a mapping holds a reference, and whoever waits for a busy page waits for refcount 0
/// (dax_wait_page_idle). He has dropped MMAPLOCK: if the page is faulted in again meanwhile, its count does
/// not get there, because only his own next scan would unmap it.
inline constexpr Finding kRefaultDuringBreak{
    .hazard = Hazard::h6,
    .ref1 = false,
    .ref0 = true,
    .mechanism =
        "6.15 on: a page that is faulted in again while dax_wait_page_idle waits for its refcount to reach 0 "
        "keeps a mapping reference, and nobody unmaps it before the wait ends"};

/// What is known of a protocol without running it.
struct ProtocolInfo {
  std::string_view name;
  Hazards promises;             ///< the hazards that its authors claim it stops
  std::string_view stands_for;  ///< kernel function and version, or the mail
  std::string_view summary;     ///< one line: what a layout change takes and waits for
  std::array<Finding, 2>
      findings{};  ///< promises that the modelled kernel breaks; no mechanism: an empty place

  constexpr Hazards found(RefcountRegime regime) const {
    Hazards set;
    for (const Finding& finding : findings) {
      if (!finding.mechanism.empty() && finding.applies_to(regime)) set.add(finding.hazard);
    }
    return set;
  }
};

}  // namespace daxrace
