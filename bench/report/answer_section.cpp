#include <algorithm>

#include <fmt/format.h>

#include "bench/report/cost_figures.hpp"
#include "bench/report/section_parts.hpp"
#include "bench/report/sections.hpp"
#include "harness/results/answer/answer_words.hpp"

namespace daxrace {
namespace {

html::Cell outcome_cell(HazardOutcome outcome) {
  return {fmt::format("<abbr title=\"{}\">{}</abbr>", name_of(outcome), letter_of(outcome)), false, false,
          fmt::format("cell {}", name_of(outcome))};
}

html::Table matrix_table(const Answer& answer) {
  html::Table table;
  table.caption = "Each protocol against each hazard, all workloads together";
  table.head.push_back(html::text("protocol"));
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    table.head.push_back(
        {fmt::format("{}<small>{}</small>", kHazardNames[i], html::escaped(kHazardMeanings[i])), false, false,
         "hazard"});
  for (const ProtocolAnswer& one : answer.protocols) {
    std::vector<html::Cell> cells = {html::heading(one.protocol)};
    for (const HazardOutcome outcome : one.outcomes) cells.push_back(outcome_cell(outcome));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

/// Only the signs that stand in the table.
std::string matrix_legend(const Answer& answer) {
  std::string out = "<ul class=\"legend\" aria-label=\"Signs\">";
  for (std::size_t i = 0; i < kOutcomeLetters.size(); ++i) {
    const auto outcome = static_cast<HazardOutcome>(i);
    if (any_outcome(answer, outcome))
      out += fmt::format("<li><span class=\"cell {}\">{}</span> {}</li>", name_of(outcome),
                         letter_of(outcome), html::escaped(meaning_of(outcome)));
  }
  return out + "</ul>\n";
}

std::string words_of(const Answer& answer) {
  std::string out;
  for (const Sentence& sentence : sentences(answer)) out += paragraph(sentence.text);
  if (const std::string harmed = harmed_text(answer); !harmed.empty())
    out += paragraph(fmt::format("Harm was seen under {}.", harmed));
  return out + paragraph(fmt::format("{} daxrace litmus", kNotSeenIsNotSafe));
}

/// The plots of the path that the sentences are about.
std::string figures_of(Page& page, const ReportData& data, const Origin& origin) {
  if (origin.answer.columns.empty()) return {};
  const CostColumn& column = origin.answer.columns.back();
  const ReportScenario& one = origin.scenarios.at(column.scenario);
  const auto cost = std::ranges::find(one.scenario.paths, column.path, &PathCost::path);
  return fmt::format("<div class=\"beside\">{}{}</div>\n", cost_figures(page, data, one, *cost),
                     phase_legend());
}

std::string answer_of_origin(Page& page, const ReportData& data, const Origin& origin) {
  const Answer& answer = origin.answer;
  if (answer.protocols.empty()) return {};
  return fmt::format("{}<div class=\"answer\"><div>{}{}</div>\n{}</div>\n", words_of(answer),
                     html::render(matrix_table(answer)), matrix_legend(answer),
                     figures_of(page, data, origin));
}

}  // namespace

void add_answer(Page& page, const ReportData& data) {
  std::string markup;
  for (const Origin& origin : data.origins) {
    const std::string part = answer_of_origin(page, data, origin);
    if (part.empty()) continue;
    if (data.origins.size() > 1) markup += fmt::format("<h3>{}</h3>\n", html::escaped(origin.text));
    markup += part;
  }
  if (!markup.empty()) page.opening("answer", "The answer", markup);
}

}  // namespace daxrace
