#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/results/result_set.hpp"
#include "harness/results/statistics.hpp"

namespace daxrace {

/// What is compared of a path: the median and the 99th percentile of its service times, or operations per
/// second.
enum class Metric : std::uint8_t { p50, p99, throughput };
inline constexpr std::array<std::string_view, 3> kMetricNames = {"p50", "p99", "throughput"};

/// How the p values of a family are corrected for their number.
enum class Correction : std::uint8_t { bh, holm };
inline constexpr std::array<std::string_view, 2> kCorrectionNames = {"bh", "holm"};

/// What one value of a sample is: a repetition of a configuration, or a whole run with all its repetitions.
enum class Unit : std::uint8_t { repetition, run };
inline constexpr std::array<std::string_view, 2> kUnitNames = {"repetition", "run"};

/// Which comparisons are corrected together: those of one metric and path, or all of one metric.
enum class FamilyScope : std::uint8_t { path, metric };
inline constexpr std::array<std::string_view, 2> kFamilyNames = {"path", "metric"};

struct ComparisonOptions {
  std::vector<Metric> metrics = {Metric::p50};
  double threshold = 0.05;  ///< changes of a smaller share are not reported
  double level = 0.05;      ///< false discovery rate, or family-wise rate under Holm
  Correction correction = Correction::bh;
  FamilyScope family = FamilyScope::path;
  Unit unit = Unit::repetition;
  std::uint64_t seed = 1;  ///< of the bootstrap
};

/// What became of one path of one configuration. Worst first.
enum class Change : std::uint8_t {
  slower,    ///< significantly, and beyond the threshold; of throughput: less
  faster,    ///< likewise
  small,     ///< significantly, and within the threshold
  none,      ///< no change was found, and there were enough values to find one
  undecided  ///< too few values: no change, however large, could have been told from chance
};
inline constexpr std::array<std::string_view, 5> kChangeNames = {"slower", "faster", "small", "no change",
                                                                 "undecided"};

/// One metric of one path of one configuration, on both sides.
struct ComparedRow {
  std::uint32_t config = 0;  ///< of the base
  std::string_view path;
  Metric metric = Metric::p50;
  std::size_t family = 0;              ///< index into ComparisonReport::families
  std::vector<double> base, changed;   ///< the values that were tested
  std::size_t merged_repetitions = 1;  ///< how many repetitions one value was merged from
  double base_median = 0;
  double changed_median = 0;
  double ratio = 1;     ///< changed over base
  double p = 1;         ///< of the rank test
  double adjusted = 1;  ///< the same, corrected
  Change change = Change::undecided;
  MeasurementGroup base_rows, changed_rows;

  /// How much worse: above 1 slower, or less throughput.
  double badness() const { return metric == Metric::throughput ? 1 / ratio : ratio; }
};

/// Comparisons that are corrected together, and what they can decide.
struct ComparedFamily {
  Metric metric = Metric::p50;
  std::string_view path;  ///< empty: all paths
  std::size_t rows = 0;
  std::size_t fewest = 0;  ///< values on the smaller side of a row
  std::size_t most = 0;
  std::size_t undecided = 0;
  double least_p = 1;      ///< the smallest p that a row of this family can have
  double bar = 0;          ///< what a change that stands alone must stay below
  std::size_t needed = 0;  ///< values per side with which it can
};

/// How a configuration ended differently. Those that fail come first.
enum class Outcome : std::uint8_t {
  broken,  ///< a promise is broken
  hang,
  error,
  starved,       ///< and was not in the base
  vanished,      ///< no row of it any more
  skipped,       ///< ran in the base, cannot run now
  verdict,       ///< another verdict, none of them broken
  inconclusive,  ///< could be judged in the base
  runs_now,      ///< was skipped, broken or hung in the base
  appeared,      ///< only in what is new
  path_gone,     ///< a path that the base has rows of
};
constexpr bool fails(Outcome outcome) { return outcome <= Outcome::skipped; }
inline constexpr std::array<std::string_view, 11> kOutcomeNames = {
    "broken",  "hang",         "error",    "starved", "vanished", "skipped",
    "verdict", "inconclusive", "runs now", "new",     "path gone"};

struct OutcomeChange {
  Outcome outcome = Outcome::verdict;
  std::string_view config;
  std::string text;  ///< one line
};

struct ComparisonReport {
  std::vector<OutcomeChange> outcomes;
  std::vector<ComparedFamily> families;
  std::vector<ComparedRow> rows;   ///< worst first: slower, faster, small, no change, undecided
  std::size_t configurations = 0;  ///< on both sides
  /// Path rows that were not compared, by reason: `saturated`, `p99 not in base`.
  std::map<std::string, std::size_t> left_out;

  bool any(Change change) const;
  bool any_failure() const;
};

/// Compares what is new with the base, configuration by configuration. Throws Error for a damaged lat_hist.
/// Rows refer to the two sets, which must outlive the report.
ComparisonReport compare_results(const ResultSet& base, const ResultSet& changed,
                                 const ComparisonOptions& options);

/// Ratio of the medians with its 95 % bootstrap interval.
Interval ratio_interval(const ComparedRow& row, std::uint64_t seed);
/// The metric of all rows of a side together, from their merged histograms; nothing for throughput.
std::optional<std::uint64_t> merged_quantile(const ResultSet& set, const MeasurementGroup& rows,
                                             Metric metric);

/// The values of one metric of a group of rows, as they are tested: one per repetition or run. `merge`: of
/// how many repetitions a value is made; 0 finds the fewest with which every value exists. What does not
/// count is left out.
struct MetricValues {
  std::vector<double> values;
  std::size_t merge = 1;
  std::map<std::string, std::size_t> left_out;
};
MetricValues metric_values(const ResultSet& set, const MeasurementGroup& group, Metric metric, Unit unit,
                           std::size_t merge = 0);

}  // namespace daxrace
