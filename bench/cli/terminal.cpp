#include "bench/cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

constexpr std::array<std::string_view, 3> kColorWords = {"auto", "always", "never"};

ColorWhen parse_color(const std::string& word) {
  const auto found = std::ranges::find(kColorWords, word);
  if (found == kColorWords.end())
    throw Error("--color: " + unknown_word("choice", word, {kColorWords.begin(), kColorWords.end()}));
  return static_cast<ColorWhen>(found - kColorWords.begin());
}

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool terminal_takes_color() {
  const char* const terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && !is_set("NO_COLOR") &&
         !(terminal != nullptr && std::string_view(terminal) == "dumb");
}

}  // namespace

std::size_t terminal_columns(int fd) {
  winsize size{};
  if (isatty(fd) != 1 || ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

std::size_t text_columns() { return std::clamp<std::size_t>(terminal_columns(STDOUT_FILENO), 80, 120); }

Paint paint_for(ColorWhen when) {
  return Paint(when == ColorWhen::always || (when == ColorWhen::automatic && terminal_takes_color()));
}

OptionSpec color_option(std::string_view group, ColorWhen& when) {
  return {group,
          "color",
          Takes::value,
          "auto|always|never",
          "auto",
          "auto: on a terminal, unless NO_COLOR is set",
          [&when](const std::vector<std::string>& values) { when = parse_color(values.front()); }};
}

}  // namespace daxrace
