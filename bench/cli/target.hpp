#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace daxrace {

/// Whose protocol is looked at: those of the engine, or the running kernel's own.
enum class Target : std::uint8_t { engine, kernel };
inline constexpr std::array<std::string_view, 2> kTargetNames = {"engine", "kernel"};

/// The target of that name. Throws Error.
Target parse_target(const std::string& word);

}  // namespace daxrace
