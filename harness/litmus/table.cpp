#include "harness/litmus/table.hpp"

#include <algorithm>
#include <cerrno>

namespace daxrace::litmus {
namespace {

/// Whether a finding may be met in the cell at all.
auto findings_of(const Cell& cell) {
  return [&cell](const Finding& finding) {
    const auto matches = [](std::string_view declared, std::string_view name) {
      return declared.empty() || declared == name;
    };
    return matches(finding.operation, info_of(cell.operation).name) &&
           matches(finding.access, info_of(cell.access).name) &&
           matches(finding.refcount, name_in(kRefcountRegimeNames, cell.regime));
  };
}

Verdict verdict_of_cell(const Cell& cell) {
  const bool promised = cell.protocol().promises.has(info_of(cell.access).hazard);
  return judge(cell.protocol(), Seen(cell.result.signs), promised ? Verdict::kept : Verdict::unseen,
               findings_of(cell));
}

void decide_one(Cell& cell) {
  Scene scene(*cell.script, cell.operation, cell.access, cell.regime, cell.rules());
  cell.result = sweep(scene);
  cell.verdict = verdict_of_cell(cell);
}

template <class T>
bool wanted(const std::vector<T>& list, const T& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

template <std::size_t N>
std::string words_of(std::uint32_t bits, const std::array<std::string_view, N>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((bits >> i & 1) == 0) continue;
    if (!out.empty()) out += ", ";
    out += names[i];
  }
  return out;
}

}  // namespace

const Finding* Cell::finding(Hazard hazard) const {
  return declared(protocol(), Seen(result.signs), hazard, findings_of(*this));
}

Verdict Cell::verdict_of(Hazard hazard) const {
  return judge(protocol(), Seen(result.signs), hazard, findings_of(*this));
}

std::vector<Schedule> Cell::telling_schedules() const {
  const auto first_with = [&](Verdict wanted_verdict) -> const Schedule* {
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      const auto hazard = static_cast<Hazard>(i);
      if (result.violated.has(hazard) && verdict_of(hazard) == wanted_verdict) return &result.breaking[i];
    }
    return nullptr;
  };
  for (const Verdict worst : {Verdict::broken, Verdict::finding, Verdict::expected})
    if (const Schedule* schedule = first_with(worst)) return {*schedule};
  return result.waiting;
}

const KernelRules& Cell::rules() const {
  static constexpr KernelRules kIdealised;
  return release == nullptr ? kIdealised : release->release->rules;
}

std::vector<Cell> decide(const std::vector<Script>& scripts, const Selection& selection, unsigned threads) {
  std::vector<Cell> cells;
  const auto add = [&](const Script& script, RefcountRegime regime, const ReleaseRow* release) {
    if (!wanted(selection.regimes, regime)) return;
    for (std::size_t o = 0; o < kOperationCount; ++o) {
      const auto operation = static_cast<Operation>(o);
      if (!wanted(selection.operations, operation)) continue;
      for (std::size_t a = 0; a < kAccessCount; ++a) {
        const auto access = static_cast<AccessKind>(a);
        if (!wanted(selection.accesses, access) || !can_meet(operation, access)) continue;
        cells.push_back({&script, release, regime, operation, access, {}, Verdict::none});
      }
    }
  };
  for (const Script& script : scripts) {
    if (!selection.protocols || !wanted(selection.scripts, &script)) continue;
    for (const RefcountRegime regime : {RefcountRegime::ref1, RefcountRegime::ref0})
      add(script, regime, nullptr);
  }
  for (const ReleaseRow* row : selection.releases) add(*row->script, row->release->refcount, row);
  for_each_index(cells.size(), threads, [&](std::size_t i) { decide_one(cells[i]); });
  return cells;
}

Happening happening(const Cell& cell) {
  const CellResult& result = cell.result;
  const bool ended = result.ends == 1U << static_cast<unsigned>(End::finished);
  if (!result.violated.empty() && (ended || result.detectors != 0)) return Happening::breaks;
  if (!ended) return Happening::hangs;
  if (result.error != 0 && result.error != -EINTR) return Happening::fails;
  if (result.fenced) return Happening::fences;
  if (result.waited_on != 0) return Happening::waits;
  return result.overlapped ? Happening::harmless : Happening::nothing;
}

std::string describe(const Cell& cell) {
  const CellResult& result = cell.result;
  const std::uint32_t bad_ends = result.ends & ~(1U << static_cast<unsigned>(End::finished));
  const Happening what = happening(cell);
  switch (what) {
    case Happening::breaks:
      return words_of(result.detectors, kDetectorNames) +
             (bad_ends == 0 ? "" : ", " + words_of(bad_ends, kEndNames));
    case Happening::hangs:
      return words_of(bad_ends, kEndNames);
    case Happening::fails:
      return "fails with " + error_name(result.error);
    case Happening::waits:
      return "waits for " + words_of(result.waited_on, kWaitForNames);
    default:
      return std::string(name_in(kHappeningNames, what));
  }
}

std::string error_name(int error) {
  switch (-error) {
    case EINTR:
      return "EINTR";
    case ETXTBSY:
      return "ETXTBSY";
    default:
      return "error " + std::to_string(-error);
  }
}

}  // namespace daxrace::litmus
