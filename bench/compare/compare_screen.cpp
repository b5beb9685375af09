#include "bench/compare/compare_screen.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/compare/compare_words.hpp"
#include "bench/compare/conclusion.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/base/text.hpp"
#include "harness/base/types.hpp"
#include "harness/results/statistics.hpp"

namespace daxrace {
namespace {

using Values = std::vector<std::string>;

constexpr std::size_t kMailWidth = 72;
constexpr std::size_t kMostPaths = 10;
constexpr std::size_t kMostChanged = 3;

/// The rows of one metric of one path.
struct PathLine {
  Metric metric = Metric::p50;
  std::string_view path;
  std::size_t rows = 0;
  std::size_t slower = 0;
  std::size_t faster = 0;
  std::size_t undecided = 0;
  std::vector<double> badness;                ///< of all rows
  const ComparedRow* most_changed = nullptr;  ///< of those that changed

  bool needs_reading() const { return slower + faster > 0; }
};

/// How far from no change, in either direction.
double distance_of(const ComparedRow& row) { return std::abs(std::log(row.ratio)); }

void add_row(PathLine& line, const ComparedRow& row) {
  ++line.rows;
  line.slower += row.change == Change::slower ? 1 : 0;
  line.faster += row.change == Change::faster ? 1 : 0;
  line.undecided += row.change == Change::undecided ? 1 : 0;
  line.badness.push_back(row.badness());
  if (!has_changed(row)) return;
  // What became worse is worth more of the one place than what became better.
  const auto rank = [](const ComparedRow& one) {
    return std::pair(one.change == Change::slower, distance_of(one));
  };
  if (line.most_changed == nullptr || rank(*line.most_changed) < rank(row)) line.most_changed = &row;
}

std::vector<PathLine> lines_by_path(const ComparisonReport& report) {
  std::vector<PathLine> lines;
  for (const ComparedRow& row : report.rows) {
    auto found = std::ranges::find_if(
        lines, [&](const PathLine& line) { return line.metric == row.metric && line.path == row.path; });
    if (found == lines.end()) {
      lines.push_back({row.metric, row.path, 0, 0, 0, 0, {}, nullptr});
      found = std::prev(lines.end());
    }
    add_row(*found, row);
  }
  std::ranges::stable_sort(lines, [](const PathLine& one, const PathLine& other) {
    return std::pair(one.slower, one.faster) > std::pair(other.slower, other.faster);
  });
  return lines;
}

std::vector<const ComparedRow*> most_changed_rows(const ComparisonReport& report) {
  std::vector<const ComparedRow*> rows;
  for (const ComparedRow& row : report.rows)
    if (has_changed(row)) rows.push_back(&row);
  std::ranges::stable_sort(rows, std::greater{}, [](const ComparedRow* row) { return distance_of(*row); });
  rows.resize(std::min(rows.size(), kMostChanged));
  return rows;
}

class CompareScreen {
 public:
  CompareScreen(const CompareResult& result, const CompareOptions& options)
      : result_(result),
        options_(options),
        names_({&result.base.rows, &result.changed.rows}, result.by),
        width_(options.mail ? kMailWidth : kScreenColumns) {}

  std::string text(const Values& command_line) const {
    std::string out;
    if (options_.mail) out += wrapped_text("command: ", join(command_line, " "), 9, width_);
    out += sides() + "\n" + verdict() + correctness();
    if (!result_.report.rows.empty()) out += paths() + changed_most();
    return out + closing();
  }

 private:
  std::string line(std::string_view first, std::string_view text) const {
    return wrapped_text(first, text, 7, width_);
  }

  std::string side(std::string_view label, const CompareSide& side) const {
    return line(fmt::format("{:<7}", label),
                fmt::format("{}: {}, {}, commit {}", side.name, counted(side.rows.runs().size(), "run"),
                            counted(side.rows.row_count(), "row"), fact_text(side.facts, "git_commit")));
  }

  std::string sides() const {
    std::string out = side("base", result_.base) + side("new", result_.changed);
    out += line("on     ", fmt::format("{}, kernel {}", fact_text(result_.base.facts, "machine"),
                                       fact_text(result_.base.facts, "kernel")));
    Values beside;
    for (const FactDifference& difference : result_.differences) {
      if (difference.name == result_.by || difference.name == "git_commit") continue;
      if (difference.matters)
        out += line("differ ",
                    fmt::format("{}: {} -> {}", difference.name, difference.base, difference.changed));
      else
        beside.push_back(difference.name);
    }
    if (!beside.empty()) out += line("differ ", join(beside) + " (--tables shows how)");
    for (const std::string& warning : result_.warnings) out += line("note   ", warning);
    return out;
  }

