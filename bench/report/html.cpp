#include "bench/report/html.hpp"

#include <fmt/format.h>

#include "harness/base/text.hpp"

namespace daxrace::html {
namespace {

std::string classes(const Cell& cell) {
  std::string names = cell.number ? "n" : "";
  if (!cell.css_class.empty()) names += (names.empty() ? "" : " ") + cell.css_class;
  return names.empty() ? "" : fmt::format(" class=\"{}\"", names);
}

std::string cell_markup(const Cell& cell) {
  if (cell.heading) return fmt::format("<th scope=\"row\"{}>{}</th>", classes(cell), cell.markup);
  return fmt::format("<td{}>{}</td>", classes(cell), cell.markup);
}

}  // namespace

std::string escaped(std::string_view text) { return html_text(text); }

Cell text(std::string_view plain) { return {escaped(plain), false, false, ""}; }
Cell number(std::string_view plain) { return {escaped(plain), true, false, ""}; }
Cell heading(std::string_view plain) { return {escaped(plain), false, true, ""}; }

std::string render(const Table& table) {
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{0}\"><table><caption>{0}</caption>\n"
      "<thead><tr>",
      escaped(table.caption));
  for (const Cell& cell : table.head)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", classes(cell), cell.markup);
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (const Cell& cell : row) out += cell_markup(cell);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string folded(std::string_view summary_markup, std::string_view body_markup) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", summary_markup, body_markup);
}

}  // namespace daxrace::html
