#include "bench/compare/history_formats.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/cli/config_names.hpp"
#include "bench/compare/compare_words.hpp"
#include "bench/compare/history_text.hpp"
#include "harness/base/text.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

using Json = nlohmann::ordered_json;

Json json_point(const HistoryResult& result, const HistorySeries& series, const ChangePoint& point,
                Metric metric) {
  const RunColumns& after = result.rows.runs()[series.runs[point.at]];
  const RunColumns& before = result.rows.runs()[series.runs[point.at - 1]];
  return {{"time_utc", after.time_utc},
          {"commit_before", before.git_commit},
          {"commit_after", after.git_commit},
          {"kernel_before", before.kernel},
          {"kernel_after", after.kernel},
          {"change", direction_of(point, metric)},
          {"before", point.before},
          {"after", point.after},
          {"p", point.p}};
}

}  // namespace

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
                                          : fmt::format("{},{},{},{}\n", direction_of(*point, options.metric),
                                                        point->before, point->after, point->p);
    }
  }
  return out;
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
  return out.dump(2, ' ', true, Json::error_handler_t::replace) + '\n';
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
      out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", series.path,
                         markdown_text(names.name(result.rows.configs()[series.config])), after.time_utc,
                         direction_of(point, options.metric), metric_text(options.metric, point.before),
                         metric_text(options.metric, point.after), p_text(point.p),
                         markdown_text(what_changed(before, after)));
    }
  }
  return out;
}

}  // namespace daxrace
