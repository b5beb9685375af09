#include "harness/results/listed_protocols.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/error.hpp"
#include "harness/base/split.hpp"
#include "harness/results/run_record.hpp"

namespace daxrace {
namespace {

std::vector<RunRecord> records_beside(const std::string& csv_path) {
  try {
    return read_run_json(csv_path).value_or(std::vector<RunRecord>());
  } catch (const Error&) {
    return {};
  }
}

std::optional<std::string> option_of(const RunRecord& run, std::string_view name) {
  for (const auto& [given, value] : run.options)
    if (given == name) return value;
  return std::nullopt;
}

/// Which those of `all` were, only the program knew that wrote the report.
std::vector<std::string> asked_for(const RunRecord& run) {
  const std::string asked = option_of(run, "protocol").value_or("all");
  const auto parts = split_at(',', asked);
  std::vector<std::string> words(parts.begin(), parts.end());
  if (std::ranges::find(words, "all") != words.end()) words.clear();
  return words;
}

}  // namespace

ListedProtocols::ListedProtocols(const std::string& csv_path) : report_path_(run_json_path(csv_path)) {
  const std::vector<RunRecord> runs = records_beside(csv_path);
  // The rows of an old run that was gone on with bear one of the pieces' names, whatever each was asked for.
  const bool has_pieces =
      std::ranges::any_of(runs, [](const RunRecord& run) { return option_of(run, "resume").has_value(); });
  for (const RunRecord& run : runs) {
    std::vector<std::string> names = run.protocols.empty() && !has_pieces ? asked_for(run) : run.protocols;
    if (!names.empty()) by_run_[run.run_id] = std::move(names);
  }
}

std::optional<std::string> ListedProtocols::complaint_of(const Row& row) const {
  const auto run = by_run_.find(row.run_id);
  if (run == by_run_.end() || std::ranges::find(run->second, row.protocol) != run->second.end())
    return std::nullopt;
  return fmt::format("protocol is \"{}\", not one of {} ({})", row.protocol.substr(0, 40),
                     fmt::join(run->second, ", "), report_path_);
}

}  // namespace daxrace
