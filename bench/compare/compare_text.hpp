#pragma once

#include <string>
#include <vector>

#include "bench/compare/compare.hpp"

namespace daxrace {

/// The comparison as a table: what went wrong, what can be decided, what changed, worst first.
std::string compare_text(const CompareResult& result, const CompareOptions& options,
                         const std::vector<std::string>& command_line);
std::string compare_markdown(const CompareResult& result, const CompareOptions& options);
/// Every compared row.
std::string compare_csv(const CompareResult& result, const CompareOptions& options);
std::string compare_json(const CompareResult& result, const CompareOptions& options);

}  // namespace daxrace
