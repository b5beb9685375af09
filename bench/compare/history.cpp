#include "bench/compare/history.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>
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

std::size_t position(std::string_view option, const std::string& word, const Values& names) {
  const auto found = std::ranges::find(names, word);
  if (found == names.end()) throw Error(fmt::format("--{}: {}", option, unknown_word(option, word, names)));
  return static_cast<std::size_t>(found - names.begin());
}

// ---- working it out ----

std::vector<std::uint32_t> runs_gone_wrong(const ResultSet& rows) {
  std::set<std::uint32_t> out;
  for (const EpisodeOutcome& episode : rows.episodes()) {
    const std::string_view status = rows.reasons()[episode.status];
    if (rows.reasons()[episode.verdict] == name_in(kVerdictNames, Verdict::broken) ||
        status == name_in(kStatusNames, Status::hang) || status == name_in(kStatusNames, Status::error))
      out.insert(episode.run);
  }
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

void refuse_other_machines(const RunFacts& facts) {
  for (const std::string_view name : {"machine", "emulated"}) {
    const auto found = facts.find(name);
    if (found == facts.end() || found->second.size() <= 1) continue;
    throw Error(fmt::format(
        "history: the runs are of different {}: {} (--allow-other-machines takes them all the same)",
        name == "machine" ? "machines" : "emulation", fact_text(facts, name)));
  }
}

// ---- showing it ----

std::string value_text(Metric metric, double value) {
  return metric == Metric::throughput ? fmt::format("{:.4g}/s", value) : scaled_time(value);
}

bool is_worse(const ChangePoint& point, Metric metric) {
  return (point.after > point.before) != (metric == Metric::throughput);
}

std::string_view direction(const ChangePoint& point, Metric metric) {
  return is_worse(point, metric) ? "slower" : "faster";
}

/// What differs between the run before a change and the one after it.
std::string what_changed(const RunColumns& before, const RunColumns& after) {
  std::string out = before.git_commit == after.git_commit
                        ? fmt::format("commit {} on both sides", after.git_commit)
                        : fmt::format("commit {} -> {}", before.git_commit, after.git_commit);
  if (before.kernel != after.kernel) out += fmt::format(", kernel {} -> {}", before.kernel, after.kernel);
  return out;
}

std::string run_text(const RunColumns& run) { return fmt::format("{} {}", run.time_utc, run.git_commit); }

class HistoryText {
 public:
  HistoryText(const HistoryResult& result, const HistoryOptions& options)
      : result_(result), options_(options), names_({&result.rows}, ""), width_(options.mail ? 72 : 110) {}

  std::string text() const {
    std::string out = heading();
    for (const HistorySeries& series : result_.series)
      if (!series.points.empty() || options_.all) out += lines(series);
    return out + closing();
  }

 private:
  std::string heading() const {
    const auto& runs = result_.rows.runs();
    std::string out =
        wrapped_text("",
                     fmt::format("{} from {} to {}, {}", counted(runs.size(), "run"), runs.front().time_utc,
                                 runs.back().time_utc, fact_text(result_.facts, "machine")),
                     2, width_);
    for (const std::string& warning : result_.warnings) out += wrapped_text("note ", warning, 5, width_);
    for (const std::uint32_t run : result_.bad_runs)
      out += wrapped_text("",
                          fmt::format("broken, hung or failed in the run {} ({})", run_text(runs[run]),
                                      result_.rows.files()[runs[run].file]),
                          2, width_);
    return out +
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
                       direction(point, options_.metric), value_text(options_.metric, point.before),
                       value_text(options_.metric, point.after), ratio_text(point.after / point.before),
                       p_text(point.p)) +
           wrapped_text(std::string(8, ' '), what_changed(before, after), 8, width_);
  }

  std::string closing() const {
    std::size_t changed = 0;
    std::size_t undecided = 0;
    std::size_t needed = 0;
    for (const HistorySeries& series : result_.series) {
      changed += series.points.empty() ? 0 : 1;
      undecided += series.undecided() ? 1 : 0;
      if (series.undecided()) needed = std::max(needed, series.needed);
    }
    std::string text =
        fmt::format("{}: {} with a change, {} without, {} undecided", counted(result_.series.size(), "row"),
                    changed, result_.series.size() - changed - undecided, undecided);
    if (undecided > 0) text += fmt::format(" ({} needed)", counted(needed, "run"));
    return "\n" + wrapped_text("", text, 2, width_);
  }

  const HistoryResult& result_;
  const HistoryOptions& options_;
  ConfigNames names_;
  std::size_t width_;
};

