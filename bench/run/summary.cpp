#include "bench/run/summary.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/base/types.hpp"
#include "harness/results/exclusion.hpp"

namespace daxrace {
namespace {

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(text);
}

/// The promised hazards among those seen.
std::string broken_promises(const Row& row) {
  std::vector<std::string> broken;
  const auto has = [](const std::string& set, std::string_view hazard) {
    return set.find(hazard) != std::string::npos;
  };
  for (const std::string_view hazard : kHazardNames)
    if (has(row.promises, hazard) && has(row.violated, hazard)) broken.emplace_back(hazard);
  return fmt::format("{} {} ({})", row.protocol, join(broken, "+"), row.workload);
}

std::string none_or(const std::vector<std::string>& list) { return list.empty() ? "none" : join(list); }

}  // namespace

Summary summarize(const std::vector<Row>& rows) {
  Summary summary;
  for (const Row& row : rows) {
    if (row.path != kAllPaths) continue;
    const EpisodeEnd end = end_of(row);
    if (end.skipped()) {
      ++summary.skipped;
      add_once(summary.skip_reasons, row.reason);
      continue;
    }
    ++summary.episodes;
    if (end.hung()) ++summary.hangs;
    if (end.failed()) ++summary.errors;
    if (end.broken()) add_once(summary.broken, broken_promises(row));
    if (row.verdict == name_in(kVerdictNames, Verdict::finding))
      add_once(summary.findings, broken_promises(row));
  }
  return summary;
}

std::string summary_line(const Summary& summary) {
  std::string line =
      fmt::format("{}; promises broken: {}", counted(summary.episodes, "episode"), none_or(summary.broken));
  if (!summary.findings.empty()) line += fmt::format("; findings: {}", join(summary.findings));
  if (summary.hangs > 0) line += fmt::format("; hangs: {}", summary.hangs);
  if (summary.errors > 0) line += fmt::format("; errors: {}", summary.errors);
  if (summary.skipped > 0)
    line += fmt::format("; skipped: {} ({})", summary.skipped, join(summary.skip_reasons, "; "));
  return line;
}

Exit exit_code(const Summary& summary) {
  if (!summary.broken.empty() || summary.hangs > 0 || summary.errors > 0) return Exit::broken;
  if (summary.episodes == 0 && summary.skipped > 0) return Exit::skipped;
  return Exit::ok;
}

}  // namespace daxrace
