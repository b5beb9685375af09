#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report/plots.hpp"
#include "bench/report/section_parts.hpp"
#include "bench/report/sections.hpp"
#include "harness/base/duration_text.hpp"

namespace daxrace {
namespace {

std::string interval_text(const std::optional<Interval>& interval, std::string (*text)(double)) {
  if (!interval) return "-";
  if (!interval->bounded()) return text(interval->mid);
  return fmt::format("{} [{}, {}]", text(interval->mid), text(interval->low), text(interval->high));
}

/// What is added, and nothing where zero lies in the interval, stands out.
std::string look_of(const CostLine& line) {
  return line.added_ns && line.added_ns->bounded() && !line.added_ns->contains(0) ? "clear" : "";
}

html::Table cost_table(const PathCost& cost, const ReportScenario& one) {
  html::Table table;
  table.caption =
      fmt::format("{} in {}: service time, against {}", cost.path, one.title, one.scenario.reference);
  table.head = {html::text("protocol"),       html::number("n"),
                html::number("p50"),          html::number("added [95 %]"),
                html::number("ratio [95 %]"), html::number("blocks"),
                html::number("response p99")};
  for (const CostLine& line : cost.lines) {
    const bool reference = line.protocol == one.scenario.reference;
    html::Cell added = html::number(reference ? "reference" : interval_text(line.added_ns, signed_time));
    added.css_class = look_of(line);
    table.rows.push_back({html::heading(line.protocol), html::number(scaled_count(line.ops)),
                          html::number(time_or_dash(line.p50_ns)), added,
                          html::number(reference ? "1" : interval_text(line.ratio, ratio_text)),
                          html::number(std::to_string(line.blocks)),
                          html::number(line.response_p99_ns ? scaled_time(*line.response_p99_ns) : "-")});
  }
  return table;
}

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

std::string range_text(const PathCost& cost) {
  std::uint64_t low = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t high = 0;
  for (const CostLine& line : cost.lines) {
    if (!line.p50_ns) continue;
    low = std::min(low, *line.p50_ns);
    high = std::max(high, *line.p50_ns);
  }
  if (high == 0) return "too few operations for a median";
  return fmt::format("p50 {} to {}", time_or_dash(low), time_or_dash(high));
}

/// Open where the reader looks first: presets of one path, and the layout changes of a mix.
std::string cost_of_path(Page& page, const ReportData& data, const ReportScenario& one,
                         const PathCost& cost) {
  const bool open = one.scenario.paths.size() <= 2 || is_layout_change(cost.path);
  return fmt::format("<details class=\"path\"{}><summary>{} <small>{}</small></summary>\n{}{}</details>\n",
                     open ? " open" : "", html::escaped(cost.path), range_text(cost),
                     html::render(cost_table(cost, one)), cost_figures(page, data, one, cost));
}

std::string left_out_text(const ReportData& data) {
  std::map<std::string, std::size_t> reasons;
  for (const Origin& origin : data.origins)
    for (const auto& [reason, count] : origin.summary.left_out) reasons[reason] += count;
  if (reasons.empty()) return {};
  std::vector<std::string> texts;
  for (const auto& [reason, count] : reasons) texts.push_back(fmt::format("{} {}", count, reason));
  return paragraph(fmt::format("Episodes whose times are not compared: {}.", fmt::join(texts, "; ")));
}

}  // namespace

void add_cost(Page& page, const ReportData& data) {
  std::string markup = for_each_scenario(data, [&](const ReportScenario& one) {
    if (one.scenario.paths.empty()) return std::string();
    std::string part = fmt::format("<h3>{} <small class=\"muted\">{}; against {}{}</small></h3>\n",
                                   html::escaped(one.title), html::escaped(one.load), one.scenario.reference,
                                   one.scenario.has_reference ? "" : ", of which there are no rows");
    for (const PathCost& cost : one.scenario.paths) part += cost_of_path(page, data, one, cost);
    return part;
  });
  if (markup.empty()) {
    markup = paragraph("No episode of these files has times that may be compared.");
  } else {
    markup = paragraph(
                 "At a fixed offered load, the same for all protocols. added: median over the blocks of the "
                 "difference of the "
                 "p50 of service time, both of the same interleaved block, with its 95 % bootstrap interval; "
                 "bold where it "
                 "leaves out zero. The reference is none where every protocol does the same work, else "
                 "iolock_mmaplock. A hollow "
                 "point has too few blocks for an interval.") +
             phase_legend() + markup;
  }
  page.section("cost", "What does it cost?", markup + left_out_text(data));
}

}  // namespace daxrace
