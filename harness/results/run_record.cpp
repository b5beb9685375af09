#include "harness/results/run_record.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"

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

Pairs pairs_of(const Json& object) {
  Pairs out;
  if (object.is_object())
    for (const auto& [name, value] : object.items()) out.emplace_back(name, text_of(value));
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
          .options = pairs_of(member(run, "options")),
          .protocols = texts_of(member(run, "protocols")),
          .build = pairs_of(member(run, "build")),
          .environment = pairs_of(environment),
          .mitigations = pairs_of(member(environment, "mitigations")),
          .violations = violations_of(member(run, "violations"), "timeline"),
          .hangs = violations_of(member(run, "hangs"), "report"),
          .violations_not_shown = not_shown(member(run, "violations_not_shown"))};
}

}  // namespace

std::string run_json_path(const std::string& csv_path) {
  constexpr std::string_view kCsv = ".csv";
  const bool ends = csv_path.size() > kCsv.size() && csv_path.ends_with(kCsv);
  return csv_path.substr(0, csv_path.size() - (ends ? kCsv.size() : 0)) + ".run.json";
}

std::optional<std::vector<RunRecord>> read_run_json(const std::string& csv_path) {
  const std::string path = run_json_path(csv_path);
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  const Json report = Json::parse(file, nullptr, false);
  const Json& runs = member(report, "runs");
  if (!runs.is_array()) throw Error(fmt::format("{}: is not a run report of daxrace", path));
  std::vector<RunRecord> out;
  for (const Json& run : runs) out.push_back(record_of(run));
  return out;
}

}  // namespace daxrace
