#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "bench/report/section_parts.hpp"
#include "bench/report/sections.hpp"

namespace daxrace {
namespace {

std::string timeline_markup(const std::vector<std::string>& lines) {
  std::string out = "<pre tabindex=\"0\">";
  for (const std::string& line : lines) {
    const std::string text = html::escaped(line);
    out += line.find("VIOLATION") == std::string::npos ? text
                                                       : fmt::format("<span class=\"hit\">{}</span>", text);
    out += '\n';
  }
  return out + "</pre>\n";
}

std::string violation_markup(const ViolationRecord& violation) {
  return html::folded(
      html::escaped(violation.heading),
      fmt::format("<p class=\"muted\">repetition {}, seed {}</p>\n{}", html::escaped(violation.repetition),
                  html::escaped(violation.seed), timeline_markup(violation.timeline)));
}

/// Detector and hazard: what stands before the colon.
std::string kind_of(const ViolationRecord& violation) {
  return violation.heading.substr(0, violation.heading.find(':'));
}

std::string by_configuration(const std::vector<ViolationRecord>& violations, std::string_view what) {
  std::vector<std::string> order;
  for (const ViolationRecord& violation : violations)
    if (std::ranges::find(order, violation.configuration) == order.end())
      order.push_back(violation.configuration);
  std::string out;
  for (const std::string& configuration : order) {
    std::string inner;
    std::size_t count = 0;
    std::set<std::string> kinds;
    for (const ViolationRecord& violation : violations) {
      if (violation.configuration != configuration) continue;
      ++count;
      if (kinds.insert(kind_of(violation)).second) inner += violation_markup(violation);
    }
    if (kinds.size() < count)
      inner +=
          paragraph(fmt::format("The first of each kind; {} more in the .run.json.", count - kinds.size()));
    out += html::folded(fmt::format("<code>{}</code> {} {}{}", html::escaped(configuration), count, what,
                                    count == 1 ? "" : "s"),
                        "<div class=\"inner\">" + inner + "</div>\n");
  }
  return out;
}

/// Mitigations have a list of their own.
std::string facts_markup(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string out = "<dl class=\"facts\">";
  for (const auto& [name, value] : facts)
    if (name != "mitigations")
      out += fmt::format("<dt>{}</dt><dd>{}</dd>", html::escaped(name),
                         value.empty() ? "-" : html::escaped(value));
  return out + "</dl>\n";
}

}  // namespace

void add_violations(Page& page, const RunRecords& records) {
  std::string markup;
  for (const RunRecord& run : records.runs) {
    if (run.violations.empty() && run.hangs.empty()) continue;
    if (records.runs.size() > 1) markup += fmt::format("<h3>Run {}</h3>\n", html::escaped(run.run_id));
    markup += by_configuration(run.hangs, "hang") + by_configuration(run.violations, "timeline");
    if (run.violations_not_shown > 0)
      markup += paragraph(fmt::format("{} more of the same kinds were seen and their timelines not kept.",
                                      run.violations_not_shown));
  }
  page.section("violations", "What happened?", markup);
}

void add_environment(Page& page, const RunRecords& records) {
  std::string markup;
  for (const RunRecord& run : records.runs) {
    markup += fmt::format("<h3>Run {} <small class=\"muted\">{}, ended: {}</small></h3>\n",
                          html::escaped(run.run_id), html::escaped(run.time_utc), html::escaped(run.outcome));
    markup += fmt::format("<pre tabindex=\"0\">{}</pre>\n", html::escaped(shell_line(run.command_line)));
    markup += facts_markup(run.environment);
    if (!run.mitigations.empty()) markup += html::folded("Mitigations", facts_markup(run.mitigations));
    if (!run.build.empty()) markup += html::folded("Build", facts_markup(run.build));
  }
  page.section("environment", "On what, and how?", markup);
}

}  // namespace daxrace
