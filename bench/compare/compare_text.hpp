#pragma once

#include <string>
#include <vector>

#include "bench/compare/compare.hpp"

namespace daxrace {

/// The comparison as a table: what went wrong, what can be decided, what changed, worst first.
std::string compare_text(const CompareResult& result, const CompareOptions& options,
                         const std::vector<std::string>& command_line);

}  // namespace daxrace
