#include "tests/specimens.hpp"

#include <algorithm>

namespace daxrace::litmus {
namespace {

bool breaks_what_is_kept(const Cell& specimen, const Cell& right) {
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const auto hazard = static_cast<Hazard>(i);
    if (specimen.verdict_of(hazard) == Verdict::broken && !right.result.violated.has(hazard)) return true;
  }
  return false;
}

}  // namespace

std::vector<Cell> cells_of(const std::vector<Script>& scripts, std::string_view name) {
  Selection selection;
  selection.scripts = {&*std::ranges::find(scripts, name, [](const Script& s) { return s.info.name; })};
  return decide(scripts, selection);
}

std::vector<const Cell*> caught_in(const std::vector<Cell>& specimen, const std::vector<Cell>& right) {
  std::vector<const Cell*> caught;
  for (const Cell& one : specimen) {
    const auto same = std::ranges::find_if(right, [&](const Cell& other) {
      return other.operation == one.operation && other.access == one.access && other.regime == one.regime;
    });
    if (same != right.end() && breaks_what_is_kept(one, *same)) caught.push_back(&one);
  }
  return caught;
}

}  // namespace daxrace::litmus
