#include "harness/results/recorded_run.hpp"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {
namespace {

using RunJson = nlohmann::ordered_json;

std::string text_at(const RunJson& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

const RunJson& object_at(const RunJson& object, const char* name) {
  static const RunJson kNothing = RunJson::object();
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_object() ? *found : kNothing;
}

/// Whether this entry goes on with the one before it: how runs were resumed once.
bool is_later_piece(const RunJson& run) { return object_at(run, "options").contains("resume"); }

RecordedRun recorded(const RunJson& first, const RunJson& last) {
  RecordedRun run;
  run.run_id = text_at(first, "run_id");
  run.time_utc = text_at(first, "time_utc");
  run.git_commit = text_at(object_at(last, "build"), "git_commit");
  const RunJson& environment = object_at(last, "environment");
  run.host = text_at(environment, "host");
  run.cpu = text_at(environment, "cpu");
  run.kernel = text_at(environment, "kernel");
  run.emulated = text_at(environment, "emulated");
  for (const auto& [name, value] : object_at(first, "options").items())
    if (value.is_string()) run.options.emplace_back(name, value.get<std::string>());
  return run;
}

}  // namespace

std::optional<RecordedRun> last_recorded_run(const std::string& csv_path) {
  const std::string path = run_json_path(csv_path);
  std::ifstream file(path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) return std::nullopt;
  const RunJson report = RunJson::parse(file, nullptr, false);
  if (!report.is_object() || !report.contains("runs") || !report["runs"].is_array())
    throw Error(fmt::format("{}: is not a run report of daxrace", path));
  const RunJson& runs = report["runs"];
  if (runs.empty()) return std::nullopt;
  std::size_t first = runs.size() - 1;
  while (first > 0 && is_later_piece(runs[first])) --first;
  RecordedRun run = recorded(runs[first], runs.back());
  for (std::size_t i = 0; i < first; ++i) run.others.insert(text_at(runs[i], "run_id"));
  return run;
}

}  // namespace daxrace
