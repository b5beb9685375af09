#include "bench/report/plots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace daxrace {
namespace {

constexpr int kRowHeight = 22;
constexpr int kAxisHeight = 48;

/// The same frame for all: two axes, a faint grid, no ticks on the other sides.
std::string frame() {
  return fmt::format(
      "set border 3 lw 0.8\nset tics nomirror scale 0.5\nset grid back lt 1 lc {} lw 0.6\nunset key\n"
      "set rmargin at screen 0.95\nset tmargin at screen 0.97\n",
      grid_colour());
}

/// Rows from top to bottom with their names at the left.
template <class Rows>
Plot plot_with_rows(const Rows& rows) {
  Plot plot;
  const std::size_t count = rows.size();
  plot.height = kAxisHeight + kRowHeight * static_cast<int>(count);
  plot.script = frame() + fmt::format(
                              "set lmargin at screen 0.45\nset bmargin at screen {:.4f}\nset yrange "
                              "[{}.5:0.5]\nunset grid\nset grid x "
                              "back lt 1 lc {} lw 0.6\nset ytics scale 0 (",
                              static_cast<double>(kAxisHeight - 6) / plot.height, count, grid_colour());
  for (std::size_t i = 0; i < count; ++i) {
    plot.script += fmt::format("{}'@{}@' {}", i > 0 ? ", " : "", i, i + 1);
    plot.labels.push_back(rows[i].label);
  }
  plot.script += ")\n";
  return plot;
}

struct Unit {
  double ns;
  std::string_view name;
};

/// The unit in which the largest of the values is a handy number.
Unit unit_for(double largest_ns) {
  constexpr std::array<Unit, 4> kUnits = {{{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}}};
  const Unit* chosen = kUnits.data();
  for (const Unit& unit : kUnits)
    if (largest_ns >= 1.2 * unit.ns) chosen = &unit;
  return *chosen;
}

/// A round step that puts at most seven ticks on a span.
double round_step(double span) {
  const double least = span / 6;
  const double decade = std::pow(10, std::floor(std::log10(least)));
  for (const double step : {1.0, 2.0, 5.0})
    if (step * decade >= least) return step * decade;
  return 10 * decade;
}

void set_time_axis(Plot& plot, const std::string& axis, const Unit& unit, double span_ns) {
  plot.script += fmt::format("set xlabel '@{}@' offset 0,0.4\nset xtics {}\n", plot.labels.size(),
                             round_step(std::max(span_ns, 1.0) / unit.ns));
  plot.labels.push_back(fmt::format("{}, {}", axis, unit.name));
}

/// Seconds with a prefix of their own at every tick.
void set_log_time_axis(Plot& plot, const std::string& axis, char which) {
  plot.script += fmt::format("set logscale {0}\nset format {0} '%.0s%cs'\nset {0}label '@{1}@'{2}\n", which,
                             plot.labels.size(), which == 'x' ? " offset 0,0.4" : " offset 1.5,0");
  plot.labels.push_back(axis);
}

void finish(Plot& plot, const std::vector<std::string>& data, const std::vector<std::string>& elements) {
  for (std::size_t i = 0; i < data.size(); ++i)
    plot.script += fmt::format("$d{} << EOD\n{}EOD\n", i, data[i]);
  plot.script += fmt::format("plot {}", fmt::join(elements, ", "));
}

/// The farthest from zero.
double reach_of(const std::vector<IntervalRow>& rows) {
  double largest = 0;
  for (const IntervalRow& row : rows) {
    largest = std::max(largest, std::abs(row.interval.mid));
    if (row.interval.bounded())
      largest = std::max({largest, std::abs(row.interval.low), std::abs(row.interval.high)});
  }
  return largest;
}

std::string dash_type(std::size_t index) {
  const std::string dashes = dashes_of(index);
  return dashes.empty() ? "1" : fmt::format("({})", dashes);
}

double decades_of(const std::vector<PairRow>& rows) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const PairRow& row : rows) {
    for (const std::optional<double>& ns : {row.hollow, row.full}) {
      if (!ns || *ns <= 0) continue;
      low = std::min(low, *ns);
      high = std::max(high, *ns);
    }
  }
  return high > 0 ? std::ceil(std::log10(high)) - std::floor(std::log10(low)) : 0;
}

}  // namespace

std::string dashes_of(std::size_t index) {
  constexpr std::array<std::string_view, 4> kDashes = {"", "7,3", "2,2", "9,3,2,3"};
  return std::string(kDashes[index % kDashes.size()]);
}

