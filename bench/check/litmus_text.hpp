#pragma once

#include <string>
#include <vector>

#include "harness/litmus/table.hpp"

namespace daxrace {

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
