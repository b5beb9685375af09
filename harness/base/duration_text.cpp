#include "harness/base/duration_text.hpp"

#include <cmath>

#include <fmt/format.h>

namespace daxrace {

std::string scaled_time(double ns) {
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

double as_printed(double ns) {
  const double size = std::abs(ns);
  const double unit = size < 999.5 ? 1 : size < 999.5e3 ? 1e3 : size < 999.5e6 ? 1e6 : 1e9;
  const double shown = size / unit;
  const double digits = unit == 1 ? 1 : shown < 9.995 ? 100 : shown < 99.95 ? 10 : 1;
  return std::copysign(std::round(shown * digits) / digits * unit, ns);
}

std::string signed_time(double ns) {
  const double whole = std::abs(ns) < 0.5 ? 0.0 : ns;  // no "-0ns"
  return fmt::format("{}{}", whole >= 0 ? "+" : "", scaled_time(whole));
}

std::string scaled_count(std::uint64_t count) {
  const auto value = static_cast<double>(count);
  if (value < 10'000) return fmt::format("{}", count);
  if (value < 999.5e3) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.2f}M", value / 1e6);
}

std::string ratio_text(double ratio) {
  const double size = std::abs(ratio);
  return fmt::format("{:.{}f}", ratio, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

}  // namespace daxrace
