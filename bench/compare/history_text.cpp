#include "bench/compare/history_text.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/units.hpp"
#include "bench/compare/compare_words.hpp"
#include "bench/compare/conclusion.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/base/text.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

struct HistoryCounts {
  std::size_t changed = 0;
  std::size_t undecided = 0;
  std::size_t have = 0;    ///< runs of the undecided row that has most
  std::size_t needed = 0;  ///< runs of the undecided row that needs most
};

HistoryCounts counts_of(const HistoryResult& result) {
  HistoryCounts counts;
  for (const HistorySeries& series : result.series) {
    counts.changed += series.points.empty() ? 0 : 1;
    if (!series.undecided()) continue;
    ++counts.undecided;
    counts.have = std::max(counts.have, series.values.size());
    counts.needed = std::max(counts.needed, series.needed);
  }
  return counts;
}

/// The command of the latest run, to be given again for another point of the series.
std::string another_run(const HistoryResult& result) { return repeated_command(command_of(result.rows), 0); }

std::string history_conclusion(const HistoryResult& result) {
  const HistoryCounts counts = counts_of(result);
  const std::size_t rows = result.series.size();
  if (rows == 0) return "There were no costs to look at.";
  if (counts.undecided == rows)
    return fmt::format("Nothing could be decided: {}, {} needed: {} more of:", counted(counts.have, "run"),
                       counts.needed, counts.needed - counts.have);
  std::string text = fmt::format("{}: {} with a change, {} without, {} undecided", counted(rows, "row"),
                                 counts.changed, rows - counts.changed - counts.undecided, counts.undecided);
  if (counts.undecided > 0) text += fmt::format(" ({} needed)", counted(counts.needed, "run"));
  return text;
}

std::string runs_text(const HistoryResult& result, std::size_t width) {
  const auto& runs = result.rows.runs();
  std::string out =
      wrapped_text("",
                   fmt::format("{} from {} to {}, {}", counted(runs.size(), "run"), runs.front().time_utc,
                               runs.back().time_utc, fact_text(result.facts, "machine")),
                   2, width);
  for (const std::string& warning : result.warnings) out += wrapped_text("note ", warning, 5, width);
  for (const std::uint32_t run : result.bad_runs)
    out += wrapped_text("",
                        fmt::format("broken, hung or failed in the run {} {} ({})", runs[run].time_utc,
                                    runs[run].git_commit, result.rows.files()[runs[run].file]),
                        2, width);
  return out;
}

bool is_worse(const ChangePoint& point, Metric metric) {
  return (point.after > point.before) != (metric == Metric::throughput);
}

double size_of(const ChangePoint& point) {
  const double ratio = point.after / point.before;
  return std::max(ratio, 1 / ratio);
}

/// The largest change of a row; there must be one.
const ChangePoint& largest_of(const HistorySeries& series) {
  return *std::ranges::max_element(series.points, {}, size_of);
}

// ---- every row ----

class HistoryTables {
 public:
  HistoryTables(const HistoryResult& result, const HistoryOptions& options)
      : result_(result), options_(options), names_({&result.rows}, ""), width_(options.mail ? 72 : 110) {}

  std::string text() const {
    std::string out = heading();
    for (const HistorySeries& series : result_.series) out += lines(series);
    return out + closing();
  }

 private:
  std::string heading() const {
    return runs_text(result_, width_) +
           wrapped_text("\n",
                        fmt::format("Where {} changes by {} and more (binary segmentation on ranks; at most "
                                    "{} of paths marked by chance)",
                                    name_in(kMetricNames, options_.metric), percent_text(options_.threshold),
                                    percent_text(options_.level)),
                        2, width_);
  }

  std::string lines(const HistorySeries& series) const {
    std::string out = wrapped_text(fmt::format("  {:<13} ", series.path),
                                   names_.name(result_.rows.configs()[series.config]), 16, width_);
    if (series.points.empty())
      out += fmt::format("      {}, {}\n", series.undecided() ? "undecided" : "no change found",
                         counted(series.values.size(), "run"));
    for (const ChangePoint& point : series.points) out += change(series, point);
    return out;
  }

  std::string change(const HistorySeries& series, const ChangePoint& point) const {
    const auto& runs = result_.rows.runs();
    const RunColumns& after = runs[series.runs[point.at]];
    const RunColumns& before = runs[series.runs[point.at - 1]];
    return fmt::format("      {}  {}  {} -> {}, x{}  p={}\n", after.time_utc,
                       direction_of(point, options_.metric), metric_text(options_.metric, point.before),
                       metric_text(options_.metric, point.after), ratio_text(point.after / point.before),
                       p_text(point.p)) +
           wrapped_text(std::string(8, ' '), what_changed(before, after), 8, width_);
  }

  std::string closing() const { return "\n" + wrapped_text("", history_conclusion(result_), 2, width_); }

  const HistoryResult& result_;
  const HistoryOptions& options_;
  ConfigNames names_;
  std::size_t width_;
};

// ---- one screen ----

class HistoryScreen {
 public:
  HistoryScreen(const HistoryResult& result, const HistoryOptions& options)
      : result_(result), options_(options), names_({&result.rows}, ""), width_(options.mail ? 72 : 80) {}

