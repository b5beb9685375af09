#pragma once

#include <cstdint>
#include <string>

namespace daxrace {

/// `54ns`, `1.85us`, `40.2us`, `3.10ms`, `2.00s`: three digits.
std::string scaled_time(double ns);
/// The number that scaled_time prints.
double as_printed(double ns);
/// The same with its sign, for differences: `+34ns`, `-1.83us`.
std::string signed_time(double ns);
/// `1799`, `39.9k`, `1.33M`.
std::string scaled_count(std::uint64_t count);
/// `0.98`, `12.3`, `140`.
std::string ratio_text(double ratio);

}  // namespace daxrace
