#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace daxrace {

/// How a verb prints what it found.
enum class OutputFormat : std::uint8_t { text, csv, json, markdown };
inline constexpr std::array<std::string_view, 4> kOutputFormatNames = {"text", "csv", "json", "markdown"};

/// The format of that name, if it is one of those that the verb has. Throws Error.
OutputFormat parse_format(const std::string& word, std::initializer_list<OutputFormat> formats = {
                                                       OutputFormat::text, OutputFormat::json});

/// Those that a table can be printed in.
inline constexpr std::initializer_list<OutputFormat> kTableFormats = {
    OutputFormat::text, OutputFormat::csv, OutputFormat::json, OutputFormat::markdown};

}  // namespace daxrace
