#include "bench/report/cost_figures.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bench/report/plots.hpp"
#include "bench/report/section_parts.hpp"
#include "harness/base/duration_text.hpp"

namespace daxrace {
namespace {

html::Table added_numbers(const std::vector<IntervalRow>& rows) {
  html::Table table{"Added time",
                    {html::text("protocol"), html::number("added"), html::number("from"), html::number("to")},
                    {}};
  for (const IntervalRow& row : rows) {
    const bool bounded = row.interval.bounded();
    table.rows.push_back({html::heading(row.label), html::number(signed_time(row.interval.mid)),
                          html::number(bounded ? signed_time(row.interval.low) : "-"),
                          html::number(bounded ? signed_time(row.interval.high) : "-")});
  }
  return table;
}

html::Table parts_numbers(const std::vector<PartsRow>& rows) {
  html::Table table{
      "Mean time per operation and its parts", {html::text("protocol"), html::number("mean")}, {}};
  for (const std::string_view phase : kPhaseNames) table.head.push_back(html::number(phase));
  table.head.push_back(html::number("rest"));
  for (const PartsRow& row : rows) {
    double sum = 0;
    for (const double part : row.parts) sum += part;
    std::vector<html::Cell> cells = {html::heading(row.label), html::number(scaled_time(sum))};
    for (const double part : row.parts) cells.push_back(html::number(scaled_time(part)));
    table.rows.push_back(cells);
  }
  return table;
}

std::vector<IntervalRow> added_rows(const ReportData& data, const PathCost& cost,
                                    const std::string& reference) {
  std::vector<IntervalRow> rows;
  for (const CostLine& line : cost.lines) {
    if (line.protocol == reference) {
      rows.push_back({{line.protocol, data.index_of(line.protocol)}, {0, 0, 0}});
    } else if (line.added_ns) {
      rows.push_back({{line.protocol, data.index_of(line.protocol)}, *line.added_ns});
    }
  }
  std::ranges::sort(rows, {}, &IntervalRow::colour);
  return rows;
}

std::vector<PartsRow> parts_rows(const ReportData& data, const std::map<std::string, PathSample>& samples) {
  std::vector<PartsRow> rows;
  for (const std::string& protocol : in_page_order(data, samples)) {
    const MeanParts& mean = samples.at(protocol).mean;
    PartsRow row{{protocol, data.index_of(protocol)}, {}};
    std::ranges::copy(mean.phases, row.parts.begin());
    row.parts.back() = mean.rest();
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

std::string cost_figures(Page& page, const ReportData& data, const ReportScenario& one,
                         const PathCost& cost) {
  std::string figures;
  const std::vector<IntervalRow> added = added_rows(data, cost, one.scenario.reference);
  if (added.size() > 1)
    figures +=
        page.figure(interval_plot(added, "added p50"),
                    fmt::format("{}: added to {}", cost.path, one.scenario.reference), added_numbers(added));
  const std::vector<PartsRow> parts = parts_rows(data, one.samples.at(cost.path));
  figures += page.figure(parts_plot(parts, "mean per operation"), cost.path + ": where the time goes",
                         parts_numbers(parts));
  return fmt::format("<div class=\"figures\">{}</div>\n", figures);
}

}  // namespace daxrace
