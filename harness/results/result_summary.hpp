#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/types.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/result_table.hpp"
#include "harness/results/statistics.hpp"

namespace daxrace {

/// A run, and the repetition in it.
using Block = std::pair<std::string, std::uint64_t>;

/// What the repetitions of one protocol in one scenario came to.
struct VerdictLine {
  std::string protocol;
  std::string promises;
  std::string violated;          ///< by any repetition
  std::string verdict;           ///< the gravest of the repetitions
  std::size_t with_verdict = 0;  ///< repetitions that have it
  std::size_t runs = 0;
  std::size_t ended_badly = 0;  ///< repetitions that ended in an error, or in a hang that is no finding
  std::uint64_t effective_ops = 0;
  /// `status: reason; remark` of repetitions that have something to say.
  std::map<std::string, std::size_t> notes;
  std::set<std::string> of_saturated;  ///< those of them that come from saturated repetitions that are ok
};

/// Mean nanoseconds per operation: the whole, its phases, and what is in none of them.
struct MeanParts {
  double total = 0;
  std::array<double, kPhaseCount> phases{};
  double rest() const;
};

/// One protocol on one path of a scenario.
struct CostLine {
  std::string protocol;
  std::map<Block, double> block_p50_ns;  ///< of each repetition that has one
  std::uint64_t ops = 0;
  std::optional<std::uint64_t> p50_ns;    ///< service, median of the blocks' medians
  std::optional<double> response_p99_ns;  ///< of the repetitions merged; in older files their median
  std::size_t blocks = 0;                 ///< in which both this protocol and the reference have a median
  std::optional<Interval> added_ns;       ///< to the reference, paired by block
  std::optional<Interval> ratio;          ///< to the reference, paired by block
  std::optional<MeanParts> where;         ///< difference to the reference; of the reference itself: its own
};

struct PathCost {
  std::string path;
  std::vector<CostLine> lines;  ///< the reference first, if there is one
};

/// Everything that differs only by protocol and path: the rows of one comparison.
struct Scenario {
  Row key;                ///< its key columns
  std::string reference;  ///< the protocol that the others are compared with
  bool has_reference = false;
  std::vector<VerdictLine> verdicts;
  std::vector<PathCost> paths;
};

struct ResultSummary {
  std::vector<Scenario> scenarios;
  std::vector<std::string_view> varying;  ///< key columns that tell the scenarios apart, without workload
  std::map<std::string, std::size_t> left_out;  ///< episodes kept out of the cost tables, by reason
  std::map<std::string, std::size_t> skipped;   ///< configurations that could not run, by reason
};

/// Works out the table of a run from its rows. Throws Error for a damaged lat_hist.
ResultSummary summarize_results(const std::vector<Row>& rows, const TableOptions& options);

}  // namespace daxrace