Plot interval_plot(const std::vector<IntervalRow>& rows, const std::string& axis) {
  Plot plot = plot_with_rows(rows);
  const Unit unit = unit_for(reach_of(rows));
  set_time_axis(plot, axis, unit, 2 * reach_of(rows));
  plot.script +=
      "set arrow 1 from 0, graph 0 to 0, graph 1 nohead lw 1 lc rgb 'black'\nset offsets graph 0.06, graph "
      "0.06, 0, 0\n";
  std::vector<std::string> data;
  std::vector<std::string> elements;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Interval& at = rows[i].interval;
    const bool bounded = at.bounded();
    data.push_back(fmt::format("{} {} {} {}\n", at.mid / unit.ns, i + 1,
                               (bounded ? at.low : at.mid) / unit.ns,
                               (bounded ? at.high : at.mid) / unit.ns));
    elements.push_back(fmt::format("$d{} using 1:2:3:4 with xerrorbars pt {} ps 0.6 lw 1.6 lc {}", i,
                                   bounded ? 7 : 6, protocol_colour(rows[i].colour)));
  }
  finish(plot, data, elements);
  return plot;
}

Plot parts_plot(const std::vector<PartsRow>& rows, const std::string& axis) {
  Plot plot = plot_with_rows(rows);
  double largest = 0;
  for (const PartsRow& row : rows) {
    double sum = 0;
    for (const double part : row.parts) sum += std::max(part, 0.0);
    largest = std::max(largest, sum);
  }
  const Unit unit = unit_for(largest);
  set_time_axis(plot, axis, unit, largest);
  plot.script += fmt::format("set xrange [0:{}]\nset style fill solid 1.0 noborder\n",
                             std::max(largest, 1.0) * 1.04 / unit.ns);
  std::vector<std::string> data(kPhaseCount + 1);
  std::vector<std::string> elements;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double from = 0;
    for (std::size_t part = 0; part <= kPhaseCount; ++part) {
      const double to = from + std::max(rows[i].parts[part], 0.0) / unit.ns;
      constexpr double kVisible = 0.002;  // of the longest bar
      if ((to - from) * unit.ns >= kVisible * largest)
        data[part] += fmt::format("{} {} {} {} {} {}\n", (from + to) / 2, i + 1, from, to,
                                  static_cast<double>(i) + 0.66, static_cast<double>(i) + 1.34);
      from = to;
    }
  }
  for (std::size_t part = 0; part <= kPhaseCount; ++part) {
    if (data[part].empty()) data[part] = "NaN NaN NaN NaN NaN NaN\n";
    elements.push_back(fmt::format("$d{} using 1:2:3:4:5:6 with boxxyerror lc {}", part, phase_colour(part)));
  }
  finish(plot, data, elements);
  return plot;
}

Plot pair_plot(const std::vector<PairRow>& rows, const std::string& axis) {
  Plot plot = plot_with_rows(rows);
  set_log_time_axis(plot, axis, 'x');
  plot.script += "unset mxtics\n";
  if (decades_of(rows) > 4) plot.script += "set xtics 1e-9, 100\n";  // the labels of all would touch
  plot.script += "set offsets graph 0.06, graph 0.06, 0, 0\n";
  std::vector<std::string> data;
  std::vector<std::string> elements;
  const auto seconds = [](const std::optional<double>& ns) {
    return ns && *ns > 0 ? fmt::format("{}", *ns * 1e-9) : std::string("NaN");
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string one = seconds(rows[i].hollow);
    const std::string other = seconds(rows[i].full);
    const std::string colour = protocol_colour(rows[i].colour);
    data.push_back(fmt::format("{0} {2}\n{1} {2}\n", one, other, i + 1));
    elements.push_back(fmt::format("$d{} with lines lw 1 lc {}", i, colour));
    elements.push_back(fmt::format("$d{} every ::0::0 with points pt 6 ps 0.7 lw 1.6 lc {}", i, colour));
    elements.push_back(fmt::format("$d{} every ::1::1 with points pt 7 ps 0.7 lc {}", i, colour));
  }
  finish(plot, data, elements);
  return plot;
}

Plot threads_plot(const std::vector<Curve>& curves, const std::string& axis, bool times) {
  Plot plot;
  plot.height = 230;
  plot.script = frame() +
                "set lmargin at screen 0.19\nset bmargin at screen 0.18\nset xlabel 'threads' offset "
                "0,0.4\nset xtics 1\n"
                "set offsets 0.2, 0.2, 0, 0\n";
  if (times) {
    set_log_time_axis(plot, axis, 'y');
  } else {
    plot.script += fmt::format("set yrange [0:*]\nset format y '%.0s%c'\nset ylabel '@{}@' offset 1.5,0\n",
                               plot.labels.size());
    plot.labels.push_back(axis);
  }
  std::vector<std::string> data;
  std::vector<std::string> elements;
  double most = 1;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    std::string points;
    for (const auto& [threads, value] : curves[i].points) {
      points += fmt::format("{} {}\n", threads, times ? value * 1e-9 : value);
      most = std::max(most, threads);
    }
    data.push_back(points);
    elements.push_back(fmt::format("$d{} with linespoints pt 7 ps 0.5 lw 1.6 dt {} lc {}", i,
                                   dash_type(curves[i].colour), protocol_colour(curves[i].colour)));
  }
  if (most > 16) plot.script += "set xtics autofreq\n";
  finish(plot, data, elements);
  return plot;
}

}  // namespace daxrace
