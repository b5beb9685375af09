#include "harness/base/text.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace daxrace {
namespace {

/// One character of UTF-8, or one byte that is none.
struct Character {
  std::string_view bytes;
  std::optional<char32_t> code;
};

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

Character next_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = length_of(lead);
  if (length == 0 || length > text.size()) return {text.substr(0, 1), std::nullopt};
  if (length == 1) return {text.substr(0, 1), lead};
  char32_t code = lead & (0x7fU >> length);
  for (const char c : text.substr(1, length - 1)) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) return {text.substr(0, 1), std::nullopt};
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_character = code >= kLeast[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!is_character) return {text.substr(0, 1), std::nullopt};
  return {text.substr(0, length), code};
}

/// What makes a reader see other text than there is: marks of direction, separators of lines and paragraphs,
/// and what takes no room.
bool misleads(char32_t code) {
  return (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

std::string spelt(const Character& one) {
  if (one.bytes == "\n") return "\\n";
  if (one.bytes == "\r") return "\\r";
  if (one.bytes == "\t") return "\\t";
  if (!one.code) return fmt::format("\\x{:02x}", static_cast<unsigned char>(one.bytes.front()));
  return *one.code < 0x100 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(*one.code))
                           : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(*one.code));
}

template <class Use>
void for_each_character(std::string_view text, Use use) {
  while (!text.empty()) {
    const Character one = next_character(text);
    use(one);
    text.remove_prefix(one.bytes.size());
  }
}

/// Whether the character there ends a cell, or begins code, emphasis, a tag or a link.
bool marks_up(std::string_view text, std::size_t at) {
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  switch (text[at]) {
    case '|':
    case '`':
    case '*':
      return true;
    case '\\':
      return std::ispunct(static_cast<unsigned char>(next)) != 0;
    case '<':
      return std::isalpha(static_cast<unsigned char>(next)) != 0 || next == '/' || next == '!' || next == '?';
    case ']':
      return next == '(' || next == '[';
    default:
      return false;
  }
}

std::string spelt_text(std::string_view text, std::string_view but) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](const Character& one) {
    const bool harmless = one.code && !is_control(*one.code) && !misleads(*one.code);
    if (harmless || one.bytes == but)
      out += one.bytes;
    else
      out += spelt(one);
  });
  return out;
}

}  // namespace

std::string shown_text(std::string_view text) { return spelt_text(text, {}); }

std::string markdown_text(std::string_view text) {
  const std::string shown = shown_text(text);
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (marks_up(shown, i)) out += '\\';
    out += shown[i];
  }
  return out;
}

std::string csv_text(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '\0');
  const std::string field = spelt_text(plain, "\t");
  const auto is_trimmed = [](char c) { return c == ' ' || c == '\t'; };
  const bool trimmed_by_readers = !field.empty() && (is_trimmed(field.front()) || is_trimmed(field.back()));
  if (field.find_first_of(",\"") == std::string::npos && !trimmed_by_readers) return field;
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](const Character& one) {
    if (one.bytes == "&")
      out += "&amp;";
    else if (one.bytes == "<")
      out += "&lt;";
    else if (one.bytes == ">")
      out += "&gt;";
    else if (one.bytes == "\"")
      out += "&quot;";
    else if (one.bytes == "'")
      out += "&#39;";
    else if (one.bytes == "\n" || one.bytes == "\t" ||
             (one.code && !is_control(*one.code) && !misleads(*one.code)))
      out += one.bytes;
    else
      out += "\xEF\xBF\xBD";
  });
  return out;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string wrapped_text(std::string_view first, std::string_view text, std::size_t indent,
                         std::size_t width) {
  const std::string shown = shown_text(text);
  std::string out;
  std::string line(first);
  bool fresh = true;
  for (std::size_t at = 0; at < shown.size();) {
    const std::size_t end = std::min(shown.find(' ', at), shown.size());
    const std::string_view word = std::string_view(shown).substr(at, end - at);
    if (!fresh && columns_of(line) + 1 + columns_of(word) > width) {
      out += line + '\n';
      line = std::string(indent, ' ');
      fresh = true;
    }
    if (!fresh) line += ' ';
    line += word;
    fresh = false;
    at = end + 1;
  }
  return out + line + '\n';
}

}  // namespace daxrace
