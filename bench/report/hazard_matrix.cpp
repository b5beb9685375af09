#include "bench/report/hazard_matrix.hpp"

#include <algorithm>
#include <set>

namespace daxrace {
namespace {

using Paths = std::set<std::string>;

bool any_of(const Paths& ran, std::initializer_list<Path> paths) {
  return std::ranges::any_of(paths,
                             [&](Path path) { return ran.contains(std::string(name_in(kPathNames, path))); });
}

/// Whether a scenario put a hazard to the test: its access ran, and something changed the layout beside it.
bool is_tested(std::size_t hazard, const Paths& ran) {
  if (std::ranges::none_of(ran, is_layout_change)) return false;
  switch (hazard) {
    case 0:
      return any_of(ran, {Path::fault, Path::load, Path::store});
    case 1:
      return any_of(ran, {Path::read, Path::write});
    case 2:
      return any_of(ran, {Path::aio_read, Path::aio_write});
    case 3:
      return any_of(ran, {Path::gup_fast, Path::gup_slow});
    case 4:
      return any_of(ran, {Path::lease});
    case 6:
      return any_of(ran, {Path::fsync});
    case 7:
      return any_of(ran, {Path::load, Path::read, Path::aio_read, Path::gup_fast});
    default:
      return true;  // that every operation ends
  }
}

/// Whether `H1+H4` names a hazard.
bool names(const std::string& hazards, std::size_t hazard) {
  return hazards.find(kHazardNames[hazard]) != std::string::npos;
}

HazardCell cell_of(const VerdictLine& line, const Paths& ran, std::size_t hazard) {
  const bool promised = names(line.promises, hazard);
  if (names(line.violated, hazard)) {
    if (!promised) return HazardCell::harm;
    return line.verdict == name_in(kVerdictNames, Verdict::finding) ? HazardCell::finding
                                                                    : HazardCell::broken;
  }
  if (!is_tested(hazard, ran)) return HazardCell::untested;
  return promised ? HazardCell::kept : HazardCell::unseen;
}

void add_scenario(HazardRow& row, const ReportScenario& one, const VerdictLine& line) {
  const auto ran = one.paths_run.find(row.protocol);
  const Paths paths = ran == one.paths_run.end() ? Paths() : ran->second;
  for (std::size_t i = 0; i < row.cells.size(); ++i)
    row.cells[i] = std::min(row.cells[i], cell_of(line, paths, i));
}

}  // namespace

std::string_view letter_of(HazardCell cell) {
  constexpr std::array<std::string_view, 6> kLetters = {"!", "F", "X", "k", ".", "-"};
  return kLetters[static_cast<std::size_t>(cell)];
}

std::string_view name_of(HazardCell cell) {
  constexpr std::array<std::string_view, 6> kNames = {"broken", "finding", "harm",
                                                      "kept",   "unseen",  "untested"};
  return kNames[static_cast<std::size_t>(cell)];
}

std::string HazardRow::seen() const {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (cells[i] <= HazardCell::harm) out += (out.empty() ? "" : " ") + std::to_string(i + 1);
  return out;
}

bool HazardRow::has(HazardCell cell) const { return std::ranges::find(cells, cell) != cells.end(); }

std::vector<HazardRow> hazard_matrix(const ReportData& data, const Origin& origin) {
  std::vector<HazardRow> rows;
  for (const std::string& protocol : data.protocols) {
    HazardRow row;
    row.protocol = protocol;
    row.cells.fill(HazardCell::untested);
    bool ran = false;
    for (const ReportScenario& one : origin.scenarios)
      for (const VerdictLine& line : one.scenario.verdicts) {
        if (line.protocol != protocol) continue;
        ran = true;
        add_scenario(row, one, line);
      }
    if (ran) rows.push_back(row);
  }
  return rows;
}

}  // namespace daxrace
