#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace daxrace::html {

/// Text as it may stand between tags and in quoted attributes. Control characters become U+FFFD: results and
/// reports come from other machines.
std::string escaped(std::string_view text);

/// A cell of a table. `markup` is HTML already.
struct Cell {
  std::string markup;
  bool number = false;    ///< aligned to the right
  bool heading = false;   ///< names its row
  std::string css_class;  ///< one word or empty
};
Cell text(std::string_view plain);
Cell number(std::string_view plain);
Cell heading(std::string_view plain);

struct Table {
  std::string caption;  ///< plain text; what a screen reader says before the table
  std::vector<Cell> head;
  std::vector<std::vector<Cell>> rows;
};
/// In a region of its own that scrolls sideways and can be reached by keyboard. Without the end tags that
/// HTML lets out: tables are the larger part of a page.
std::string render(const Table& table);

/// A part that is folded until somebody wants it.
std::string folded(std::string_view summary_markup, std::string_view body_markup);

}  // namespace daxrace::html
