#include "bench/cli/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 7> kDurations = {
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 8> kSizes = {{{"", 1},
                                         {"B", 1},
                                         {"K", 1024},
                                         {"KiB", 1024},
                                         {"M", 1048576},
                                         {"MiB", 1048576},
                                         {"G", 1073741824},
                                         {"GiB", 1073741824}}};

struct Quantity {
  double number;
  std::string_view unit;
};

std::optional<Quantity> split_quantity(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  return Quantity{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

template <std::size_t N>
std::optional<double> scaled(std::string_view text, const std::array<Unit, N>& units) {
  const auto quantity = split_quantity(text);
  if (!quantity) return std::nullopt;
  for (const Unit& unit : units)
    if (unit.name == quantity->unit) return quantity->number * unit.factor;
  return std::nullopt;
}

[[noreturn]] void reject(std::string_view option, std::string_view text, std::string_view wanted) {
  throw Error(fmt::format("--{}={}: wanted {}", option, text, wanted));
}

}  // namespace

std::uint64_t parse_duration_ns(std::string_view option, std::string_view text) {
  constexpr double kLongest = 1000.0 * 3600e9;
  const auto value = scaled(text, kDurations);
  if (!value || *value > kLongest || *value < 0)
    reject(option, text, "a time with its unit, such as 250ms, 2s, 10m or 1h");
  return static_cast<std::uint64_t>(std::llround(*value));
}

std::size_t parse_bytes(std::string_view option, std::string_view text) {
  constexpr double kLargest = 1024.0 * 1073741824.0;
  const auto value = scaled(text, kSizes);
  if (!value || *value < 1 || *value > kLargest || std::floor(*value) != *value)
    reject(option, text, "a size, such as 4096, 4K or 2M");
  return static_cast<std::size_t>(*value);
}

std::uint64_t parse_count(std::string_view option, std::string_view text, std::uint64_t low,
                          std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high)
    reject(option, text, fmt::format("a whole number from {} to {}", low, high));
  return value;
}

double parse_positive(std::string_view option, std::string_view text) {
  const auto quantity = split_quantity(text);
  constexpr double kLargest = 1e9;
  if (!quantity || !quantity->unit.empty() || quantity->number <= 0 || quantity->number > kLargest)
    reject(option, text, "a number above 0, such as 0.5 or 2, and at most 1e9");
  return quantity->number;
}

std::string duration_text(std::uint64_t ns) {
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{:.3g} us", static_cast<double>(ns) / 1e3);
  if (ns < 1'000'000'000) return fmt::format("{:.3g} ms", static_cast<double>(ns) / 1e6);
  const std::uint64_t seconds = (ns + 500'000'000) / 1'000'000'000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace daxrace
