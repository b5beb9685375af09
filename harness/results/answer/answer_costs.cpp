#include "harness/results/answer/answer_costs.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "harness/base/duration_text.hpp"

namespace daxrace {
namespace {

const PathCost* find_path(const Scenario& scenario, std::string_view path) {
  const auto found = std::ranges::find(scenario.paths, path, &PathCost::path);
  return found == scenario.paths.end() ? nullptr : &*found;
}

const CostLine* find_line(const PathCost& cost, const std::string& protocol) {
  const auto found = std::ranges::find(cost.lines, protocol, &CostLine::protocol);
  return found == cost.lines.end() ? nullptr : &*found;
}

/// A column, and where its figures are.
struct Source {
  const Scenario* scenario;
  const PathCost* cost;
  std::size_t index = 0;  ///< of the scenario
};

/// The path that a reader asks a workload for: punch, or what it is named after, or what there is most of.
const PathCost* main_path(const Scenario& scenario) {
  if (const PathCost* named = find_path(scenario, scenario.key.workload)) return named;
  if (const PathCost* punch = find_path(scenario, name_in(kPathNames, Path::punch))) return punch;
  const auto ops = [](const PathCost& cost) { return cost.lines.empty() ? 0 : cost.lines.front().ops; };
  const auto most = std::ranges::max_element(scenario.paths, {}, ops);
  return most == scenario.paths.end() ? nullptr : &*most;
}

/// Punch alone and punch in the mix; where the run has them not, what it has.
std::vector<Source> sources_of(const ResultSummary& summary) {
  std::vector<Source> out;
  std::set<std::string> taken;
  const auto take = [&](const Scenario& scenario) {
    const PathCost* cost = main_path(scenario);
    if (out.size() < 2 && cost != nullptr && taken.insert(scenario.key.workload).second)
      out.push_back({&scenario, cost, static_cast<std::size_t>(&scenario - summary.scenarios.data())});
  };
  for (const std::string_view wanted : {"punch", "mixed"})
    for (const Scenario& scenario : summary.scenarios)
      if (scenario.key.workload == wanted) take(scenario);
  for (const Scenario& scenario : summary.scenarios) take(scenario);
  return out;
}

CostCell cost_cell(const CostLine& line, const CostLine* reference, bool is_reference) {
  CostCell cell;
  cell.p50_ns = line.p50_ns;
  if (is_reference) {
    cell.added = CostCell::Added::reference;
  } else if (line.added_ns && !line.added_ns->bounded()) {
    cell.added = CostCell::Added::too_few;
  } else if (line.added_ns && line.p50_ns && reference != nullptr && reference->p50_ns) {
    cell.added_ns =
        as_printed(static_cast<double>(*line.p50_ns)) - as_printed(static_cast<double>(*reference->p50_ns));
    const bool same_side = line.added_ns->low > 0 ? cell.added_ns > 0 : cell.added_ns < 0;
    cell.added = !line.added_ns->contains(0) && same_side ? CostCell::Added::differs : CostCell::Added::alike;
  }
  return cell;
}

void add_columns(Answer& answer, const std::vector<Source>& sources, const TableOptions& options) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& [scenario, cost, index] = sources[i];
    answer.columns.push_back({scenario->key.workload, cost->path, scenario->reference,
                              options.uncontended(scenario->key.workload), index});
    const CostLine* reference = find_line(*cost, scenario->reference);
    for (ProtocolAnswer& one : answer.protocols)
      if (const CostLine* line = find_line(*cost, one.protocol))
        one.costs[i] = cost_cell(*line, reference, one.protocol == scenario->reference);
  }
}

/// Which of several settings of a workload the columns show: `threads=2`.
std::vector<std::string> shown_settings(const std::vector<Source>& sources, const ResultSummary& summary) {
  std::vector<std::string> out;
  for (const Source& source : sources) {
    for (const std::string_view name : summary.varying) {
      const Column& column = column_named(name);
      const std::string shown = field_text(source.scenario->key, column);
      const bool differs = std::ranges::any_of(summary.scenarios, [&](const Scenario& other) {
        return other.key.workload == source.scenario->key.workload && field_text(other.key, column) != shown;
      });
      const std::string text = fmt::format("{}={}", name, shown);
      if (differs && std::ranges::find(out, text) == out.end()) out.push_back(text);
    }
  }
  return out;
}

// --- who can be told from whom

