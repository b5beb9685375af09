#include "bench/report/html.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/base/text.hpp"

namespace daxrace::html {
namespace {

std::string classes(const Cell& cell) {
  std::string names = cell.number ? "n" : "";
  if (!cell.css_class.empty()) names += (names.empty() ? "" : " ") + cell.css_class;
  if (names.empty()) return "";
  return names.find(' ') == std::string::npos ? " class=" + names : fmt::format(" class=\"{}\"", names);
}

std::string cell_markup(Cell cell, bool numbers) {
  if (numbers) cell.number = false;  // the table says so
  if (cell.heading) return fmt::format("<th scope=row{}>{}", classes(cell), cell.markup);
  return fmt::format("<td{}>{}", classes(cell), cell.markup);
}

/// Whether all but the first column are numbers.
bool holds_numbers(const std::vector<Cell>& row) {
  return !row.empty() && !row.front().number &&
         std::all_of(row.begin() + 1, row.end(), [](const Cell& cell) { return cell.number; });
}

}  // namespace

std::string escaped(std::string_view text) { return html_text(text); }

Cell text(std::string_view plain) { return {escaped(plain), false, false, ""}; }
Cell number(std::string_view plain) { return {escaped(plain), true, false, ""}; }
Cell heading(std::string_view plain) { return {escaped(plain), false, true, ""}; }

std::string render(const Table& table) {
  const bool numbers = holds_numbers(table.head) && std::ranges::all_of(table.rows, holds_numbers);
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{0}\"><table{1}><caption>{0}<thead><tr>",
      escaped(table.caption), numbers ? " class=n" : "");
  for (Cell cell : table.head) {
    if (numbers) cell.number = false;
    out += fmt::format("<th scope=col{}>{}", classes(cell), cell.markup);
  }
  out += "\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (const Cell& cell : row) out += cell_markup(cell, numbers);
    out += '\n';
  }
  return out + "</table></div>\n";
}

std::string folded(std::string_view summary_markup, std::string_view body_markup) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", summary_markup, body_markup);
}

}  // namespace daxrace::html
