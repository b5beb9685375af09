#include "harness/results/result_table.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration_text.hpp"
#include "harness/results/result_summary.hpp"

namespace daxrace {
namespace {

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

/// Words of `text` in lines of at most kWidth columns; the first starts at `first`, the others at `indent`.
std::string wrapped(std::string_view first, std::string_view text, std::size_t indent) {
  std::string out;
  std::string line(first);
  bool empty = true;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!empty && line.size() + 1 + word.size() > kWidth) {
      out += line + '\n';
      line = std::string(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
    at = end + 1;
  }
  return out + line + '\n';
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

// ---- terminal ----

std::string verdict_table(const Scenario& scenario, bool color) {
  constexpr std::string_view kFormat = "  {:<23} {:<14} {:<23} {:<23} {:>5} {:>8}\n";
  std::string out = fmt::format(kFormat, "protocol", "verdict", "violated", "promised", "runs", "ops");
  for (const VerdictLine& line : scenario.verdicts) {
    std::string text = fmt::format(kFormat, line.protocol, verdict_text(line), or_dash(line.violated),
                                   or_dash(line.promises), line.runs, scaled_count(line.effective_ops));
    if (color) {
      const std::string verdict = verdict_text(line);
      text.replace(text.find(verdict, 2 + line.protocol.size()), verdict.size(),
                   fmt::format("{}{}\x1b[0m", color_of(line.verdict), verdict));
    }
    out += text;
    for (const auto& [note, count] : line.notes)
      out += wrapped("      ", fmt::format("{} of {}: {}", count, line.runs, note), 8);
  }
  return out;
}

std::string path_table(const PathCost& cost, const Scenario& scenario) {
  constexpr std::string_view kFormat = "    {:<23} {:>7} {:>9}  {:<27} {:<19} {:>9}\n";
  std::string out = fmt::format("  {}\n", cost.path);
  for (const CostLine& line : cost.lines) {
    const bool reference = line.protocol == scenario.reference;
    out += fmt::format(kFormat, line.protocol, scaled_count(line.ops), time_or_dash(line.p50_ns),
                       reference ? "reference" : added_text(line),
                       reference ? "1" : ratio_with_interval(line), time_or_dash(line.response_p99_ns));
    if (line.where) out += wrapped("        where: ", where_text(*line.where, !reference), 15);
  }
  return out;
}

std::string cost_tables(const Scenario& scenario) {
  if (scenario.paths.empty()) return {};
  std::string out = fmt::format("  cost, reference {}\n", reference_text(scenario));
  out += fmt::format("    {:<23} {:>7} {:>9}  {:<27} {:<19} {:>9}\n", "path, protocol", "n", "p50",
                     "added [95 %]", "ratio [95 %]", "resp p99");
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

// ---- markdown ----

std::string markdown_row(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string markdown_verdicts(const ResultSummary& summary) {
  std::string out =
      markdown_row({"workload", "protocol", "verdict", "violated", "promised", "runs", "ops", "notes"});
  out += "| --- | --- | --- | --- | --- | ---: | ---: | --- |\n";
  for (const Scenario& scenario : summary.scenarios) {
    for (const VerdictLine& line : scenario.verdicts) {
      out += markdown_row({heading(scenario, summary), line.protocol, verdict_text(line),
                           or_dash(line.violated), or_dash(line.promises), std::to_string(line.runs),
                           scaled_count(line.effective_ops), escaped(counted_reasons(line.notes))});
    }
  }
  return out;
}

std::string markdown_costs(const ResultSummary& summary) {
  std::string out = markdown_row(
      {"workload", "path", "protocol", "n", "p50", "added [95 %]", "ratio [95 %]", "where", "response p99"});
  out += "| --- | --- | --- | ---: | ---: | --- | --- | --- | ---: |\n";
  for (const Scenario& scenario : summary.scenarios) {
    for (const PathCost& cost : scenario.paths) {
      for (const CostLine& line : cost.lines) {
        const bool reference = line.protocol == scenario.reference;
        out += markdown_row({heading(scenario, summary), cost.path, line.protocol, scaled_count(line.ops),
                             time_or_dash(line.p50_ns), reference ? "reference" : added_text(line),
                             reference ? "1" : ratio_with_interval(line),
                             line.where ? where_text(*line.where, !reference) : "-",
                             time_or_dash(line.response_p99_ns)});
      }
    }
  }
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

std::string format_results_markdown(const std::vector<Row>& rows, const TableOptions& options) {
  const ResultSummary summary = summarize_results(rows, options);
  std::string out;
  for (const std::string& origin : origins(rows)) out += origin + "\n\n";
  if (!summary.scenarios.empty())
    out +=
        fmt::format("`{}`\n\n", axes_text(summary.scenarios.front().key, constant_columns(summary.varying)));
  out += markdown_verdicts(summary);
  if (has_costs(summary, options)) out += fmt::format("\n{}", markdown_costs(summary));
  const std::string end = closing(summary, options);
  return end.empty() ? out : out + '\n' + end;
}

}  // namespace daxrace