/// How likely it is that of n fair coins so many or more fall on the same side.
double sign_test(std::size_t same, std::size_t n) {
  double chance = 0;
  double choose = 1;  // of 0 out of n
  for (std::size_t other = 0; other <= n - same; ++other) {
    chance += choose;
    choose *= static_cast<double>(n - other) / static_cast<double>(other + 1);
  }
  return std::min(1.0, 2 * chance * std::pow(0.5, static_cast<double>(n)));
}

/// Above 0: `one` is dearer, below: cheaper, 0: they cannot be told apart at that level.
int told(const CostLine& one, const CostLine& other, double level) {
  std::size_t above = 0;
  std::size_t below = 0;
  for (const auto& [block, p50_ns] : one.block_p50_ns) {
    const auto found = other.block_p50_ns.find(block);
    if (found == other.block_p50_ns.end()) continue;
    above += p50_ns > found->second ? 1U : 0U;
    below += p50_ns < found->second ? 1U : 0U;
  }
  const std::size_t n = above + below;
  if (n == 0 || sign_test(std::max(above, below), n) > level) return 0;
  return above > below ? 1 : -1;
}

void tell_apart(Answer& answer, const PathCost& cost) {
  std::vector<const CostLine*> safe;
  for (const ProtocolAnswer& one : answer.protocols) {
    const CostLine* line = find_line(cost, one.protocol);
    if (one.nothing_seen() && line != nullptr && line->p50_ns) safe.push_back(line);
  }
  std::ranges::stable_sort(safe, {}, [](const CostLine* line) { return *line->p50_ns; });
  answer.pairs = safe.size() * (safe.size() - (safe.empty() ? 0 : 1)) / 2;
  const double level = 0.05 / static_cast<double>(std::max<std::size_t>(answer.pairs, 1));
  for (std::size_t i = 0; i < safe.size(); ++i) {
    ToldApart apart{safe[i]->protocol, {}};
    for (std::size_t k = 0; k < safe.size(); ++k)
      if (k != i && told(*safe[i], *safe[k], level) < 0) apart.dearer.push_back(safe[k]->protocol);
    answer.pairs_told += apart.dearer.size();
    if (!apart.dearer.empty()) answer.told_apart.push_back(std::move(apart));
  }
}

void tell_where(Answer& answer, const Source& source) {
  const CostLine* reference = find_line(*source.cost, source.scenario->reference);
  if (reference == nullptr || !reference->where) return;
  answer.where = reference->where;
  const CostLine* none = find_line(*source.cost, "none");
  if (none == nullptr || !none->where || none == reference) return;
  const auto zap = static_cast<std::size_t>(Phase::zap);
  answer.zap_of_none_ns = reference->where->phases[zap] + none->where->phases[zap];
}

std::optional<ResponseRange> response_range(const CostColumn& column, const PathCost& cost) {
  ResponseRange range{column, 0, 0, 0, "", ""};
  for (const CostLine& line : cost.lines) {
    if (!line.response_p99_ns) continue;
    if (range.protocols == 0 || *line.response_p99_ns < range.low_ns)
      range.low_ns = *line.response_p99_ns, range.lowest = line.protocol;
    if (range.protocols == 0 || *line.response_p99_ns > range.high_ns)
      range.high_ns = *line.response_p99_ns, range.highest = line.protocol;
    ++range.protocols;
  }
  return range.protocols == 0 ? std::nullopt : std::optional(range);
}

/// Of the last column, and of faults: alone, else in the same workload.
std::vector<ResponseRange> responses_of(const Answer& answer, const ResultSummary& summary,
                                        const Source& last) {
  std::vector<ResponseRange> out;
  if (const auto range = response_range(answer.columns.back(), *last.cost)) out.push_back(*range);
  const std::string fault(name_in(kPathNames, Path::fault));
  if (last.cost->path == fault) return out;
  const Scenario* of = last.scenario;
  const auto alone = std::ranges::find(summary.scenarios, fault,
                                       [](const Scenario& scenario) { return scenario.key.workload; });
  if (alone != summary.scenarios.end()) of = &*alone;
  const PathCost* cost = find_path(*of, fault);
  if (cost == nullptr) return out;
  if (const auto range =
          response_range({of->key.workload, fault, of->reference, of->key.workload == fault}, *cost))
    out.push_back(*range);
  return out;
}

}  // namespace

void add_costs(Answer& answer, const ResultSummary& summary, const TableOptions& options) {
  const std::vector<Source> sources = sources_of(summary);
  if (sources.empty()) return;
  add_columns(answer, sources, options);
  answer.shown_settings = shown_settings(sources, summary);
  tell_apart(answer, *sources.back().cost);
  tell_where(answer, sources.back());
  answer.responses = responses_of(answer, summary, sources.back());
}

}  // namespace daxrace
