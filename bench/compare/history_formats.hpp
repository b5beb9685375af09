#pragma once

#include <string>

#include "bench/compare/history.hpp"

namespace daxrace {

/// Every value, for programs and for documents.
std::string history_csv(const HistoryResult& result, const HistoryOptions& options);
std::string history_json(const HistoryResult& result, const HistoryOptions& options);
std::string history_markdown(const HistoryResult& result, const HistoryOptions& options);

}  // namespace daxrace
