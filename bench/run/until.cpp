#include "bench/run/until.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/units.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/rank_test.hpp"
#include "harness/results/result_table.hpp"
#include "harness/results/statistics.hpp"

namespace daxrace {
namespace {

/// What `daxrace compare` takes for the chance of a false alarm in the rows of a path.
constexpr double kLevel = 0.05;

/// The share of the median that its interval is wide; infinite where there are too few values for one.
double width_of(const std::vector<double>& values, std::uint64_t seed) {
  if (values.empty()) return std::numeric_limits<double>::infinity();
  const Interval interval = bootstrap_median(values, seed);
  if (!interval.bounded() || interval.mid <= 0) return std::numeric_limits<double>::infinity();
  return (interval.high - interval.low) / interval.mid;
}

}  // namespace

unsigned repetitions_for_decision(const std::vector<Configuration>& matrix) {
  const std::size_t rows = std::max<std::size_t>(matrix.size(), 1);
  return static_cast<unsigned>(repetitions_needed(kLevel / static_cast<double>(rows)));
}

Decision::Decision(double width, unsigned least, std::vector<std::string> paths, std::uint64_t seed)
    : width_(width),
      least_(std::max<unsigned>(least, kMinForInterval)),
      paths_(std::move(paths)),
      seed_(seed) {}

bool Decision::is_asked_for(std::string_view path) const {
  return paths_.empty() || std::ranges::find(paths_, path) != paths_.end();
}

void Decision::add(const Row& row) {
  if (row.path != kAllPaths) {
    if (is_asked_for(row.path)) episode_.push_back(row);
    return;
  }
  // Only the row of the whole episode tells whether its times count; saturated ones never decide anything.
  const bool counts = cost_exclusion(row).empty();
  for (const Row& one : episode_) {
    if (!counts) continue;
    Series& series = series_[key_of(one, {})];
    series.name = fmt::format("{}/{} {}", one.workload, one.protocol, one.path);
    if (one.lat_p50_ns)
      series.p50_ns.push_back(static_cast<double>(*one.lat_p50_ns));
    else
      ++series.without;
  }
  episode_.clear();
}

Decision::State Decision::state() const {
  State state;
  for (const auto& [key, series] : series_) {
    // So rare that repetition after repetition has no median of it: it would hold up the run for ever.
    if (series.without > series.p50_ns.size()) {
      ++state.without_median;
      continue;
    }
    ++state.known;
    const double width = width_of(series.p50_ns, seed_);
    if (width <= width_) ++state.narrow;
    if (width < state.widest) continue;
    state.widest = width;
    state.widest_name = series.name;
  }
  return state;
}

bool Decision::is_reached(unsigned blocks) const {
  if (blocks < least_) return false;
  const State now = state();
  return now.known > 0 && now.narrow == now.known;
}

std::string Decision::text() const {
  const State now = state();
  if (now.known == 0) return "no episode had a median that counts";
  std::string out =
      fmt::format("{} of {} within {}", now.narrow, counted(now.known, "median"), percent_text(width_));
  const bool bounded = now.widest < std::numeric_limits<double>::infinity();
  out += fmt::format("; the widest: {}, {}", now.widest_name,
                     bounded ? fmt::format("{:.2g} %", now.widest * 100) : "too few values");
  if (now.without_median > 0)
    out += fmt::format("; {} too rare for a median", counted(now.without_median, "path"));
  return out;
}

}  // namespace daxrace