  std::string text() const {
    std::string out = runs_text(result_, width_) + "\n" + verdict();
    if (!result_.series.empty()) out += paths() + changed_most();
    return out + "\nEvery row: --tables\n";
  }

 private:
  std::string verdict() const {
    std::string out = wrapped_text("", history_conclusion(result_), 2, width_);
    const HistoryCounts counts = counts_of(result_);
    if (counts.undecided > 0 && counts.undecided == result_.series.size())
      out += "  " + shown_text(another_run(result_)) + "\n";
    return out;
  }

  struct PathCounts {
    std::string_view path;
    std::size_t rows = 0;
    std::size_t slower = 0;
    std::size_t faster = 0;
    std::size_t undecided = 0;
    const HistorySeries* worst = nullptr;
  };

  void add(PathCounts& counts, const HistorySeries& series) const {
    ++counts.rows;
    counts.undecided += series.undecided() ? 1 : 0;
    if (series.points.empty()) return;
    ++(is_worse(largest_of(series), options_.metric) ? counts.slower : counts.faster);
    if (counts.worst == nullptr || size_of(largest_of(*counts.worst)) < size_of(largest_of(series)))
      counts.worst = &series;
  }

  std::vector<PathCounts> by_path() const {
    std::vector<PathCounts> out;
    for (const HistorySeries& series : result_.series) {
      auto found = std::ranges::find(out, series.path, &PathCounts::path);
      if (found == out.end()) found = out.insert(out.end(), {series.path, 0, 0, 0, 0, nullptr});
      add(*found, series);
    }
    std::ranges::stable_sort(out, [](const PathCounts& one, const PathCounts& other) {
      return std::pair(one.slower, one.faster) > std::pair(other.slower, other.faster);
    });
    return out;
  }

  std::string paths() const {
    constexpr std::string_view kRow = "  {:<16} {:>6} {:>6} {:>9} {:>4}  {:>7}  {}\n";
    std::string out =
        wrapped_text("\n",
                     fmt::format("{}: changes of {} and more; at most {} of paths marked by chance",
                                 name_in(kMetricNames, options_.metric), percent_text(options_.threshold),
                                 percent_text(options_.level)),
                     2, width_);
    out += fmt::format(kRow, "", "slower", "faster", "undecided", "of", "largest", "since");
    for (const PathCounts& one : by_path()) {
      const ChangePoint* point = one.worst == nullptr ? nullptr : &largest_of(*one.worst);
      out += fmt::format(kRow, one.path, one.slower, one.faster, one.undecided, one.rows,
                         point == nullptr ? "-" : "x" + ratio_text(point->after / point->before),
                         point == nullptr ? "" : result_.rows.runs()[one.worst->runs[point->at]].time_utc);
    }
    return out;
  }

  std::string changed_most() const {
    std::vector<const HistorySeries*> changed;
    for (const HistorySeries& series : result_.series)
      if (!series.points.empty()) changed.push_back(&series);
    std::ranges::stable_sort(changed, std::greater{},
                             [](const HistorySeries* series) { return size_of(largest_of(*series)); });
    std::string out = changed.empty() ? "" : "\nChanged most\n";
    for (const HistorySeries* series : std::span(changed).first(std::min<std::size_t>(changed.size(), 3)))
      out += change(*series);
    return out;
  }

  std::string change(const HistorySeries& series) const {
    const ChangePoint& point = largest_of(series);
    const auto& runs = result_.rows.runs();
    const RunColumns& after = runs[series.runs[point.at]];
    const RunColumns& before = runs[series.runs[point.at - 1]];
    return wrapped_text(
               "  ",
               fmt::format("{}  {} x{}  {} {} -> {}", after.time_utc, direction_of(point, options_.metric),
                           ratio_text(point.after / point.before), series.path,
                           metric_text(options_.metric, point.before),
                           metric_text(options_.metric, point.after)),
               4, width_) +
           wrapped_text("    ", names_.name(result_.rows.configs()[series.config]), 6, width_) +
           wrapped_text("    ", what_changed(before, after), 6, width_);
  }

  const HistoryResult& result_;
  const HistoryOptions& options_;
  ConfigNames names_;
  std::size_t width_;
};

}  // namespace

std::string_view direction_of(const ChangePoint& point, Metric metric) {
  return is_worse(point, metric) ? "slower" : "faster";
}

std::string what_changed(const RunColumns& before, const RunColumns& after) {
  std::string out = before.git_commit == after.git_commit
                        ? fmt::format("commit {} on both sides", after.git_commit)
                        : fmt::format("commit {} -> {}", before.git_commit, after.git_commit);
  if (before.kernel != after.kernel) out += fmt::format(", kernel {} -> {}", before.kernel, after.kernel);
  return out;
}

std::string history_screen(const HistoryResult& result, const HistoryOptions& options) {
  return HistoryScreen(result, options).text();
}

std::string history_tables(const HistoryResult& result, const HistoryOptions& options) {
  return HistoryTables(result, options).text();
}

}  // namespace daxrace
