#include "harness/results/render/table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/text.hpp"

namespace daxrace::render {
namespace {

std::vector<std::size_t> widths_of(const Table& table, const TextStyle& style) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    std::size_t width = column.width;
    if (width == 0) {
      if (style.heads) width = columns_of(shown_text(column.name));
      for (const Row& row : table.rows)
        if (i < row.cells.size()) width = std::max(width, columns_of(shown_text(row.cells[i].text)));
    }
    widths.push_back(width);
  }
  return widths;
}

std::string padded(const Cell& cell, Align align, std::size_t width, bool color) {
  const std::string plain = shown_text(cell.text);
  const std::size_t columns = columns_of(plain);
  const std::string room(width > columns ? width - columns : 0, ' ');
  const std::string& shown = color && !cell.in_color.empty() ? cell.in_color : plain;
  return align == Align::right ? room + shown : shown + room;
}

std::string text_line(const Table& table, const std::vector<std::size_t>& widths,
                      const std::vector<Cell>& cells, const TextStyle& style) {
  std::string line(style.indent, ' ');
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line.append(table.columns[i].gap, ' ');
    line += padded(cells[i], table.columns[i].align, widths[i], style.color);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::vector<Cell> heads_of(const Table& table) {
  std::vector<Cell> heads;
  for (const Column& column : table.columns) heads.emplace_back(column.name);
  return heads;
}

template <class Of>
std::string joined(const std::vector<Cell>& cells, std::string_view separator, Of of) {
  std::string line;
  for (const Cell& cell : cells) {
    if (&cell != cells.data()) line += separator;
    line += of(cell);
  }
  return line;
}

std::string markdown_line(const std::vector<Cell>& cells) {
  return "| " + joined(cells, " | ", [](const Cell& cell) { return markdown_text(cell.text); }) + " |\n";
}

std::string csv_line(const std::vector<Cell>& cells) {
  return joined(cells, ",", [](const Cell& cell) { return csv_text(cell.text); }) + '\n';
}

nlohmann::ordered_json json_value(const Cell& cell) {
  if (cell.kind == Cell::Kind::absent) return nullptr;
  if (cell.kind == Cell::Kind::number) return nlohmann::ordered_json::parse(cell.text, nullptr, false);
  return cell.text;
}

}  // namespace

Cell::Cell(double number) {
  kind = std::isfinite(number) ? Kind::number : Kind::absent;
  if (std::isfinite(number)) text = fmt::format("{}", number);
}

Cell Cell::none() {
  Cell cell;
  cell.kind = Kind::absent;
  return cell;
}

Cell Cell::colored(std::string_view sequence) && {
  in_color = fmt::format("{}{}\x1b[0m", sequence, shown_text(text));
  return std::move(*this);
}

std::string text(const Table& table, const TextStyle& style) {
  const std::vector<std::size_t> widths = widths_of(table, style);
  std::string out = style.heads ? text_line(table, widths, heads_of(table), style) : "";
  for (const Row& row : table.rows) out += text_line(table, widths, row.cells, style) + row.below;
  return out;
}

std::string markdown(const Table& table) {
  std::string out = markdown_line(heads_of(table)) + "|";
  for (const Column& column : table.columns) out += column.align == Align::right ? " ---: |" : " --- |";
  out += '\n';
  for (const Row& row : table.rows) out += markdown_line(row.cells);
  return out;
}

std::string csv(const Table& table) {
  std::string out = csv_line(heads_of(table));
  for (const Row& row : table.rows) out += csv_line(row.cells);
  return out;
}

std::string json(const Table& table) {
  auto list = nlohmann::ordered_json::array();
  for (const Row& row : table.rows) {
    auto object = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      object[table.columns[i].name] = json_value(row.cells[i]);
    list.push_back(std::move(object));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace daxrace::render
