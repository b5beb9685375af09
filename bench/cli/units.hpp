#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace daxrace {

/// `250ms`, `2s`, `10m`, `1.5h`, `500us`: nanoseconds. `option` is named in the error. A number needs its
/// unit.
std::uint64_t parse_duration_ns(std::string_view option, std::string_view text);
/// `4096`, `4K`, `4KiB`, `2M`, `1G`: bytes, in powers of 1024.
std::size_t parse_bytes(std::string_view option, std::string_view text);
/// A whole number from `low` to `high`.
std::uint64_t parse_count(std::string_view option, std::string_view text, std::uint64_t low,
                          std::uint64_t high);
/// A finite number above zero.
double parse_positive(std::string_view option, std::string_view text);

/// `41 s`, `3 min 20 s`, `250 ms`: for people.
std::string duration_text(std::uint64_t ns);
/// `1 episode`, `2 episodes`.
std::string counted(std::uint64_t count, std::string_view what);

}  // namespace daxrace
