#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report/section_parts.hpp"
#include "bench/report/sections.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/results/answer/answer_words.hpp"

namespace daxrace {
namespace {

bool is_known_verdict(const std::string& verdict) {
  return std::ranges::find(kVerdictNames, verdict) != kVerdictNames.end();
}

html::Cell verdict_cell(const VerdictLine& line) {
  std::string words = line.verdict.empty() ? "-" : line.verdict;
  if (line.with_verdict != line.runs) words += fmt::format(" {}/{}", line.with_verdict, line.runs);
  std::string markup = fmt::format("<span class=\"v\">{}</span>", html::escaped(words));
  if (!line.violated.empty()) markup += fmt::format("<small>{}</small>", html::escaped(line.violated));
  for (const auto& [note, count] : line.notes)
    if (!line.of_saturated.contains(note))
      markup +=
          fmt::format("<br><small>{}x {}</small>", count, html::escaped(note.substr(0, note.find(':'))));
  return {markup, false, false, "wrap " + (is_known_verdict(line.verdict) ? line.verdict : "")};
}

const VerdictLine* line_of(const Scenario& scenario, const std::string& protocol) {
  const auto found = std::ranges::find(scenario.verdicts, protocol, &VerdictLine::protocol);
  return found == scenario.verdicts.end() ? nullptr : &*found;
}

/// Protocols that have a verdict somewhere; configurations that never ran have none.
std::vector<std::string> judged_protocols(const ReportData& data, const Origin& origin) {
  std::vector<std::string> out;
  for (const std::string& protocol : data.protocols)
    if (std::ranges::any_of(origin.scenarios, [&](const ReportScenario& s) {
          return line_of(s.scenario, protocol) != nullptr;
        }))
      out.push_back(protocol);
  return out;
}

std::string promises_of(const Origin& origin, const std::string& protocol) {
  for (const ReportScenario& one : origin.scenarios)
    if (const VerdictLine* line = line_of(one.scenario, protocol); line != nullptr && !line->promises.empty())
      return line->promises;
  return "nothing";
}

html::Table verdict_table(const ReportData& data, const Origin& origin) {
  html::Table table;
  table.caption = "Verdict of each protocol under each workload; below a verdict, the hazards that were seen";
  table.head = {html::text("protocol"), html::text("promises to stop")};
  for (const ReportScenario& one : origin.scenarios)
    table.head.push_back(
        {fmt::format("{}<small>{}</small>", html::escaped(one.title), html::escaped(one.load)), false, false,
         "load"});
  for (const std::string& protocol : judged_protocols(data, origin)) {
    std::string promises = html::escaped(promises_of(origin, protocol));
    for (std::size_t at = 0; (at = promises.find('+', at)) != std::string::npos; at += 6)
      promises.replace(at, 1, "+<wbr>");
    std::vector<html::Cell> row = {html::heading(protocol),
                                   {fmt::format("<small>{}</small>", promises), false, false, "set"}};
    for (const ReportScenario& one : origin.scenarios) {
      const VerdictLine* line = line_of(one.scenario, protocol);
      row.push_back(line == nullptr ? html::text("") : verdict_cell(*line));
    }
    table.rows.push_back(row);
  }
  return table;
}

html::Table detector_table(const ReportData& data, const Origin& origin) {
  html::Table table;
  table.caption = "What the oracle counted, all repetitions together";
  table.head = {html::text("workload"), html::text("protocol")};
  for (const std::string_view name : kDetectorNames) table.head.push_back(html::number(name));
  table.head.push_back(html::number("hang"));
  for (const ReportScenario& one : origin.scenarios) {
    for (const std::string& protocol : in_page_order(data, one.detected)) {
      const DetectorCounts& counts = one.detected.at(protocol);
      if (!counts.any()) continue;
      std::vector<html::Cell> row = {html::heading(one.title), html::text(protocol)};
      for (const std::uint64_t count : counts.seen)
        row.push_back(html::number(count > 0 ? scaled_count(count) : ""));
      row.push_back(html::number(counts.hang > 0 ? scaled_count(counts.hang) : ""));
      table.rows.push_back(row);
    }
  }
  return table;
}

/// What did not end well, in words: the grave things first.
html::Table remark_table(const Origin& origin) {
  html::Table table;
  table.caption = "Episodes with a remark";
  table.head = {html::text("workload"), html::text("protocol"), html::number("of"), html::text("remark")};
  for (const ReportScenario& one : origin.scenarios)
    for (const VerdictLine& line : one.scenario.verdicts)
      for (const auto& [note, count] : line.notes) {
        html::Cell remark = html::text(note);
        remark.css_class = "wide";
        table.rows.push_back({html::heading(one.title), html::text(line.protocol),
                              html::number(fmt::format("{}/{}", count, line.runs)), remark});
      }
  return table;
}

html::Table skipped_table(const Origin& origin) {
  html::Table table;
  table.caption = "Configurations that could not run";
  table.head = {html::number("count"), html::text("reason")};
  for (const auto& [reason, count] : origin.summary.skipped) {
    html::Cell why = html::text(reason);
    why.css_class = "wide";
    table.rows.push_back({html::number(std::to_string(count)), why});
  }
  return table;
}

std::string folded_if_any(const html::Table& table) {
  if (table.rows.empty()) return {};
  return html::folded(fmt::format("{} ({})", html::escaped(table.caption), table.rows.size()),
                      html::render(table));
}

std::string promise_markup(const char* look, std::string_view words) {
  return fmt::format("<p class=\"{}\"><strong>{}</strong></p>\n", look, html::escaped(words));
}

std::string problem_markup(const Problem& problem, const std::vector<std::string>& names) {
  const ProblemWords words = problem_words(problem, names);
  return fmt::format("<p class=\"{}\"><strong>{}</strong>{}<br><code>{}</code></p>\n",
                     is_bad(problem) ? "bad" : "warn", words.kind, html::escaped(words.rest),
                     html::escaped(words.command));
}

/// As on the screen. Green is for what was kept: where anything got through, promised or not, nothing is
/// green.
std::string outcome(const ReportData& data, const std::vector<std::string>& names) {
  if (data.episodes == 0) return promise_markup("warn", "Nothing ran.");
  std::string problems;
  std::size_t harmed = 0;
  bool bad = false;
  bool any = false;
  for (const Origin& origin : data.origins) {
    harmed += origin.answer.harmed;
    for (const Problem& problem : origin.answer.problems) {
      problems += problem_markup(problem, names);
      bad = bad || is_bad(problem);
      any = true;
    }
  }
  const std::string harm = harm_words(harmed, data.episodes);
  if (bad) return problems + promise_markup("bad", harm);
  return promise_markup(any || harmed > 0 ? "warn" : "good", fmt::format("{} {}", kNoPromiseBroken, harm)) +
         problems;
}

}  // namespace

std::string lead(const ReportData& data, const RunRecords& records, const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(std::filesystem::path(file).filename().string());
  std::string out = outcome(data, names) + "<dl class=\"facts\">";
  const auto fact = [&](std::string_view name, const std::string& value) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", name, html::escaped(value));
  };
  for (const Origin& origin : data.origins) {
    const std::vector<std::string> words = head_words(origin.answer);
    fact("ran", words.front());
    fact("from", origin.text);
    for (std::size_t i = 2; i < words.size(); ++i) fact("note", words[i]);
  }
  for (const RunRecord& run : records.runs)
    fact("run", fmt::format("{}, ended: {}", run.time_utc, run.outcome));
  fact(files.size() == 1 ? "file" : "files", fmt::format("{}", fmt::join(names, ", ")));
  out += "</dl>\n";
  for (const std::string& remark : records.remarks)
    out += fmt::format("<p class=\"warn\">{}</p>\n", html::escaped(remark));
  return out;
}

void add_safety(Page& page, const ReportData& data) {
  std::string markup;
  for (const Origin& origin : data.origins) {
    if (data.origins.size() > 1) markup += fmt::format("<h3>{}</h3>\n", html::escaped(origin.text));
    if (!origin.scenarios.empty()) markup += html::render(verdict_table(data, origin));
    markup += folded_if_any(detector_table(data, origin));
    markup += folded_if_any(remark_table(origin));
    markup += folded_if_any(skipped_table(origin));
  }
  std::string meanings;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    meanings += fmt::format("{}{} {}", i > 0 ? ", " : "", kHazardNames[i], kHazardMeanings[i]);
  markup += paragraph(
      "kept: nothing promised was violated. broken: a promise was. finding: a faithful model of a kernel "
      "broke one as "
      "declared beside it. expected: only hazards that are not promised were seen. unseen: unsafe by "
      "declaration, not caught "
      "this time.");
  markup += paragraph("Hazards: " + meanings + ".");
  page.section("safety", "Is it safe?", markup);
}

}  // namespace daxrace
