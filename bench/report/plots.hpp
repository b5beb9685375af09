#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/report/gnuplot.hpp"
#include "harness/results/result_summary.hpp"

namespace daxrace {

/// A row of a plot whose rows are protocols.
struct PlotRow {
  std::string label;
  std::size_t colour = 0;  ///< index of the protocol
};

struct IntervalRow : PlotRow {
  Interval interval;  ///< nanoseconds; an unbounded one is drawn as its middle alone
};
/// Points with their intervals around a line at zero.
Plot interval_plot(const std::vector<IntervalRow>& rows, const std::string& axis);

struct PartsRow : PlotRow {
  std::array<double, kPhaseCount + 1> parts{};  ///< nanoseconds per operation: the phases, then the rest
};
/// Bars in which the phases stand one behind the other.
Plot parts_plot(const std::vector<PartsRow>& rows, const std::string& axis);

struct Curve {
  std::size_t colour = 0;
  std::vector<std::pair<double, double>> points;
};
struct PairRow : PlotRow {
  std::optional<double> hollow;  ///< nanoseconds
  std::optional<double> full;
};
/// Two values of each row on one logarithmic axis, joined by a line.
Plot pair_plot(const std::vector<PairRow>& rows, const std::string& axis);

/// y over the number of threads.
Plot threads_plot(const std::vector<Curve>& curves, const std::string& axis, bool times);

/// The dashes of a protocol's line, alike in plots and legends: colour is not the only thing that tells them
/// apart.
std::string dashes_of(std::size_t index);

}  // namespace daxrace
