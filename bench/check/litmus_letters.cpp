#include "bench/check/litmus_letters.hpp"

#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

#include "harness/base/text.hpp"

namespace daxrace {
namespace {

using litmus::Cell;
using litmus::Operation;

/// Worst first.
constexpr std::string_view kLetters = "!XFefw=.+-";
struct Meaning {
  char letter;
  std::string_view text;
};
constexpr std::array<Meaning, 10> kMeanings = {{
    {'!', "breaks a promise"},
    {'X', "breaks what was not promised"},
    {'F', "finding: a faithful model breaks a promise"},
    {'e', "the change fails, and says so"},
    {'f', "the lessee is fenced and touches nothing"},
    {'w', "the change waits"},
    {'=', "goes ahead, and nothing comes of it"},
    {'.', "no conflict"},
    {'+', "everything ends"},
    {'-', "cannot meet"},
}};

char letter_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::broken:
      return '!';
    case Verdict::finding:
      return 'F';
    default:
      return 'X';
  }
}

/// How a cell came out for a hazard that it did not violate.
char calm_letter(const Cell& cell) {
  if (cell.result.error != 0 && cell.result.error != -EINTR) return 'e';
  if (cell.result.fenced) return 'f';
  if (cell.result.waited_on != 0) return 'w';
  return cell.result.overlapped ? '=' : '.';
}

char worse(char a, char b) { return kLetters.find(a) <= kLetters.find(b) ? a : b; }

struct LettersRow {
  const Cell* first = nullptr;
  std::map<Operation, std::string> letters;
};

void add(LettersRow& row, const Cell& cell) {
  auto& letters = row.letters.try_emplace(cell.operation, kHazardNames.size(), '-').first->second;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const auto hazard = static_cast<Hazard>(i);
    char letter = '-';
    if (cell.result.violated.has(hazard)) {
      letter = letter_of(cell.verdict_of(hazard));
    } else if (hazard == Hazard::h6) {
      letter = '+';
    } else if (litmus::info_of(cell.access).hazard == hazard) {
      letter = calm_letter(cell);
    }
    letters[i] = worse(letters[i], letter);
  }
}

std::vector<LettersRow> rows_of(const std::vector<Cell>& cells) {
  std::vector<LettersRow> rows;
  for (const Cell& cell : cells) {
    if (rows.empty() || &rows.back().first->protocol() != &cell.protocol() ||
        rows.back().first->regime != cell.regime)
      rows.push_back({&cell, {}});
    add(rows.back(), cell);
  }
  return rows;
}

std::vector<Operation> operations_of(const std::vector<Cell>& cells) {
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < litmus::kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (std::ranges::find(cells, operation, &Cell::operation) != cells.end()) operations.push_back(operation);
  }
  return operations;
}

Ink ink_of(char letter) {
  switch (letter) {
    case '!':
      return Ink::broken;
    case 'X':
      return Ink::harm;
    case 'F':
      return Ink::finding;
    case 'w':
      return Ink::good;
    default:
      return Ink::plain;
  }
}

std::string coloured(const std::string& letters, const Paint& paint) {
  if (!paint.on()) return letters;
  std::string out;
  for (const char letter : letters) out += paint(ink_of(letter), std::string_view(&letter, 1));
  return out;
}

/// Some of the layout changes, as many as a line of 80 columns takes.
std::string part_of_table(const std::vector<LettersRow>& rows, std::span<const Operation> operations,
                          const Paint& paint) {
  std::string heads = fmt::format("{:<24} {:<5}", "protocol", "");
  std::string digits(30, ' ');
  for (const Operation operation : operations) {
    heads += fmt::format(" {:<9}", litmus::info_of(operation).head);
    digits += " 12345678 ";
  }
  std::string out = heads.substr(0, heads.find_last_not_of(' ') + 1) + '\n' +
                    digits.substr(0, digits.find_last_not_of(' ') + 1) + '\n';
  for (const LettersRow& row : rows) {
    std::string line = fmt::format("{:<24} {:<5}", row.first->protocol().name,
                                   name_in(kRefcountRegimeNames, row.first->regime));
    for (const Operation operation : operations) {
      const auto found = row.letters.find(operation);
      line += fmt::format(" {}{}", found == row.letters.end() ? "--------" : coloured(found->second, paint),
                          operation == operations.back() ? "" : " ");
    }
    out += line + '\n';
  }
  return out;
}

/// Items in lines of at most 80 columns, none of them broken.
std::string listed(std::string_view head, const std::vector<std::string>& items) {
  std::string out;
  std::string line(head);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? ";" : "");
    if (line.size() + 1 + item.size() > kScreenColumns) {
      out += line + '\n';
      line = std::string(head.size(), ' ');
    }
    line += ' ' + item;
  }
  return out + line + '\n';
}

}  // namespace

std::string litmus_table(const std::vector<Cell>& cells, const Paint& paint) {
  constexpr std::size_t kMostInALine = 5;
  const auto operations = operations_of(cells);
  const std::size_t parts = (operations.size() + kMostInALine - 1) / kMostInALine;
  const std::size_t each = (operations.size() + parts - 1) / std::max<std::size_t>(parts, 1);
  const std::vector<LettersRow> rows = rows_of(cells);
  std::string out;
  for (std::size_t first = 0; first < operations.size(); first += each) {
    if (first != 0) out += '\n';
    out += part_of_table(
        rows, std::span(operations).subspan(first, std::min(each, operations.size() - first)), paint);
  }
  return out;
}

std::string litmus_legend() {
  std::vector<std::string> hazards;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    hazards.push_back(fmt::format("{} {}", i + 1, kHazardMeanings[i]));
  std::vector<std::string> letters;
  for (const Meaning& meaning : kMeanings)
    letters.push_back(fmt::format("{} {}", meaning.letter, meaning.text));
  return listed("Columns:", hazards) + listed("Letters:", letters);
}

}  // namespace daxrace
