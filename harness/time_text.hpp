#pragma once

#include <string>

namespace daxrace {

/// Nanoseconds with three digits and a unit, for tables: `38.4us`.
std::string short_time(double ns);
/// A ratio with as many digits as are worth reading: `1.24`, `12.4`.
std::string short_ratio(double value);

}  // namespace daxrace
