#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace daxrace {

/// What a colour means; text and tables of all verbs mean the same by it.
enum class Ink : std::uint8_t { plain, broken, harm, finding, good, dim, strong };

/// Wraps text into the escape sequences of a terminal, or leaves it as it is.
class Paint {
 public:
  Paint() = default;
  explicit Paint(bool on) : on_(on) {}
  bool on() const { return on_; }
  std::string operator()(Ink ink, std::string_view text) const {
    constexpr std::array<std::string_view, 7> kCodes = {"", "1;41", "31", "35", "32", "2", "1"};
    const std::string_view code = kCodes[static_cast<std::size_t>(ink)];
    if (!on_ || code.empty() || text.empty()) return std::string(text);
    return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
  }

 private:
  bool on_ = false;
};

}  // namespace daxrace
