#pragma once

#include <string>
#include <string_view>

#include "bench/compare/history.hpp"

namespace daxrace {

/// One screen of 80 columns (72 for a mail): what came out, a line a path, the rows that changed most.
std::string history_screen(const HistoryResult& result, const HistoryOptions& options);
/// Every row, changed or not.
std::string history_tables(const HistoryResult& result, const HistoryOptions& options);

/// `slower` or `faster`.
std::string_view direction_of(const ChangePoint& point, Metric metric);
/// What differs between the run before a change and the one after it.
std::string what_changed(const RunColumns& before, const RunColumns& after);

}  // namespace daxrace
