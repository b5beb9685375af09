#include "harness/time_text.hpp"

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace daxrace {

std::string short_time(double ns) {
  const double size = std::abs(ns);
  if (size < 999.5) return fmt::format("{:.0f}ns", ns);
  const auto with_unit = [](double value, std::string_view unit) {
    const double magnitude = std::abs(value);
    return fmt::format("{:.{}f}{}", value, magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0, unit);
  };
  if (size < 999.5e3) return with_unit(ns / 1e3, "us");
  if (size < 999.5e6) return with_unit(ns / 1e6, "ms");
  return with_unit(ns / 1e9, "s");
}

std::string short_ratio(double value) {
  const double size = std::abs(value);
  return fmt::format("{:.{}f}", value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

}  // namespace daxrace
