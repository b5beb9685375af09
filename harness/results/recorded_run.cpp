#include "harness/results/recorded_run.hpp"

#include <algorithm>
#include <filesystem>

#include "harness/results/run_record.hpp"

namespace daxrace {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string text_at(const Pairs& pairs, std::string_view name) {
  const auto found = std::ranges::find(pairs, name, &Pairs::value_type::first);
  return found == pairs.end() ? "" : found->second;
}

/// Whether this entry goes on with the one before it: how runs were resumed once.
bool is_later_piece(const RunRecord& run) {
  return std::ranges::find(run.options, "resume", &Pairs::value_type::first) != run.options.end();
}

RecordedRun recorded(const RunRecord& first, const RunRecord& last) {
  RecordedRun run;
  run.run_id = first.run_id;
  run.time_utc = first.time_utc;
  run.git_commit = text_at(last.build, "git_commit");
  run.host = text_at(last.environment, "host");
  run.cpu = text_at(last.environment, "cpu");
  run.kernel = text_at(last.environment, "kernel");
  run.emulated = text_at(last.environment, "emulated");
  run.options = first.options;
  return run;
}

}  // namespace

std::optional<RecordedRun> last_recorded_run(const std::string& csv_path) {
  std::error_code failed;
  if (std::filesystem::is_empty(run_json_path(csv_path), failed)) return std::nullopt;
  const auto runs = read_run_json(csv_path);
  if (!runs || runs->empty()) return std::nullopt;
  std::size_t first = runs->size() - 1;
  while (first > 0 && is_later_piece((*runs)[first])) --first;
  RecordedRun run = recorded((*runs)[first], runs->back());
  for (std::size_t i = 0; i < first; ++i) run.others.insert((*runs)[i].run_id);
  return run;
}

}  // namespace daxrace
