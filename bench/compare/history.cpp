#include "bench/compare/history.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/output_format.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/compare/history_formats.hpp"
#include "bench/compare/history_text.hpp"
#include "harness/base/text.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

using Values = std::vector<std::string>;

// ---- working it out ----

std::vector<std::uint32_t> runs_gone_wrong(const ResultSet& rows) {
  std::set<std::uint32_t> out;
  for (const EpisodeOutcome& episode : rows.episodes())
    if (rows.end_of(episode).bad()) out.insert(episode.run);
  return {out.begin(), out.end()};
}

/// One value a run, of those runs that have one.
HistorySeries series_of(const ResultSet& rows, const MeasurementGroup& group, Metric metric) {
  HistorySeries out;
  out.config = group.config;
  out.path = rows.paths()[group.path];
  for (auto rest = group.rows; !rest.empty();) {
    const auto end =
        std::ranges::find_if(rest, [&](const Measurement& row) { return row.run != rest.front().run; });
    const auto run = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(run.size());
    const MetricValues values = metric_values(rows, {group.config, group.path, run}, metric, Unit::run);
    if (values.values.empty()) continue;
    out.runs.push_back(run.front().run);
    out.values.push_back(values.values.front());
  }
  return out;
}

bool is_beyond(const ChangePoint& point, double threshold) {
  if (point.before <= 0 || point.after <= 0) return false;
  const double ratio = point.after / point.before;
  return ratio >= 1 + threshold || ratio <= 1 / (1 + threshold);
}

void find_changes(std::vector<HistorySeries>& all, const HistoryOptions& options) {
  std::map<std::string_view, std::size_t> of_path;
  for (const HistorySeries& series : all) ++of_path[series.path];
  for (HistorySeries& series : all) {
    series.level = options.level / static_cast<double>(of_path[series.path]);
    series.needed = values_needed_for_change(series.level);
    if (series.values.size() < series.needed) continue;
    series.points = change_points(series.values, series.level, options.seed);
    std::erase_if(series.points,
                  [&](const ChangePoint& point) { return !is_beyond(point, options.threshold); });
  }
}

void refuse_mixed_machines(const RunFacts& facts) {
  for (const std::string_view name : {"machine", "emulated"}) {
    const auto found = facts.find(name);
    if (found == facts.end() || found->second.size() <= 1) continue;
    throw Error(fmt::format(
        "history: the runs are of different {}: {} (--allow-other-machines takes them all the same)",
        name == "machine" ? "machines" : "emulation", fact_text(facts, name)));
  }
}

}  // namespace

OptionTable history_option_table(HistoryOptions& o) {
  constexpr std::string_view kHow = "How to decide";
  constexpr std::string_view kShow = "How to show it";
  return {
      {kHow, "metric", Takes::value, "p50|p99|throughput", "p50",
       "of the service times, or operations per second",
       [&o](const Values& v) { o.metric = word_to<Metric>("metric", kMetricNames, v.front()); }},
      {kHow, "threshold", Takes::value, "PERCENT", "5", "changes that are smaller are not marked",
       [&o](const Values& v) { o.threshold = parse_percent("threshold", v.front()); }},
      {kHow, "level", Takes::value, "PERCENT", "5",
       "probability of any false mark among the rows of one path",
       [&o](const Values& v) {
         o.level = parse_percent("level", v.front());
         if (o.level <= 0 || o.level >= 1) throw Error("--level: between 0 and 100 percent");
       }},
      {kHow, "seed", Takes::value, "N", "1", "of the permutations",
       [&o](const Values& v) { o.seed = parse_count("seed", v.front(), 0, UINT64_MAX); }},
      {kHow, "allow-other-machines", Takes::nothing, "", "", "take runs of several machines as one series",
       [&o](const Values&) { o.allow_other_machines = true; }},
      {kShow, "format", Takes::value, "text|csv|json|markdown", "text", "csv and json have every value",
       [&o](const Values& v) { o.format = parse_format(v.front(), kTableFormats); }},
      {kShow, "tables", Takes::nothing, "", "", "beyond one screen: every row, changed or not",
       [&o](const Values&) { o.tables = true; }},
      {kShow, "all", Takes::nothing, "", "", "the same as --tables",
       [&o](const Values&) { o.tables = true; }},
      {kShow, "mail", Takes::nothing, "", "", "72 columns", [&o](const Values&) { o.mail = true; }},
  };
}

HistoryResult history_of(const HistoryOptions& options) {
  if (options.operands.empty()) throw Error("history: name a directory of results, or files");
  HistoryResult result;
  for (const std::string& file : result_files(options.operands)) {
    if (result.rows.read(file) > 0)
      result.warnings.push_back(file + ": half a last line, left by a killed run, was dropped");
  }
  result.rows.finish();
  if (result.rows.runs().empty()) throw Error("history: the files hold no rows");
  result.facts = facts_of(result.rows);
  if (!options.allow_other_machines) refuse_mixed_machines(result.facts);
  result.bad_runs = runs_gone_wrong(result.rows);
  for (const MeasurementGroup& group : result.rows.groups()) {
    HistorySeries series = series_of(result.rows, group, options.metric);
    if (!series.values.empty()) result.series.push_back(std::move(series));
  }
  find_changes(result.series, options);
  return result;
}

Exit print_history(const HistoryOptions& options) {
  const HistoryResult result = history_of(options);
  if (options.format != CompareFormat::text)
    for (const std::string& warning : result.warnings)
      fmt::print(stderr, "daxrace: {}\n", shown_text(warning));
  switch (options.format) {
    case CompareFormat::csv:
      fmt::print("{}", history_csv(result, options));
      break;
    case CompareFormat::json:
      fmt::print("{}", history_json(result, options));
      break;
    case CompareFormat::markdown:
      fmt::print("{}", history_markdown(result, options));
      break;
    case CompareFormat::text:
      fmt::print("{}", options.tables ? history_tables(result, options) : history_screen(result, options));
      break;
  }
  const std::size_t latest = result.rows.runs().size() - 1;
  const bool bad = !result.bad_runs.empty() && result.bad_runs.back() == latest;
  return bad ? Exit::broken : Exit::ok;
}

}  // namespace daxrace
