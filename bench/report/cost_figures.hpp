#pragma once

#include <string>

#include "bench/report/data.hpp"
#include "bench/report/page.hpp"

namespace daxrace {

/// What a path costs as two plots side by side: added to the reference, and where the time goes.
std::string cost_figures(Page& page, const ReportData& data, const ReportScenario& one, const PathCost& cost);

}  // namespace daxrace
