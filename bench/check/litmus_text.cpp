#include "bench/check/litmus_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/check/litmus_letters.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/base/text.hpp"
#include "harness/results/render/table.hpp"

namespace daxrace {
namespace {

using litmus::Cell;

std::string_view regime_of(const Cell& cell) { return name_in(kRefcountRegimeNames, cell.regime); }

std::string place_of(const Cell& cell) {
  return fmt::format("{} {} against {}", cell.protocol().name, litmus::info_of(cell.operation).name,
                     litmus::info_of(cell.access).name);
}

template <class T>
void add_once(std::vector<std::string>& list, const T& word) {
  const std::string text{word};
  if (std::ranges::find(list, text) == list.end()) list.push_back(text);
}

struct SeenFinding {
  const Finding* finding;
  std::vector<std::string> protocols, regimes, operations, accesses;
};

std::vector<SeenFinding> findings_of(const std::vector<Cell>& cells) {
  std::vector<SeenFinding> seen;
  for (const Cell& cell : cells) {
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      const auto hazard = static_cast<Hazard>(i);
      if (cell.verdict_of(hazard) != Verdict::finding) continue;
      const Finding* finding = cell.finding(hazard);
      auto found = std::ranges::find_if(
          seen, [&](const SeenFinding& one) { return one.finding->mechanism == finding->mechanism; });
      if (found == seen.end()) found = seen.insert(seen.end(), {finding, {}, {}, {}, {}});
      add_once(found->protocols, cell.protocol().name);
      add_once(found->regimes, regime_of(cell));
      add_once(found->operations, litmus::info_of(cell.operation).name);
      add_once(found->accesses, litmus::info_of(cell.access).name);
    }
  }
  return seen;
}

std::string wrapped(std::string_view text, std::size_t indent) {
  return wrapped_text(std::string(indent, ' '), text, indent, kScreenColumns);
}

std::string finding_text(const SeenFinding& seen) {
  const Finding& finding = *seen.finding;
  std::string out = wrapped(
      fmt::format("{} in {} ({}): {} against {}", name_in(kHazardNames, finding.hazard), join(seen.protocols),
                  join(seen.regimes), join(seen.operations), join(seen.accesses)),
      2);
  out += wrapped(fmt::format("where: {}", finding.kernel), 6);
  out += wrapped(fmt::format("how: {}", finding.mechanism), 6);
  out += wrapped(fmt::format("against it: {}", finding.remedy), 6);
  return out;
}

/// Hazards that a protocol does not promise and that no cell of it violates, where some cell could.
std::string safe_without_promise(const std::vector<Cell>& cells) {
  std::string out;
  for (std::size_t first = 0; first < cells.size();) {
    std::size_t end = first;
    Hazards violated;
    Hazards tried;
    for (; end < cells.size() && cells[end].script == cells[first].script &&
           cells[end].regime == cells[first].regime;
         ++end) {
      violated =
          Hazards::from_bits(static_cast<std::uint8_t>(violated.bits() | cells[end].result.violated.bits()));
      tried.add(litmus::info_of(cells[end].access).hazard);
    }
    const auto bits = static_cast<std::uint8_t>(
        tried.bits() & static_cast<std::uint8_t>(~cells[first].protocol().promises.bits()) &
        static_cast<std::uint8_t>(~violated.bits()));
    if (bits != 0)
      out += fmt::format("  {} {}: {}\n", cells[first].protocol().name, regime_of(cells[first]),
                         Hazards::from_bits(bits).text());
    first = end;
  }
  return out;
}

std::ptrdiff_t undecided(const std::vector<Cell>& cells) {
  return std::ranges::count(cells, false, &Cell::decided);
}

std::string detectors_text(const Cell& cell) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kDetectorNames.size(); ++i)
    if ((cell.result.detectors >> i & 1) != 0) words.emplace_back(kDetectorNames[i]);
  return join(words, "+");
}

