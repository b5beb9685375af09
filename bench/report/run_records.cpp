#include "bench/report/run_records.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {
namespace {

using Json = nlohmann::ordered_json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The member of that name, or null: a report of another version may lack it.
const Json& member(const Json& object, const char* name) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> out;
  if (list.is_array())
    for (const Json& value : list) out.push_back(text_of(value));
  return out;
}

Pairs pairs_of(const Json& object, std::string_view except = "") {
  Pairs out;
  if (object.is_object())
    for (const auto& [name, value] : object.items())
      if (name != except) out.emplace_back(name, text_of(value));
  return out;
}

ViolationRecord violation_of(const Json& value, const char* lines) {
  const std::string detector = text_of(member(value, "detector"));
  return {.configuration = text_of(member(value, "configuration")),
          .heading = detector.empty() ? "hang"
                                      : fmt::format("{} {}: {}", detector, text_of(member(value, "hazard")),
                                                    text_of(member(value, "what"))),
          .repetition = text_of(member(value, "repetition")),
          .seed = text_of(member(value, "seed")),
          .timeline = texts_of(member(value, lines))};
}

std::vector<ViolationRecord> violations_of(const Json& list, const char* lines) {
  std::vector<ViolationRecord> out;
  if (list.is_array())
    for (const Json& value : list) out.push_back(violation_of(value, lines));
  return out;
}

std::uint64_t not_shown(const Json& by_configuration) {
  std::uint64_t sum = 0;
  if (!by_configuration.is_object()) return sum;
  for (const Json& detectors : by_configuration) {
    if (!detectors.is_object()) continue;
    for (const Json& count : detectors)
      if (count.is_number_unsigned()) sum += count.get<std::uint64_t>();
  }
  return sum;
}

RunRecord record_of(const Json& run) {
  const Json& environment = member(run, "environment");
  return {.run_id = text_of(member(run, "run_id")),
          .time_utc = text_of(member(run, "time_utc")),
          .outcome = text_of(member(run, "outcome")),
          .command_line = texts_of(member(run, "command_line")),
          .build = pairs_of(member(run, "build")),
          .environment = pairs_of(environment, "mitigations"),
          .mitigations = pairs_of(member(environment, "mitigations")),
          .violations = violations_of(member(run, "violations"), "timeline"),
          .hangs = violations_of(member(run, "hangs"), "report"),
          .violations_not_shown = not_shown(member(run, "violations_not_shown"))};
}

bool needs_quotes(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=/.,:+@%";
  return word.empty() || word.find_first_not_of(kPlain) != std::string::npos;
}

}  // namespace

void read_run_records(const std::string& csv_path, const std::set<std::string>& run_ids,
                      RunRecords& records) {
  const std::string path = run_json_path(csv_path);
  const std::string name = std::filesystem::path(path).filename();  // pages are passed on
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) {
    records.remarks.push_back(
        fmt::format("{}: not there: no timelines, no command, no environment for its rows", name));
    return;
  }
  std::ifstream file(path, std::ios::binary);
  const Json report = Json::parse(file, nullptr, false);
  const Json& runs = member(report, "runs");
  if (!runs.is_array()) throw Error(fmt::format("{}: is not a run report of daxrace", path));
  std::set<std::string> missing = run_ids;
  for (const Json& run : runs) {
    const std::string id = text_of(member(run, "run_id"));
    if (missing.erase(id) > 0) records.runs.push_back(record_of(run));
  }
  for (const std::string& id : missing)
    records.remarks.push_back(fmt::format("{}: does not know run {} of the CSV", name, id));
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    if (!needs_quotes(word)) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

}  // namespace daxrace
