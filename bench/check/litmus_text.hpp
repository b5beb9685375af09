#pragma once

#include <string>
#include <vector>

#include "harness/base/paint.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace {

/// The safety table: a row for each protocol and refcount rule, a group of eight letters for each operation;
/// in several parts below each other, of at most 80 columns.
std::string litmus_table(const std::vector<litmus::Cell>& cells, const Paint& paint);
std::string litmus_legend();
/// One line a cell.
std::string litmus_lines(const std::vector<litmus::Cell>& cells);
/// Broken promises, findings with their mechanism, and what holds although nobody promised it.
std::string litmus_remarks(const std::vector<litmus::Cell>& cells);
/// `2 of 12 cells were not decided`, or empty.
std::string litmus_undecided(const std::vector<litmus::Cell>& cells);
std::string litmus_csv(const std::vector<litmus::Cell>& cells);
std::string litmus_json(const std::vector<litmus::Cell>& cells);
std::string litmus_markdown(const std::vector<litmus::Cell>& cells);

}  // namespace daxrace
