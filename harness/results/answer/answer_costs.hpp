#pragma once

#include "harness/results/answer/answer.hpp"

namespace daxrace {

/// What a path costs under each protocol of the answer, who can be told from whom, and where the time goes.
void add_costs(Answer& answer, const ResultSummary& summary, const TableOptions& options);

}  // namespace daxrace
