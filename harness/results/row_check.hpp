#pragma once

#include <optional>
#include <string>

#include "harness/results/csv.hpp"

namespace daxrace {

/// What in a row no daxrace has written, as `verdict is "brokem", not one of ...`: a word outside a closed
/// set, a number out of its range, quantiles out of order, a damaged histogram. Nothing: the row is sound. A
/// file with one flipped bit must not read as one in which all is well.
std::optional<std::string> unsound(const Row& row);

}  // namespace daxrace
