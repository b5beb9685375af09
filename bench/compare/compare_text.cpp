#include "bench/compare/compare_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bench/cli/config_names.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<std::string>;

constexpr std::size_t kWide = 110;
constexpr std::size_t kMail = 72;

std::string value_text(Metric metric, double value) {
  return metric == Metric::throughput ? fmt::format("{:.4g}/s", value) : scaled_time(value);
}

std::string interval_text(const Interval& ratio) {
  if (!ratio.bounded()) return ratio_text(ratio.mid);
  return fmt::format("{} [{}, {}]", ratio_text(ratio.mid), ratio_text(ratio.low), ratio_text(ratio.high));
}

std::string count_text(const ComparedRow& row) {
  const std::string merged =
      row.merged_repetitions > 1 ? fmt::format(" ({} merged each)", row.merged_repetitions) : "";
  return fmt::format("n={}+{}{}", row.base.size(), row.changed.size(), merged);
}

std::string rule_text(const ComparisonOptions& s) {
  return fmt::format("{} {}, changes of {} and more", percent_text(s.level),
                     s.correction == Correction::bh ? "false discoveries (Benjamini-Hochberg)"
                                                    : "chance of a false alarm (Holm)",
                     percent_text(s.threshold));
}

std::string family_name(const ComparedFamily& family) {
  return fmt::format("{} {}",
                     family.metric == Metric::throughput ? "ops/s" : name_in(kMetricNames, family.metric),
                     family.path.empty() ? "all paths" : family.path);
}

/// How many values per side a change that stands alone needs, if there are too few.
std::string needed_text(const ComparedFamily& family) {
  return family.undecided == 0 ? "" : fmt::format("{}", family.needed);
}

std::string range_text(std::size_t low, std::size_t high) {
  return low == high ? fmt::format("{}", low) : fmt::format("{}-{}", low, high);
}

std::string reasons_text(const std::map<std::string, std::size_t>& reasons) {
  Values out;
  for (const auto& [reason, count] : reasons) out.push_back(fmt::format("{} {}", count, reason));
  return join(out, "; ");
}

std::size_t count_of(const ComparisonReport& report, Change change) {
  return static_cast<std::size_t>(std::ranges::count(report.rows, change, &ComparedRow::change));
}

std::size_t failures_of(const ComparisonReport& report) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.outcomes, [](const OutcomeChange& one) { return fails(one.outcome); }));
}

/// Whether a table lists the row.
bool is_listed(const ComparedRow& row, const CompareOptions& options) {
  return options.all || row.change == Change::slower || row.change == Change::faster;
}

std::string conclusion(const CompareResult& result, bool strict) {
  const ComparisonReport& report = result.report;
  if (report.any_failure())
    return fmt::format("worse: {} of correctness", counted(failures_of(report), "failure"));
  if (report.any(Change::slower))
    return fmt::format("worse: {} slower", counted(count_of(report, Change::slower), "row"));
  const std::size_t undecided = count_of(report, Change::undecided);
  if (undecided > 0)
    return fmt::format("{} undecided for want of repetitions; {}", counted(undecided, "row"),
                       strict ? "--strict fails" : "no regression was found in the others");
  if (report.rows.empty()) return "no failure of correctness; there were no costs to compare";
  return "no regression found";
}

// ---- text ----

class TextTable {
 public:
  TextTable(const CompareResult& result, const CompareOptions& options)
      : result_(result),
        options_(options),
        names_({&result.base.rows, &result.changed.rows}, result.by),
        width_(options.mail ? kMail : kWide) {}

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
                    counted(failures_of(report), "failure"));
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
        "\n", fmt::format("What can be decided ({})", rule_text(options_.statistics)), 2, width_);
    constexpr std::string_view kFormat = "  {:<19} {:>5} {:>6} {:>7} {:>7} {:>6} {:>9}\n";
    out += fmt::format(kFormat, "family", "rows", "values", "least p", "bar", "needed", "undecided");
    for (const ComparedFamily& family : result_.report.families)
      out += fmt::format(kFormat, family_name(family), family.rows, range_text(family.fewest, family.most),
                         p_text(family.least_p), p_text(family.bar), needed_text(family), family.undecided);
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
    std::string out = fmt::format("\nChanges: {} slower, {} faster\n", count_of(report, Change::slower),
                                  count_of(report, Change::faster));
    for (const ComparedRow& row : report.rows)
      if (is_listed(row, options_)) out += change(row);
    out += line("  ", fmt::format("{} with no change found, {} with one below the threshold, {} undecided",
                                  count_of(report, Change::none), count_of(report, Change::small),
                                  count_of(report, Change::undecided)));
    return out;
  }

  std::string change(const ComparedRow& row) const {
    std::string out = fmt::format("  {:<9} {}  {}\n", name_in(kChangeNames, row.change),
                                  interval_text(ratio_interval(row, options_.statistics.seed)),
                                  fmt::format("{} {}", name_in(kMetricNames, row.metric), row.path));
    out += fmt::format("            {} -> {}  p={} q={}  {}\n", value_text(row.metric, row.base_median),
                       value_text(row.metric, row.changed_median), p_text(row.p), p_text(row.adjusted),
                       count_text(row));
    return out + wrapped_text(std::string(12, ' '), names_.name(result_.base.rows.configs()[row.config]), 14,
                              width_);
  }

  std::string closing() const {
    std::string out;
    if (!result_.report.left_out.empty()) out += line("\nLeft out: ", reasons_text(result_.report.left_out));
    return out + "\n" + wrapped_text("", conclusion(result_, options_.strict), 2, width_);
  }

  const CompareResult& result_;
  const CompareOptions& options_;
  ConfigNames names_;
  std::size_t width_;
};

