#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daxrace::render {

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string name;
  Align align = Align::left;
  std::size_t width = 0;  ///< as text; 0: of its widest cell
  std::size_t gap = 1;    ///< spaces before it, as text
};

/// What stands in a row of a table. Text is plain: every renderer escapes it for itself.
struct Cell {
  enum class Kind : std::uint8_t { text, number, absent };

  std::string text;
  Kind kind = Kind::text;
  std::string in_color;  ///< for a terminal with colours, if it has some

  Cell() = default;
  Cell(std::string plain) : text(std::move(plain)) {}
  Cell(std::string_view plain) : text(plain) {}
  Cell(const char* plain) : text(plain) {}
  template <std::unsigned_integral Number>
  Cell(Number number) : text(std::to_string(number)), kind(Kind::number) {}
  /// With as many digits as tell it from its neighbours; one that is not finite is absent.
  Cell(double number);
  template <class Value>
  Cell(const std::optional<Value>& value) : Cell(value ? Cell(*value) : none()) {}

  static Cell none();
  /// All of it in the colour that the escape sequence begins.
  Cell colored(std::string_view sequence) &&;
};

struct Row {
  std::vector<Cell> cells;
  std::string below;  ///< whole lines that follow it as text
};

struct Table {
  std::vector<Column> columns;
  std::vector<Row> rows;

  void add(std::vector<Cell> cells, std::string below = {}) {
    rows.push_back({std::move(cells), std::move(below)});
  }
};

struct TextStyle {
  std::size_t indent = 0;
  bool heads = true;  ///< begins with the columns' names
  bool color = false;
};

std::string text(const Table& table, const TextStyle& style = {});
std::string markdown(const Table& table);
/// A line of names, and one for each row.
std::string csv(const Table& table);
/// A list of objects; a cell that is absent is null.
std::string json(const Table& table);

}  // namespace daxrace::render