/// Every cell with everything that is known of it, for programs.
render::Table whole_table(const std::vector<Cell>& cells) {
  render::Table table;
  for (const char* name : {"protocol", "refcount", "operation", "access", "hazard", "happens", "verdict",
                           "violated", "promises", "detectors", "what", "stop_points", "schedules"})
    table.columns.push_back({name});
  for (const Cell& cell : cells)
    table.add({cell.protocol().name, regime_of(cell), litmus::info_of(cell.operation).name,
               litmus::info_of(cell.access).name, name_in(kHazardNames, litmus::info_of(cell.access).hazard),
               name_in(litmus::kHappeningNames, litmus::happening(cell)),
               name_in(kVerdictNames, cell.verdict), cell.result.violated.text(),
               cell.protocol().promises.text(), detectors_text(cell), litmus::describe(cell),
               cell.result.stops, cell.result.schedules});
  return table;
}

}  // namespace

std::string litmus_lines(const std::vector<Cell>& cells) {
  std::string out = fmt::format("{:<24} {:<5} {:<14} {:<16} {:<3} {:<9} {:<9} {}\n", "protocol", "",
                                "operation", "access", "", "happens", "verdict", "what was seen");
  for (const Cell& cell : cells) {
    out += fmt::format(
        "{:<24} {:<5} {:<14} {:<16} {:<3} {:<9} {:<9} {}{}\n", cell.protocol().name, regime_of(cell),
        litmus::info_of(cell.operation).name, litmus::info_of(cell.access).name,
        name_in(kHazardNames, litmus::info_of(cell.access).hazard),
        name_in(litmus::kHappeningNames, litmus::happening(cell)), name_in(kVerdictNames, cell.verdict),
        litmus::describe(cell), cell.result.violated.empty() ? "" : " (" + cell.result.violated.text() + ")");
  }
  return out;
}

std::string litmus_remarks(const std::vector<Cell>& cells) {
  std::string broken;
  for (const Cell& cell : cells) {
    if (cell.verdict == Verdict::broken)
      broken += fmt::format("  {} {}: {} ({})\n", regime_of(cell), place_of(cell), litmus::describe(cell),
                            cell.result.violated.text());
  }
  std::string out;
  if (!broken.empty()) out += "\nPromises broken:\n" + broken;
  const auto findings = findings_of(cells);
  if (!findings.empty()) out += "\nFindings (promises that faithful models break):\n";
  for (const SeenFinding& finding : findings) out += finding_text(finding);
  const std::string safe = safe_without_promise(cells);
  if (!safe.empty()) out += "\nNot promised, and yet nothing broke it here:\n" + safe;
  std::uint64_t schedules = 0;
  for (const Cell& cell : cells) schedules += cell.result.schedules;
  out +=
      fmt::format("\n{}, {} forced interleavings, {} broken, {} not decided\n", counted(cells.size(), "cell"),
                  schedules, std::ranges::count(cells, Verdict::broken, &Cell::verdict), undecided(cells));
  return out;
}

std::string litmus_undecided(const std::vector<Cell>& cells) {
  const auto count = undecided(cells);
  return count == 0 ? "" : fmt::format("{} of {} cells were not decided", count, cells.size());
}

std::string litmus_csv(const std::vector<Cell>& cells) { return render::csv(whole_table(cells)); }

std::string litmus_json(const std::vector<Cell>& cells) {
  auto list = nlohmann::ordered_json::parse(render::json(whole_table(cells)));
  for (std::size_t at = 0; at < cells.size(); ++at) {
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      const auto hazard = static_cast<Hazard>(i);
      if (cells[at].verdict_of(hazard) != Verdict::finding) continue;
      const Finding& finding = *cells[at].finding(hazard);
      list[at]["findings"].push_back({{"hazard", kHazardNames[i]},
                                      {"kernel", finding.kernel},
                                      {"mechanism", finding.mechanism},
                                      {"remedy", finding.remedy}});
    }
  }
  return list.dump(2) + '\n';
}

std::string litmus_markdown(const std::vector<Cell>& cells) {
  return "```\n" + litmus_table(cells, Paint()) + "```\n\n```\n" + litmus_legend() + "```\n\n```" +
         litmus_remarks(cells) + "```\n";
}

}  // namespace daxrace