// ---- for programs ----

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string whole(const std::optional<std::uint64_t>& value) {
  return value ? fmt::format("{}", *value) : "";
}

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json json_row(const ComparedRow& row, const CompareResult& result, const ConfigNames& names,
              std::uint64_t seed) {
  const Interval ratio = ratio_interval(row, seed);
  Json key = Json::object();
  const auto fields = config_fields(result.base.rows.configs()[row.config]);
  for (std::size_t i = 0; i < fields.size(); ++i) key[std::string(names.columns()[i]->name)] = fields[i];
  const auto base_merged = merged_quantile(result.base.rows, row.base_rows, row.metric);
  const auto new_merged = merged_quantile(result.changed.rows, row.changed_rows, row.metric);
  return {{"change", name_in(kChangeNames, row.change)},
          {"metric", name_in(kMetricNames, row.metric)},
          {"path", row.path},
          {"base", row.base_median},
          {"new", row.changed_median},
          {"ratio", row.ratio},
          {"ratio_low", json_number(ratio.low)},
          {"ratio_high", json_number(ratio.high)},
          {"p", row.p},
          {"adjusted_p", row.adjusted},
          {"base_values", row.base.size()},
          {"new_values", row.changed.size()},
          {"merged_repetitions", row.merged_repetitions},
          {"base_merged_ns", base_merged ? Json(*base_merged) : Json()},
          {"new_merged_ns", new_merged ? Json(*new_merged) : Json()},
          {"key", key}};
}

Json json_side(const CompareSide& side) {
  return {{"name", side.name},
          {"files", side.rows.files()},
          {"runs", side.rows.runs().size()},
          {"rows", side.rows.row_count()},
          {"facts", side.facts}};
}

std::string markdown_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string markdown_line(const Values& cells) {
  Values escaped;
  for (const std::string& cell : cells) escaped.push_back(markdown_cell(cell));
  return fmt::format("| {} |\n", join(escaped, " | "));
}

std::string markdown_outcomes(const CompareResult& result, const ConfigNames& names) {
  if (result.report.outcomes.empty()) return {};
  std::string out = "\n| outcome | configuration | what |\n| --- | --- | --- |\n";
  for (const OutcomeChange& one : result.report.outcomes)
    out +=
        markdown_line({std::string(name_in(kOutcomeNames, one.outcome)), names.name(one.config), one.text});
  return out;
}

std::string markdown_families(const CompareResult& result) {
  std::string out = "\n| family | rows | values | least p | bar | needed | undecided |\n";
  out += "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const ComparedFamily& family : result.report.families)
    out += markdown_line({family_name(family), fmt::format("{}", family.rows),
                          range_text(family.fewest, family.most), p_text(family.least_p), p_text(family.bar),
                          needed_text(family), fmt::format("{}", family.undecided)});
  return out;
}

std::string markdown_changes(const CompareResult& result, const CompareOptions& options,
                             const ConfigNames& names) {
  std::string out = "\n| change | metric | configuration | ratio [95 %] | base | new | q | n |\n";
  out += "| --- | --- | --- | --- | ---: | ---: | ---: | --- |\n";
  for (const ComparedRow& row : result.report.rows) {
    if (!is_listed(row, options)) continue;
    out += markdown_line({std::string(name_in(kChangeNames, row.change)),
                          fmt::format("{} {}", name_in(kMetricNames, row.metric), row.path),
                          names.name(result.base.rows.configs()[row.config]),
                          interval_text(ratio_interval(row, options.statistics.seed)),
                          value_text(row.metric, row.base_median), value_text(row.metric, row.changed_median),
                          p_text(row.adjusted), count_text(row)});
  }
  return out;
}

}  // namespace