std::string history_csv(const HistoryResult& result, const HistoryOptions& options) {
  const ConfigNames names({&result.rows}, "");
  std::string out = "path,configuration,time_utc,git_commit,kernel,value,change,before,after,p\n";
  for (const HistorySeries& series : result.series) {
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const RunColumns& run = result.rows.runs()[series.runs[i]];
      const auto point = std::ranges::find(series.points, i, &ChangePoint::at);
      out += fmt::format("{},{},{},{},{},{},", csv_field(series.path),
                         csv_field(names.name(result.rows.configs()[series.config])), csv_field(run.time_utc),
                         csv_field(run.git_commit), csv_field(run.kernel), series.values[i]);
      out += point == series.points.end() ? ",,,\n"
                                          : fmt::format("{},{},{},{}\n", direction(*point, options.metric),
                                                        point->before, point->after, point->p);
    }
  }
  return out;
}

Json json_point(const HistoryResult& result, const HistorySeries& series, const ChangePoint& point,
                Metric metric) {
  const RunColumns& after = result.rows.runs()[series.runs[point.at]];
  const RunColumns& before = result.rows.runs()[series.runs[point.at - 1]];
  return {{"time_utc", after.time_utc},
          {"commit_before", before.git_commit},
          {"commit_after", after.git_commit},
          {"kernel_before", before.kernel},
          {"kernel_after", after.kernel},
          {"change", direction(point, metric)},
          {"before", point.before},
          {"after", point.after},
          {"p", point.p}};
}

std::string history_json(const HistoryResult& result, const HistoryOptions& options) {
  const ConfigNames names({&result.rows}, "");
  Json out = {{"metric", name_in(kMetricNames, options.metric)},
              {"level", options.level},
              {"threshold", options.threshold},
              {"series", Json::array()}};
  for (const HistorySeries& series : result.series) {
    Json points = Json::array();
    for (const ChangePoint& point : series.points)
      points.push_back(json_point(result, series, point, options.metric));
    Json times = Json::array();
    for (const std::uint32_t run : series.runs) times.push_back(result.rows.runs()[run].time_utc);
    out["series"].push_back({{"path", series.path},
                             {"configuration", names.name(result.rows.configs()[series.config])},
                             {"times", times},
                             {"values", series.values},
                             {"undecided", series.undecided()},
                             {"changes", points}});
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string history_markdown(const HistoryResult& result, const HistoryOptions& options) {
  const ConfigNames names({&result.rows}, "");
  std::string out =
      "| path | configuration | since | change | before | after | p | what |\n"
      "| --- | --- | --- | --- | ---: | ---: | ---: | --- |\n";
  for (const HistorySeries& series : result.series) {
    for (const ChangePoint& point : series.points) {
      const RunColumns& after = result.rows.runs()[series.runs[point.at]];
      const RunColumns& before = result.rows.runs()[series.runs[point.at - 1]];
      out +=
          fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", series.path,
                      names.name(result.rows.configs()[series.config]), after.time_utc,
                      direction(point, options.metric), value_text(options.metric, point.before),
                      value_text(options.metric, point.after), p_text(point.p), what_changed(before, after));
    }
  }
  return out;
}

}  // namespace

OptionTable history_option_table(HistoryOptions& o) {
  constexpr std::string_view kHow = "How to decide";
  constexpr std::string_view kShow = "How to show it";
  return {
      {kHow, "metric", Takes::value, "p50|p99|throughput", "p50",
       "of the service times, or operations per second",
       [&o](const Values& v) {
         o.metric =
             static_cast<Metric>(position("metric", v.front(), {kMetricNames.begin(), kMetricNames.end()}));
       }},
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
       [&o](const Values& v) {
         o.format =
             static_cast<CompareFormat>(position("format", v.front(), {"text", "csv", "json", "markdown"}));
       }},
      {kShow, "all", Takes::nothing, "", "", "list rows without a change, too",
       [&o](const Values&) { o.all = true; }},
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
  if (!options.allow_other_machines) refuse_other_machines(result.facts);
  result.bad_runs = runs_gone_wrong(result.rows);
  for (const MeasurementGroup& group : result.rows.groups()) {
    HistorySeries series = series_of(result.rows, group, options.metric);
    if (!series.values.empty()) result.series.push_back(std::move(series));
  }
  find_changes(result.series, options);
  return result;
}

std::string history_text(const HistoryResult& result, const HistoryOptions& options) {
  return HistoryText(result, options).text();
}

Exit print_history(const HistoryOptions& options) {
  const HistoryResult result = history_of(options);
  if (options.format != CompareFormat::text)
    for (const std::string& warning : result.warnings) fmt::print(stderr, "daxrace: {}\n", warning);
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
      fmt::print("{}", history_text(result, options));
      break;
  }
  const std::size_t latest = result.rows.runs().size() - 1;
  const bool bad = !result.bad_runs.empty() && result.bad_runs.back() == latest;
  return bad ? Exit::broken : Exit::ok;
}

}  // namespace daxrace
