#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/results/csv.hpp"

namespace daxrace {

struct TableOptions {
  /// Whether every protocol does the same work under this preset, so that `none` is the reference and not
  /// `iolock_mmaplock`. Must be set.
  std::function<bool(std::string_view workload)> uncontended;
  bool color = false;
  bool cost = true;        ///< false: verdicts only
  std::uint64_t seed = 1;  ///< of the bootstrap
  /// In which order to list them; those not named here follow by name.
  std::vector<std::string> protocol_order;
  std::vector<std::string> workload_order;
};

/// The table at the end of a run: per configuration the verdict of each protocol; per path what each protocol
/// adds to the reference, with its 95 % interval over the blocks, and where that time goes. At most 110
/// columns. `rows`: all repetitions, in any order. Episodes whose latencies mean nothing (cost_exclusion) are
/// left out of the cost part and counted at the end. Throws Error for a damaged lat_hist.
std::string format_results(const std::vector<Row>& rows, const TableOptions& options);

}  // namespace daxrace
