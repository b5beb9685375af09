#pragma once

#include <span>
#include <string_view>

#include "harness/types.hpp"

namespace daxrace {

/// A promise that a faithful model is known to break: which, where, and why the kernel does.
struct Finding {
  Hazard hazard = Hazard::h1;
  std::string_view operation;  ///< name of a litmus operation; empty: any
  std::string_view access;     ///< name of a litmus access; empty: any
  std::string_view refcount;   ///< `ref1`, `ref0`; empty: both
  bool in_run = false;         ///< measured runs meet it too
  std::string_view kernel;     ///< function and versions
  std::string_view mechanism;  ///< one sentence
  std::string_view remedy;     ///< what stands or would stand against it
  bool endless = false;        ///< only where accesses never cease to come: a starvation
};

/// What is known of a protocol without running it.
struct ProtocolInfo {
  std::string_view name;
  Hazards promises;             ///< the hazards that its authors claim it stops
  std::string_view stands_for;  ///< kernel function and version, or the mail
  std::string_view summary;     ///< one line: what a layout change takes and waits for
  std::span<const Finding> findings = {};

  /// Promised hazards that a measured run under this rule is known to violate.
  constexpr Hazards found(RefcountRegime regime) const {
    Hazards set;
    for (const Finding& finding : findings) {
      const bool applies =
          finding.refcount.empty() || finding.refcount == name_in(kRefcountRegimeNames, regime);
      if (finding.in_run && applies) set.add(finding.hazard);
    }
    return set;
  }
};

}  // namespace daxrace
