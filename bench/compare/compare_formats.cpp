#include "bench/compare/compare_formats.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/cli/config_names.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/compare/compare_words.hpp"
#include "bench/compare/conclusion.hpp"
#include "harness/base/text.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<std::string>;

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

std::string markdown_line(const Values& cells) {
  Values escaped;
  for (const std::string& cell : cells) escaped.push_back(markdown_text(cell));
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
    out +=
        markdown_line({family_text(family), fmt::format("{}", family.rows),
                       count_range_text(family.fewest, family.most), p_text(family.least_p),
                       p_text(family.bar), needed_values_text(family), fmt::format("{}", family.undecided)});
  return out;
}

std::string markdown_changes(const CompareResult& result, const CompareOptions& options,
                             const ConfigNames& names) {
  std::string out = "\n| change | metric | configuration | ratio [95 %] | base | new | q | n |\n";
  out += "| --- | --- | --- | --- | ---: | ---: | ---: | --- |\n";
  for (const ComparedRow& row : result.report.rows) {
    if (!options.tables && !has_changed(row)) continue;
    out +=
        markdown_line({std::string(name_in(kChangeNames, row.change)),
                       fmt::format("{} {}", name_in(kMetricNames, row.metric), row.path),
                       names.name(result.base.rows.configs()[row.config]),
                       ratio_interval_text(ratio_interval(row, options.statistics.seed)),
                       metric_text(row.metric, row.base_median), metric_text(row.metric, row.changed_median),
                       p_text(row.adjusted), sample_sizes_text(row)});
  }
  return out;
}

}  // namespace

std::string compare_markdown(const CompareResult& result, const CompareOptions& options) {
  const ConfigNames names({&result.base.rows, &result.changed.rows}, result.by);
  std::string out =
      markdown_text(fmt::format("base {} (commit {}), new {} (commit {}), kernel {}: {}", result.base.name,
                                fact_text(result.base.facts, "git_commit"), result.changed.name,
                                fact_text(result.changed.facts, "git_commit"),
                                fact_text(result.changed.facts, "kernel"), conclusion_text(result, options)));
  out += '\n';
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
              {"conclusion", conclusion_text(result, options)},
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
  return out.dump(2, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace daxrace