  std::string verdict() const {
    std::string text = conclusion_text(result_, options_);
    // The first word may be the name of a protocol or a file.
    if (!compares_kinds(result_))
      text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    if (options_.strict && counts_of(result_.report).decided() < result_.report.rows.size())
      text = "Not decided (--strict). " + text;
    return with_command_apart(text);
  }

  /// A command that is broken by line ends cannot be pasted.
  std::string with_command_apart(const std::string& text) const {
    const std::string command = remedy_command(result_, options_);
    if (command.empty() || !text.ends_with(command)) return wrapped_text("", text, 2, width_);
    std::string words = text.substr(0, text.size() - command.size());
    while (words.ends_with(' ')) words.pop_back();
    return wrapped_text("", words, 2, width_) + "  " + shown_text(command) + "\n";
  }

  std::string correctness() const {
    const std::size_t failures = failures_of(result_);
    const std::size_t others = result_.report.outcomes.size() - failures;
    std::string out = fmt::format(
        "\nCorrectness: {} on both sides, {}{}\n", counted(result_.report.configurations, "configuration"),
        failures == 0 ? "no failure" : counted(failures, "failure"),
        others == 0 ? "" : fmt::format("; {} (--tables)", counted(others, "other difference")));
    for (const OutcomeChange& one : result_.report.outcomes) {
      if (!counts_as_failure(result_, one.outcome)) continue;
      out += wrapped_text(fmt::format("  {:<9}", name_in(kOutcomeNames, one.outcome)),
                          names_.name(one.config), 11, width_);
      out += wrapped_text(std::string(11, ' '), one.text, 11, width_);
    }
    return out;
  }

  std::string paths() const {
    constexpr std::string_view kRow = "  {:<22} {:>6} {:>6} {:>9} {:>4}  {:>6} {:>6}\n";
    std::string out = wrapped_text("\n", "Cost: " + decision_rule_text(options_.statistics), 2, width_);
    out += fmt::format(kRow, "", "slower", "faster", "undecided", "of", "median", "worst");
    const std::vector<PathLine> lines = lines_by_path(result_.report);
    for (const PathLine& line : std::span(lines).first(std::min(lines.size(), kMostPaths)))
      out +=
          fmt::format(kRow, fmt::format("{} {}", name_in(kMetricNames, line.metric), line.path), line.slower,
                      line.faster, line.undecided, line.rows, "x" + ratio_text(median(line.badness)),
                      line.most_changed == nullptr ? "-" : "x" + ratio_text(line.most_changed->badness()));
    if (lines.size() > kMostPaths)
      out += fmt::format("  and {} (--tables)\n", counted(lines.size() - kMostPaths, "more path"));
    return out;
  }

  std::string changed_most() const {
    const std::vector<const ComparedRow*> rows = most_changed_rows(result_.report);
    if (rows.empty()) return {};
    std::string out = "\nChanged most\n";
    for (const ComparedRow* row : rows) {
      const Interval ratio = ratio_interval(*row, options_.statistics.seed);
      out += fmt::format("  {} x{}  {} {}  {} -> {}\n", name_in(kChangeNames, row->change),
                         ratio_interval_text(ratio), name_in(kMetricNames, row->metric), row->path,
                         metric_text(row->metric, row->base_median),
                         metric_text(row->metric, row->changed_median));
      out += wrapped_text("    ",
                          fmt::format("{}, {}", names_.name(result_.base.rows.configs()[row->config]),
                                      sample_sizes_text(*row)),
                          4, width_);
    }
    return out;
  }

  std::string closing() const {
    std::string out = "\n";
    if (!result_.report.left_out.empty())
      out += line("Left out: ", left_out_reasons_text(result_.report.left_out));
    return out + "Every row, and what can be decided: --tables\n";
  }

  const CompareResult& result_;
  const CompareOptions& options_;
  ConfigNames names_;
  std::size_t width_;
};

}  // namespace

std::string compare_screen(const CompareResult& result, const CompareOptions& options,
                           const std::vector<std::string>& command_line) {
  return CompareScreen(result, options).text(command_line);
}

}  // namespace daxrace
