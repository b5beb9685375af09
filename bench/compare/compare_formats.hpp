#pragma once

#include <string>

#include "bench/compare/compare.hpp"

namespace daxrace {

std::string compare_markdown(const CompareResult& result, const CompareOptions& options);
/// Every compared row.
std::string compare_csv(const CompareResult& result, const CompareOptions& options);
std::string compare_json(const CompareResult& result, const CompareOptions& options);

}  // namespace daxrace
