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

}  // namespace daxrace
