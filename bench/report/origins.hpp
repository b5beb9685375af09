#pragma once

#include <string>
#include <vector>

#include "bench/report/run_records.hpp"
#include "harness/results/answer/answer.hpp"

namespace daxrace {

/// Rows of one machine, kernel and commit, never merged with those of another, and what they answer.
struct OriginRows {
  std::vector<Row> rows;
  ResultSummary summary;
  Answer answer;
};

/// In the order in which the rows name them.
std::vector<OriginRows> origins_of(const std::vector<Row>& rows, const RunRecords& records,
                                   const TableOptions& options);

}  // namespace daxrace
