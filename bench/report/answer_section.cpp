#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report/cost_figures.hpp"
#include "bench/report/hazard_matrix.hpp"
#include "bench/report/section_parts.hpp"
#include "bench/report/sections.hpp"
#include "harness/base/duration_text.hpp"

namespace daxrace {
namespace {

html::Table matrix_table(const std::vector<HazardRow>& rows) {
  html::Table table;
  table.caption = "Each protocol against each hazard, all workloads together";
  table.head.push_back(html::text("protocol"));
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    table.head.push_back(
        {fmt::format("{}<small>{}</small>", kHazardNames[i], html::escaped(kHazardMeanings[i])), false, false,
         "hazard"});
  for (const HazardRow& row : rows) {
    std::vector<html::Cell> cells = {html::heading(row.protocol)};
    for (const HazardCell cell : row.cells)
      cells.push_back({fmt::format("<abbr title=\"{}\">{}</abbr>", name_of(cell), letter_of(cell)), false,
                       false, fmt::format("cell {}", name_of(cell))});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

/// Only the signs that stand in the table.
std::string matrix_legend(const std::vector<HazardRow>& rows) {
  constexpr std::array<std::string_view, 6> kMeanings = {
      "a promise was broken",
      "broken as the authors' kernel breaks it, declared beside the promise",
      "harm seen, nothing was promised",
      "promised and kept, put to the test",
      "not promised, put to the test, not seen this time",
      "not put to the test"};
  std::string out = "<ul class=\"legend\" aria-label=\"Signs\">";
  for (std::size_t i = 0; i < kMeanings.size(); ++i) {
    const auto cell = static_cast<HazardCell>(i);
    if (std::ranges::any_of(rows, [&](const HazardRow& row) { return row.has(cell); }))
      out += fmt::format("<li><span class=\"cell {}\">{}</span> {}</li>", name_of(cell), letter_of(cell),
                         kMeanings[i]);
  }
  return out + "</ul>\n";
}

std::string safety_words(const std::vector<HazardRow>& rows) {
  std::vector<std::string> safe;
  std::vector<std::string> harmed;
  for (const HazardRow& row : rows) {
    if (row.seen().empty())
      safe.push_back(row.protocol);
    else
      harmed.push_back(fmt::format("{} ({})", row.protocol, row.seen()));
  }
  std::string out;
  if (!safe.empty()) out += fmt::format("Nothing got through: {}. ", fmt::join(safe, ", "));
  if (!harmed.empty()) out += fmt::format("Harm was seen under {}. ", fmt::join(harmed, ", "));
  return out + "Not seen is not safe: daxrace litmus decides every hazard.";
}

/// Who costs more and who less than the reference, beyond chance.
std::string cost_words(const ReportScenario& one, const PathCost& cost) {
  std::vector<std::string> told;
  std::size_t alike = 0;
  for (const CostLine& line : cost.lines) {
    if (line.protocol == one.scenario.reference || !line.added_ns) continue;
    const Interval& added = *line.added_ns;
    if (!added.bounded() || added.contains(0))
      ++alike;
    else
      told.push_back(fmt::format("{} {} [{}, {}]", line.protocol, signed_time(added.mid),
                                 signed_time(added.low), signed_time(added.high)));
  }
  std::string out = fmt::format("A {} in {}, against {}: ", cost.path, one.title, one.scenario.reference);
  out += told.empty() ? "no protocol can be told from it"
                      : fmt::format("{}{}", fmt::join(told, "; "),
                                    alike == 0 ? "" : fmt::format("; {} cannot be told from it", alike));
  return out + ".";
}

struct FirstCost {
  const ReportScenario* scenario = nullptr;
  const PathCost* cost = nullptr;
};

/// The punch of the mix, else any punch, else the first path that has a cost.
FirstCost first_cost(const Origin& origin) {
  FirstCost best;
  int best_rank = 3;
  for (const ReportScenario& one : origin.scenarios)
    for (const PathCost& cost : one.scenario.paths) {
      const bool punch = cost.path == name_in(kPathNames, Path::punch);
      const int rank = punch && one.scenario.key.workload == "mixed" ? 0 : punch ? 1 : 2;
      if (rank >= best_rank) continue;
      best_rank = rank;
      best = {&one, &cost};
    }
  return best;
}

std::string answer_of_origin(Page& page, const ReportData& data, const Origin& origin) {
  const std::vector<HazardRow> rows = hazard_matrix(data, origin);
  if (rows.empty()) return {};
  std::string words = paragraph(safety_words(rows));
  std::string figures;
  if (const FirstCost first = first_cost(origin); first.cost != nullptr) {
    words += paragraph(cost_words(*first.scenario, *first.cost));
    figures = fmt::format("<div class=\"beside\">{}{}</div>\n",
                          cost_figures(page, data, *first.scenario, *first.cost), phase_legend());
  }
  return words + fmt::format("<div class=\"answer\"><div>{}{}</div>\n{}</div>\n",
                             html::render(matrix_table(rows)), matrix_legend(rows), figures);
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
