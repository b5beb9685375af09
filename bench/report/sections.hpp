#pragma once

#include <string>

#include "bench/report/data.hpp"
#include "bench/report/page.hpp"
#include "bench/report/run_records.hpp"

namespace daxrace {

/// What stands under the title: how it ended, in one sentence, and where the rows come from.
std::string lead(const ReportData& data, const RunRecords& records, const std::vector<std::string>& files);

/// In words, as a matrix of protocols and hazards, and with the plots of the punch that readers ask for.
void add_answer(Page& page, const ReportData& data);
void add_safety(Page& page, const ReportData& data);
void add_cost(Page& page, const ReportData& data);
void add_distributions(Page& page, const ReportData& data);
void add_scaling(Page& page, const ReportData& data);
void add_placement(Page& page, const ReportData& data);
void add_starvation(Page& page, const ReportData& data);
void add_violations(Page& page, const RunRecords& records);
void add_environment(Page& page, const RunRecords& records);

}  // namespace daxrace
