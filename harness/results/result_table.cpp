#include "harness/results/result_table.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration_text.hpp"
#include "harness/base/text.hpp"
#include "harness/results/render/table.hpp"
#include "harness/results/result_summary.hpp"

namespace daxrace {
namespace {

using render::Align;

constexpr std::size_t kWidth = 110;
constexpr std::string_view kLegend =
    "added: median over the blocks of p50(protocol) - p50(reference), both of the same block; ratio "
    "likewise. In "
    "brackets the 95 % interval. where: mean time per operation, as the difference to the reference.";

std::string added_text(const CostLine& line) {
  if (!line.added_ns) return "-";
  const Interval& added = *line.added_ns;
  if (!added.bounded())
    return fmt::format("{} ({} of {} blocks)", signed_time(added.mid), line.blocks, kMinForInterval);
  return fmt::format("{} [{}, {}]", signed_time(added.mid), signed_time(added.low), signed_time(added.high));
}

std::string ratio_with_interval(const CostLine& line) {
  if (!line.ratio) return "-";
  const Interval& ratio = *line.ratio;
  if (!ratio.bounded()) return ratio_text(ratio.mid);
  return fmt::format("{} [{}, {}]", ratio_text(ratio.mid), ratio_text(ratio.low), ratio_text(ratio.high));
}

template <class Number>
std::string time_or_dash(const std::optional<Number>& ns) {
  return ns ? scaled_time(static_cast<double>(*ns)) : "-";
}

/// `mean +42ns = lock_wait +35ns, rest +7ns`; phases that add nothing are not named.
std::string where_text(const MeanParts& parts, bool difference) {
  const auto text = [&](double ns) { return difference ? signed_time(ns) : scaled_time(ns); };
  std::vector<std::string> named;
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    if (std::abs(parts.phases[i]) >= 0.5)
      named.push_back(fmt::format("{} {}", kPhaseNames[i], text(parts.phases[i])));
  }
  named.push_back(fmt::format("rest {}", text(parts.rest())));
  return fmt::format("mean {} = {}", text(parts.total), fmt::join(named, ", "));
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string verdict_text(const VerdictLine& line) {
  if (line.with_verdict == line.runs) return line.verdict;
  return fmt::format("{} {}/{}", line.verdict, line.with_verdict, line.runs);
}

std::string_view color_of(const std::string& verdict) {
  if (verdict == "broken") return "\x1b[1;31m";
  if (verdict == "finding") return "\x1b[33m";
  if (verdict == "kept") return "\x1b[32m";
  return "\x1b[2m";
}

std::string wrapped(std::string_view first, std::string_view text, std::size_t indent) {
  return wrapped_text(first, text, indent, kWidth);
}

std::string axes_text(const Row& key, const std::vector<std::string_view>& columns) {
  std::vector<std::string> out;
  for (const std::string_view name : columns) {
    if (const std::string value = field_text(key, column_named(name)); !value.empty())
      out.push_back(fmt::format("{}={}", name, value));
  }
  return fmt::format("{}", fmt::join(out, " "));
}

std::vector<std::string_view> constant_columns(const std::vector<std::string_view>& varying) {
  std::vector<std::string_view> out;
  for (const Column& column : kColumns) {
    const bool elsewhere = column.name == "workload" || column.name == "protocol" || column.name == "path";
    if (column.is_key && !elsewhere && std::ranges::find(varying, column.name) == varying.end())
      out.push_back(column.name);
  }
  return out;
}

/// One line per machine and commit that the rows come from.
std::set<std::string> origins(const std::vector<Row>& rows) {
  std::set<std::string> out;
  for (const Row& row : rows) {
    out.insert(fmt::format("{}, kernel {}{}, daxrace {}", or_dash(row.cpu), or_dash(row.kernel),
                           row.emulated.empty() ? "" : fmt::format(", emulated: {}", row.emulated),
                           or_dash(row.git_commit)));
  }
  return out;
}

std::string counted_reasons(const std::map<std::string, std::size_t>& reasons) {
  std::vector<std::string> out;
  for (const auto& [reason, count] : reasons)
    out.push_back(fmt::format("{} {}", count, reason.empty() ? "?" : reason));
  return fmt::format("{}", fmt::join(out, "; "));
}

std::string heading(const Scenario& scenario, const ResultSummary& summary) {
  const std::string axes = axes_text(scenario.key, summary.varying);
  return axes.empty() ? scenario.key.workload : scenario.key.workload + "  " + axes;
}

std::string reference_text(const Scenario& scenario) {
  return scenario.has_reference ? scenario.reference : scenario.reference + ", of which there are no rows";
}

std::string notes_of(const VerdictLine& line) {
  std::string out;
  for (const auto& [note, count] : line.notes)
    out += wrapped("      ", fmt::format("{} of {}: {}", count, line.runs, note), 8);
  return out;
}

std::string verdict_table(const Scenario& scenario, bool color) {
  render::Table table;
  table.columns = {{"protocol", Align::left, 23}, {"verdict", Align::left, 14}, {"violated", Align::left, 23},
                   {"promised", Align::left, 23}, {"runs", Align::right, 5},    {"ops", Align::right, 8}};
  for (const VerdictLine& line : scenario.verdicts)
    table.add({line.protocol, render::Cell(verdict_text(line)).colored(color_of(line.verdict)),
               or_dash(line.violated), or_dash(line.promises), line.runs, scaled_count(line.effective_ops)},
              notes_of(line));
  return render::text(table, {.indent = 2, .color = color});
}

std::vector<render::Column> cost_columns() {
  return {{"path, protocol", Align::left, 23},
          {"n", Align::right, 7},
          {"p50", Align::right, 9},
          {.name = "added [95 %]", .width = 27, .gap = 2},
          {"ratio [95 %]", Align::left, 19},
          {"resp p99", Align::right, 9}};
}

std::string path_table(const PathCost& cost, const Scenario& scenario) {
  render::Table table{.columns = cost_columns(), .rows = {}};
  for (const CostLine& line : cost.lines) {
    const bool reference = line.protocol == scenario.reference;
    table.add({line.protocol, scaled_count(line.ops), time_or_dash(line.p50_ns),
               reference ? "reference" : added_text(line), reference ? "1" : ratio_with_interval(line),
               time_or_dash(line.response_p99_ns)},
              line.where ? wrapped("        where: ", where_text(*line.where, !reference), 15) : "");
  }
  return fmt::format("  {}\n", cost.path) + render::text(table, {.indent = 4, .heads = false});
}

std::string cost_tables(const Scenario& scenario) {
  if (scenario.paths.empty()) return {};
  std::string out = fmt::format("  cost, reference {}\n", reference_text(scenario));
  out += render::text({.columns = cost_columns(), .rows = {}}, {.indent = 4});
  for (const PathCost& cost : scenario.paths) out += path_table(cost, scenario);
  return out;
}

bool has_costs(const ResultSummary& summary, const TableOptions& options) {
  return options.cost &&
         std::ranges::any_of(summary.scenarios, [](const Scenario& s) { return !s.paths.empty(); });
}

std::string closing(const ResultSummary& summary, const TableOptions& options) {
  std::string out;
  if (has_costs(summary, options)) out += wrapped("", kLegend, 2);
  if (options.cost && !summary.left_out.empty())
    out += wrapped(
        "", fmt::format("Episodes left out of the cost tables: {}", counted_reasons(summary.left_out)), 2);
  if (!summary.skipped.empty())
    out += wrapped("", fmt::format("Configurations skipped: {}", counted_reasons(summary.skipped)), 2);
  return out;
}

}  // namespace

std::string format_results(const std::vector<Row>& rows, const TableOptions& options) {
  const ResultSummary summary = summarize_results(rows, options);
  std::string out;
  for (const std::string& origin : origins(rows)) out += wrapped("", origin, 2);
  if (!summary.scenarios.empty())
    out += wrapped("", axes_text(summary.scenarios.front().key, constant_columns(summary.varying)), 2);
  for (const Scenario& scenario : summary.scenarios) {
    out += '\n';
    out += wrapped("", heading(scenario, summary), 2);
    out += verdict_table(scenario, options.color);
    if (options.cost) out += cost_tables(scenario);
  }
  const std::string end = closing(summary, options);
  return end.empty() ? out : out + '\n' + end;
}

}  // namespace daxrace
