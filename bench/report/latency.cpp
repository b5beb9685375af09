#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "bench/report/plots.hpp"
#include "bench/report/section_parts.hpp"
#include "bench/report/sections.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/results/statistics.hpp"

namespace daxrace {
namespace {

std::optional<double> time_at(const Histogram& latencies, double share) {
  const auto ns = latencies.quantile(share);
  return ns ? std::optional(static_cast<double>(*ns)) : std::nullopt;
}

html::Table quantiles(const std::string& title, const ReportData& data,
                      const std::map<std::string, PathSample>& samples) {
  html::Table table{title, {html::text("protocol")}, {}};
  for (const char* name : {"n", "p50", "p90", "p99", "p99.9", "max"})
    table.head.push_back(html::number(name));
  for (const std::string& protocol : in_page_order(data, samples)) {
    const Histogram& latencies = samples.at(protocol).latencies;
    std::vector<html::Cell> row = {html::heading(protocol), html::number(scaled_count(latencies.count()))};
    for (const double q : {0.5, 0.9, 0.99, 0.999})
      row.push_back(html::number(time_or_dash(latencies.quantile(q))));
    row.push_back(html::number(time_or_dash(latencies.max())));
    table.rows.push_back(row);
  }
  return table;
}

std::string distributions_of(Page& page, const ReportData& data, const ReportScenario& one) {
  std::string figures;
  for (const std::string& path : paths_in_order(one.samples)) {
    std::vector<PairRow> rows;
    for (const std::string& protocol : in_page_order(data, one.samples.at(path))) {
      const Histogram& latencies = one.samples.at(path).at(protocol).latencies;
      const PairRow row{
          {protocol, data.index_of(protocol)}, time_at(latencies, 0.5), time_at(latencies, 0.99)};
      if (row.hollow || row.full) rows.push_back(row);
    }
    const html::Table numbers = quantiles(path + " in " + one.title, data, one.samples.at(path));
    if (!rows.empty()) figures += page.figure(pair_plot(rows, "hollow p50, full p99"), path, numbers);
  }
  if (figures.empty()) return {};
  return fmt::format("<h3>{} <small class=\"muted\">{}</small></h3>\n<div class=\"figures\">{}</div>\n",
                     html::escaped(one.title), html::escaped(one.load), figures);
}

// ---- one axis varied ----

/// Scenarios that differ in nothing but one column, in its order.
struct Family {
  std::string title;
  std::vector<const ReportScenario*> members;
};

std::vector<Family> families(const ReportData& data, std::initializer_list<std::string_view> varied) {
  std::map<std::string, std::vector<const ReportScenario*>> groups;
  std::vector<std::string> order;
  for (const Origin& origin : data.origins) {
    for (const ReportScenario& one : origin.scenarios) {
      const std::string key = origin.text + key_of(one.scenario.key, varied);
      if (!groups.contains(key)) order.push_back(key);
      groups[key].push_back(&one);
    }
  }
  std::vector<Family> out;
  for (const std::string& key : order) {
    const auto& members = groups.at(key);
    if (members.size() < 2) continue;
    const Row& row = members.front()->scenario.key;
    out.push_back({fmt::format("{}, {} load", row.workload, row.load), members});
  }
  return out;
}

using Value = std::optional<double>;
using Series = std::map<std::string, std::vector<std::pair<double, Value>>>;  ///< by protocol: threads, value

Value p50_of(const ReportScenario& one, const std::string& path, const std::string& protocol) {
  const auto samples = one.samples.find(path);
  if (samples == one.samples.end() || !samples->second.contains(protocol)) return {};
  const auto ns = samples->second.at(protocol).latencies.quantile(0.5);
  return ns ? Value(static_cast<double>(*ns)) : Value();
}

Value throughput_of(const ReportScenario& one, const std::string& path, const std::string& protocol) {
  const auto rates = one.throughput.find(path);
  if (rates == one.throughput.end() || !rates->second.contains(protocol)) return {};
  return median(rates->second.at(protocol));
}

Series series_of(const ReportData& data, const Family& family, const std::string& path, bool closed) {
  Series series;
  for (const ReportScenario* one : family.members) {
    const auto threads = static_cast<double>(one->scenario.key.threads.value_or(0));
    for (const std::string& protocol : data.protocols) {
      const Value value = closed ? throughput_of(*one, path, protocol) : p50_of(*one, path, protocol);
      if (value) series[protocol].emplace_back(threads, value);
    }
  }
  for (auto& [protocol, points] : series)
    std::ranges::sort(points, {}, [](const auto& point) { return point.first; });
  return series;
}

html::Table threads_numbers(const std::string& title, const ReportData& data, const Series& series,
                            bool closed) {
  html::Table table{title, {html::text("protocol")}, {}};
  std::vector<double> counts;
  for (const auto& [protocol, points] : series)
    for (const auto& [threads, value] : points)
      if (std::ranges::find(counts, threads) == counts.end()) counts.push_back(threads);
  std::ranges::sort(counts);
  for (const double threads : counts)
    table.head.push_back(html::number(fmt::format("{:.0f} threads", threads)));
  for (const std::string& protocol : in_page_order(data, series)) {
    std::vector<html::Cell> row = {html::heading(protocol)};
    for (const double threads : counts) {
      const auto& points = series.at(protocol);
      const auto found =
          std::ranges::find_if(points, [&](const auto& point) { return point.first == threads; });
      if (found == points.end())
        row.push_back(html::number("-"));
      else
        row.push_back(html::number(closed ? scaled_count(static_cast<std::uint64_t>(*found->second)) + "/s"
                                          : scaled_time(*found->second)));
    }
    table.rows.push_back(row);
  }
  return table;
}

std::string scaling_of(Page& page, const ReportData& data, const Family& family) {
  const bool closed = family.members.front()->scenario.key.load == name_in(kLoadNames, Load::closed);
  std::map<std::string, bool> paths;
  for (const ReportScenario* one : family.members) {
    for (const auto& [path, rates] : one->throughput)
      if (closed) paths[path] = true;
    for (const auto& [path, samples] : one->samples) paths[path] = true;
  }
  std::string figures;
  for (const std::string& path : paths_in_order(paths)) {
    const Series series = series_of(data, family, path, closed);
    std::vector<Curve> curves;
    for (const std::string& protocol : in_page_order(data, series)) {
      Curve curve{data.index_of(protocol), {}};
      for (const auto& [threads, value] : series.at(protocol)) curve.points.emplace_back(threads, *value);
      if (curve.points.size() > 1) curves.push_back(curve);
    }
    if (curves.empty()) continue;
    const std::string caption = path + (closed ? ": operations per second" : ": p50 of service time");
    figures += page.figure(threads_plot(curves, closed ? "per second" : "p50", !closed), caption,
                           threads_numbers(caption, data, series, closed));
  }
  if (figures.empty()) return {};
  return fmt::format("<h3>{}</h3>\n<div class=\"figures\">{}</div>\n", html::escaped(family.title), figures);
}

const ReportScenario* placed(const Family& family, Placement placement) {
  const auto found = std::ranges::find_if(family.members, [&](const ReportScenario* one) {
    return one->scenario.key.placement == name_in(kPlacementNames, placement);
  });
  return found == family.members.end() ? nullptr : *found;
}

std::string placement_of(Page& page, const ReportData& data, const Family& family) {
  const ReportScenario* local = placed(family, Placement::local);
  const ReportScenario* remote = placed(family, Placement::remote);
  if (local == nullptr || remote == nullptr) return {};
  std::string figures;
  for (const std::string& path : paths_in_order(local->samples)) {
    std::vector<PairRow> rows;
    html::Table numbers{path + " in " + family.title,
                        {html::text("protocol"), html::number("local p50"), html::number("remote p50"),
                         html::number("ratio")},
                        {}};
    for (const std::string& protocol : data.protocols) {
      const Value near = p50_of(*local, path, protocol);
      const Value far = p50_of(*remote, path, protocol);
      if (!near || !far || *near <= 0) continue;
      rows.push_back({{protocol, data.index_of(protocol)}, near, far});
      numbers.rows.push_back({html::heading(protocol), html::number(scaled_time(*near)),
                              html::number(scaled_time(*far)), html::number(ratio_text(*far / *near))});
    }
    if (!rows.empty())
      figures += page.figure(pair_plot(rows, "p50: hollow local, full remote"), path + ": local and remote",
                             numbers);
  }
  if (figures.empty()) return {};
  return fmt::format("<h3>{}</h3>\n<div class=\"figures\">{}</div>\n", html::escaped(family.title), figures);
}

// ---- starvation ----

Value p99_of(const WaitSample& wait) { return wait.p99_ns.empty() ? Value() : Value(median(wait.p99_ns)); }

std::string starvation_of(Page& page, const ReportData& data, const ReportScenario& one) {
  std::string figures;
  for (const std::string& path : paths_in_order(one.waits)) {
    const auto& waits = one.waits.at(path);
    std::vector<PairRow> rows;
    html::Table numbers{
        path + " in " + one.title,
        {html::text("protocol"), html::number("n"), html::number("p99 wait"), html::number("longest wait")},
        {}};
    for (const std::string& protocol : in_page_order(data, waits)) {
      const WaitSample& wait = waits.at(protocol);
      const Value p99 = p99_of(wait);
      rows.push_back({{protocol, data.index_of(protocol)}, p99, static_cast<double>(wait.max_ns)});
      numbers.rows.push_back({html::heading(protocol), html::number(scaled_count(wait.ops)),
                              html::number(p99 ? scaled_time(*p99) : "-"),
                              html::number(scaled_time(static_cast<double>(wait.max_ns)))});
    }
    const bool waited =
        std::ranges::any_of(rows, [](const PairRow& row) { return row.full.value_or(0) > 0; });
    if (waited)
      figures += page.figure(pair_plot(rows, "wait: hollow p99, full longest"),
                             fmt::format("{} in {}", path, one.title), numbers);
  }
  return figures;
}

}  // namespace

void add_distributions(Page& page, const ReportData& data) {
  const std::string markup =
      for_each_scenario(data, [&](const ReportScenario& one) { return distributions_of(page, data, one); });
  if (markup.empty()) return;
  page.section(
      "latency", "How are latencies distributed?",
      paragraph("Median and 99th percentile of the service time, all repetitions merged; one that has "
                "fewer than ten operations beyond it is not drawn. More quantiles under Numbers.") +
          markup);
}

void add_scaling(Page& page, const ReportData& data) {
  std::string markup;
  for (const Family& family : families(data, {"protocol", "path", "threads", "offered_per_s"}))
    markup += scaling_of(page, data, family);
  page.section("scaling", "How does it scale?", markup.empty() ? "" : protocol_legend(data) + markup);
}

void add_placement(Page& page, const ReportData& data) {
  std::string markup;
  for (const Family& family : families(data, {"protocol", "path", "placement"}))
    markup += placement_of(page, data, family);
  page.section("placement", "Local or remote?", markup);
}

void add_starvation(Page& page, const ReportData& data) {
  const std::string figures =
      for_each_scenario(data, [&](const ReportScenario& one) { return starvation_of(page, data, one); });
  if (figures.empty()) return;
  page.section(
      "starvation", "Is a layout change starved?",
      paragraph("What a punch, truncate or evict waited for locks, busy pages, direct I/O and leases "
                "together: p99 is the median of the repetitions, the longest is that of all.") +
          fmt::format("<div class=\"figures\">{}</div>\n", figures));
}

}  // namespace daxrace
