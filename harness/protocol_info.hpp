#pragma once

#include <string_view>

#include "harness/types.hpp"

namespace daxrace {

/// What is known of a protocol without running it.
struct ProtocolInfo {
  std::string_view name;
  Hazards promises;             ///< the hazards that its authors claim it stops
  std::string_view stands_for;  ///< kernel function and version, or the mail
  std::string_view summary;     ///< one line: what a layout change takes and waits for
};

}  // namespace daxrace
