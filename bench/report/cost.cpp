#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report/cost_figures.hpp"
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
                html::number("ratio [95 %]"), html::number("blocks")};
  const bool responses =
      std::ranges::any_of(cost.lines, [](const CostLine& line) { return line.response_p99_ns.has_value(); });
  if (responses) table.head.push_back(html::number("response p99"));
  for (const CostLine& line : cost.lines) {
    const bool reference = line.protocol == one.scenario.reference;
    html::Cell added = html::number(reference ? "reference" : interval_text(line.added_ns, signed_time));
    added.css_class = look_of(line);
    table.rows.push_back({html::heading(line.protocol), html::number(scaled_count(line.ops)),
                          html::number(time_or_dash(line.p50_ns)), added,
                          html::number(reference ? "1" : interval_text(line.ratio, ratio_text)),
                          html::number(std::to_string(line.blocks))});
    if (responses)
      table.rows.back().push_back(
          html::number(line.response_p99_ns ? scaled_time(*line.response_p99_ns) : "-"));
  }
  return table;
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

std::string cost_of_path(Page& page, const ReportData& data, const ReportScenario& one,
                         const PathCost& cost) {
  // What the protocols are about: the layout changes of a mix, and what is measured by itself.
  const bool drawn = one.scenario.paths.size() <= 2 || is_layout_change(cost.path);
  return fmt::format("<details class=\"path\"><summary>{} <small>{}</small></summary>\n{}{}</details>\n",
                     html::escaped(cost.path), range_text(cost), html::render(cost_table(cost, one)),
                     drawn ? cost_figures(page, data, one, cost) : "");
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
