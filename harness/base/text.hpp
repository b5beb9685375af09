#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace daxrace {

/// Text for a terminal, whoever wrote it: no byte of it moves the cursor, changes a colour or hides what
/// follows. Control characters, those that turn the direction of writing, and bytes that are no UTF-8 stand
/// there as `\n`, `\x1b`, `\u202e`.
std::string shown_text(std::string_view text);
/// A cell of a markdown table: as shown_text, and no character of it marks anything up.
std::string markdown_text(std::string_view text);
/// A field of a CSV line, quoted where it must be, and spelt as in shown_text, except that a tab stays one
/// and NUL is left out.
std::string csv_text(std::string_view text);
/// Text as it may stand between the tags and in the quoted attributes of HTML. Control characters become
/// U+FFFD.
std::string html_text(std::string_view text);

/// What a terminal is at least wide.
inline constexpr std::size_t kScreenColumns = 80;
/// How many columns of a terminal it takes: characters, not bytes.
std::size_t columns_of(std::string_view text);
/// Words in lines of at most `width` columns; the first starts with `first`, the others with `indent` spaces.
/// `text` is shown as shown_text does it.
std::string wrapped_text(std::string_view first, std::string_view text, std::size_t indent,
                         std::size_t width);

}  // namespace daxrace
