#pragma once

#include <string>
#include <vector>

#include "bench/compare/compare.hpp"

namespace daxrace {

/// The comparison on one screen of 80 columns (72 for a mail): what came out; failures of correctness, whole;
/// a line a path; the rows that changed most.
std::string compare_screen(const CompareResult& result, const CompareOptions& options,
                           const std::vector<std::string>& command_line);

}  // namespace daxrace