std::string compare_text(const CompareResult& result, const CompareOptions& options,
                         const Values& command_line) {
  return TextTable(result, options).text(command_line);
}

std::string compare_markdown(const CompareResult& result, const CompareOptions& options) {
  const ConfigNames names({&result.base.rows, &result.changed.rows}, result.by);
  std::string out =
      fmt::format("base {} (commit {}), new {} (commit {}), kernel {}: {}\n", result.base.name,
                  fact_text(result.base.facts, "git_commit"), result.changed.name,
                  fact_text(result.changed.facts, "git_commit"), fact_text(result.changed.facts, "kernel"),
                  conclusion(result, options.strict));
  out += markdown_outcomes(result, names);
  if (result.report.rows.empty()) return out;
  return out + markdown_families(result) + markdown_changes(result, options, names);
}

std::string compare_csv(const CompareResult& result, const CompareOptions& options) {
  const ConfigNames names({&result.base.rows, &result.changed.rows}, result.by);
  std::string out =
      "change,metric,path,base,new,ratio,ratio_low,ratio_high,p,adjusted_p,base_values,new_values,"
      "merged_repetitions,base_merged_ns,new_merged_ns,detail";
  for (const Column* column : names.columns()) out += fmt::format(",{}", column->name);
  out += '\n';
  const auto add_key = [&](std::string_view config) {
    for (const std::string_view field : config_fields(config)) out += ',' + csv_field(field);
    out += '\n';
  };
  for (const OutcomeChange& one : result.report.outcomes) {
    out += fmt::format("{},,,,,,,,,,,,,,,{}", name_in(kOutcomeNames, one.outcome), csv_field(one.text));
    add_key(one.config);
  }
  for (const ComparedRow& row : result.report.rows) {
    const Interval ratio = ratio_interval(row, options.statistics.seed);
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},", name_in(kChangeNames, row.change),
                       name_in(kMetricNames, row.metric), csv_field(row.path), row.base_median,
                       row.changed_median, row.ratio, number(ratio.low), number(ratio.high), row.p,
                       row.adjusted, row.base.size(), row.changed.size(), row.merged_repetitions,
                       whole(merged_quantile(result.base.rows, row.base_rows, row.metric)),
                       whole(merged_quantile(result.changed.rows, row.changed_rows, row.metric)));
    add_key(result.base.rows.configs()[row.config]);
  }
  return out;
}

std::string compare_json(const CompareResult& result, const CompareOptions& options) {
  const ConfigNames names({&result.base.rows, &result.changed.rows}, result.by);
  const ComparisonOptions& s = options.statistics;
  Json out = {{"by", result.by},
              {"conclusion", conclusion(result, options.strict)},
              {"base", json_side(result.base)},
              {"new", json_side(result.changed)},
              {"level", s.level},
              {"threshold", s.threshold},
              {"correction", name_in(kCorrectionNames, s.correction)},
              {"unit", name_in(kUnitNames, s.unit)}};
  out["differences"] = Json::array();
  for (const FactDifference& one : result.differences)
    out["differences"].push_back({{"name", one.name}, {"base", one.base}, {"new", one.changed}});
  out["outcomes"] = Json::array();
  for (const OutcomeChange& one : result.report.outcomes)
    out["outcomes"].push_back({{"outcome", name_in(kOutcomeNames, one.outcome)},
                               {"fails", fails(one.outcome)},
                               {"configuration", names.name(one.config)},
                               {"what", one.text}});
  out["families"] = Json::array();
  for (const ComparedFamily& family : result.report.families)
    out["families"].push_back({{"metric", name_in(kMetricNames, family.metric)},
                               {"path", family.path},
                               {"rows", family.rows},
                               {"fewest_values", family.fewest},
                               {"most_values", family.most},
                               {"least_p", family.least_p},
                               {"bar", family.bar},
                               {"values_needed", family.needed},
                               {"undecided", family.undecided}});
  out["rows"] = Json::array();
  for (const ComparedRow& row : result.report.rows)
    out["rows"].push_back(json_row(row, result, names, s.seed));
  out["left_out"] = result.report.left_out;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace daxrace
