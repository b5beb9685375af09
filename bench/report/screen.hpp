#pragma once

#include <string>
#include <vector>

#include "bench/report/run_records.hpp"
#include "harness/base/paint.hpp"
#include "harness/results/answer/answer_text.hpp"
#include "harness/results/result_table.hpp"

namespace daxrace {

/// The answer of result files on a screen; rows of another machine, kernel or commit have one of their own.
std::string screen_of(const std::vector<Row>& rows, const RunRecords& records,
                      const std::vector<std::string>& files, const TableOptions& table, const Paint& paint);

/// The same of one file that has just been written.
std::string screen_of_file(const std::string& path, const std::vector<Row>& rows, const TableOptions& table,
                           const Paint& paint);

/// Every violation and hang that the runs' reports tell, with its timeline.
std::string violations_text(const RunRecords& records);

}  // namespace daxrace
