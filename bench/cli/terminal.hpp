#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bench/cli/option_table.hpp"
#include "harness/base/paint.hpp"

namespace daxrace {

/// Columns of the terminal behind a descriptor; nothing where there is none: a pipe, a file.
std::size_t terminal_columns(int fd);

/// What tables and text on stdout may fill: 80 columns, on a wider terminal up to 120.
std::size_t text_columns();

/// --color=auto|always|never.
enum class ColorWhen : std::uint8_t { automatic, always, never };

/// For stdout. auto: on a terminal, unless NO_COLOR is set or TERM is dumb.
Paint paint_for(ColorWhen when);

/// The row of an option table.
OptionSpec color_option(std::string_view group, ColorWhen& when);

}  // namespace daxrace
