#include "bench/compare/compare_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/compare/compare_words.hpp"
#include "bench/compare/conclusion.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

using Values = std::vector<std::string>;

constexpr std::size_t kWideTables = 110;
constexpr std::size_t kMailTables = 72;

class TextTable {
 public:
  TextTable(const CompareResult& result, const CompareOptions& options)
      : result_(result),
        options_(options),
        names_({&result.base.rows, &result.changed.rows}, result.by),
        width_(options.mail ? kMailTables : kWideTables) {}

  std::string text(const Values& command_line) const {
    std::string out;
    if (options_.mail) out += wrapped_text("command: ", join(command_line, " "), 9, width_);
    out += heading() + outcomes() + families() + changes() + closing();
    return out;
  }

 private:
  std::string line(std::string_view first, std::string_view text) const {
    return wrapped_text(first, text, 7, width_);
  }

  std::string side(std::string_view label, const CompareSide& side) const {
    return line(fmt::format("{:<7}", label),
                fmt::format("{}: {}, {}, commit {}, kernel {}", side.name,
                            counted(side.rows.runs().size(), "run"), counted(side.rows.row_count(), "row"),
                            fact_text(side.facts, "git_commit"), fact_text(side.facts, "kernel")));
  }

  std::string heading() const {
    std::string out = side("base", result_.base) + side("new", result_.changed);
    out += line("on     ", fact_text(result_.base.facts, "machine"));
    for (const FactDifference& difference : result_.differences) {
      if (difference.name == result_.by) continue;
      out +=
          line("differ ", fmt::format("{}: {} -> {}", difference.name, difference.base, difference.changed));
    }
    for (const std::string& warning : result_.warnings) out += line("note   ", warning);
    return out;
  }

  std::string outcomes() const {
    const ComparisonReport& report = result_.report;
    std::string out =
        fmt::format("\nCorrectness: {} on both sides, {}\n", counted(report.configurations, "configuration"),
                    counted(failures_of(result_), "failure"));
    for (const OutcomeChange& one : report.outcomes) {
      out += wrapped_text(fmt::format("  {:<13}", name_in(kOutcomeNames, one.outcome)),
                          names_.name(one.config), 15, width_);
      out += wrapped_text(std::string(15, ' '), one.text, 15, width_);
    }
    return out;
  }

  std::string families() const {
    if (result_.report.families.empty()) return {};
    std::string out = wrapped_text(
        "\n", fmt::format("What can be decided ({})", decision_rule_text(options_.statistics)), 2, width_);
    constexpr std::string_view kFormat = "  {:<19} {:>5} {:>6} {:>7} {:>7} {:>6} {:>9}\n";
    out += fmt::format(kFormat, "family", "rows", "values", "least p", "bar", "needed", "undecided");
    for (const ComparedFamily& family : result_.report.families)
      out += fmt::format(kFormat, family_text(family), family.rows,
                         count_range_text(family.fewest, family.most), p_text(family.least_p),
                         p_text(family.bar), needed_values_text(family), family.undecided);
    return out + chance();
  }

  /// The rate is that of a family: whoever fails on any of them should know what they come to.
  std::string chance() const {
    const ComparisonOptions& s = options_.statistics;
    const std::size_t count = result_.report.families.size();
    if (count < 2 || s.family == FamilyScope::metric) return {};
    const double any = 1 - std::pow(1 - s.level, static_cast<double>(count));
    return wrapped_text(
        "  ",
        fmt::format("{} families: by chance alone at most {:.0f} % of comparisons mark something; with "
                    "--family=metric {}",
                    count, any * 100, percent_text(s.level)),
        2, width_);
  }

  std::string changes() const {
    const ComparisonReport& report = result_.report;
    if (report.rows.empty()) return {};
    const ChangeCounts counts = counts_of(report);
    std::string out = fmt::format("\nChanges: {} slower, {} faster\n", counts.slower, counts.faster);
    for (const ComparedRow& row : report.rows) out += change(row);
    out += line("  ", fmt::format("{} with no change found, {} with one below the threshold, {} undecided",
                                  counts.unchanged, counts.small, counts.undecided));
    return out;
  }

  std::string change(const ComparedRow& row) const {
    std::string out = fmt::format("  {:<9} {}  {}\n", name_in(kChangeNames, row.change),
                                  ratio_interval_text(ratio_interval(row, options_.statistics.seed)),
                                  fmt::format("{} {}", name_in(kMetricNames, row.metric), row.path));
    out += fmt::format("            {} -> {}  p={} q={}  {}\n", metric_text(row.metric, row.base_median),
                       metric_text(row.metric, row.changed_median), p_text(row.p), p_text(row.adjusted),
                       sample_sizes_text(row));
    return out + wrapped_text(std::string(12, ' '), names_.name(result_.base.rows.configs()[row.config]), 14,
                              width_);
  }

  std::string closing() const {
    std::string out;
    if (!result_.report.left_out.empty())
      out += line("\nLeft out: ", left_out_reasons_text(result_.report.left_out));
    return out + "\n" + wrapped_text("", conclusion_text(result_, options_), 2, width_);
  }

  const CompareResult& result_;
  const CompareOptions& options_;
  ConfigNames names_;
  std::size_t width_;
};

}  // namespace

std::string compare_text(const CompareResult& result, const CompareOptions& options,
                         const Values& command_line) {
  return TextTable(result, options).text(command_line);
}

}  // namespace daxrace
