#pragma once

#include <cstdint>
#include <string>

namespace daxrace {

enum class OutputFormat : std::uint8_t { text, json };
/// `text` or `json`. Throws Error.
OutputFormat parse_format(const std::string& word);

}  // namespace daxrace
