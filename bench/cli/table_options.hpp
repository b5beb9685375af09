#pragma once

#include "harness/results/result_table.hpp"

namespace daxrace {

/// Tables over daxrace's own protocols and workloads: their order, and which workloads compare with `none`.
TableOptions usual_table_options();

}  // namespace daxrace
