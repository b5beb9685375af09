#include "harness/results/run_facts.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "harness/results/run_info.hpp"

namespace daxrace {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kUnknown = "unknown";

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// The .run.json beside a CSV by run_id. One that is missing or damaged says nothing: the rows stand without
/// it.
std::map<std::string, Json> reports_beside(const std::string& csv_path) {
  std::map<std::string, Json> out;
  std::ifstream file(run_json_path(csv_path), std::ios::binary);
  const Json report = Json::parse(file, nullptr, false);
  if (!report.is_object() || !report.contains("runs") || !report["runs"].is_array()) return out;
  for (const Json& run : report["runs"]) {
    if (run.is_object() && run.contains("run_id") && run["run_id"].is_string())
      out.emplace(run["run_id"].get<std::string>(), run);
  }
  return out;
}

void add_section(RunFacts& facts, const Json& run, const std::string& section,
                 const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool known = run.contains(section) && run[section].is_object() && run[section].contains(name);
    facts[name].insert(known ? text_of(run[section][name]) : std::string(kUnknown));
  }
}

void add_report(RunFacts& facts, const Json& run) {
  static const std::vector<std::string> environment = {
      "kernel_version", "kernel_debug", "kernel_parameters",   "governor", "turbo", "smt", "mitigations",
      "numa_balancing", "clocksource",  "transparent_hugepage"};
  static const std::vector<std::string> build = {"compiler", "flags", "build_type"};
  add_section(facts, run, "environment", environment);
  add_section(facts, run, "build", build);
}

/// What a CPU and its clock make of the same program: small texts that explain large differences.
const std::vector<std::string>& facts_of_speed() {
  static const std::vector<std::string> names = {"governor",    "turbo",    "smt",
                                                 "clocksource", "compiler", "flags"};
  return names;
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool all_known(const std::set<std::string>& values) {
  return !values.empty() && !values.contains(std::string(kUnknown));
}

}  // namespace

RunFacts facts_of(const ResultSet& set) {
  RunFacts facts;
  std::vector<std::map<std::string, Json>> reports;
  for (const std::string& file : set.files()) reports.push_back(reports_beside(file));
  for (const RunColumns& run : set.runs()) {
    facts["machine"].insert(fmt::format("{} ({})", run.host, run.cpu));
    facts["kernel"].insert(run.kernel);
    facts["git_commit"].insert(run.git_commit);
    facts["emulated"].insert(run.emulated.empty() ? "no" : run.emulated);
    facts["target"].insert(run.target);
    const auto found = reports[run.file].find(run.run_id);
    add_report(facts, found == reports[run.file].end() ? Json::object() : found->second);
  }
  return facts;
}

std::string fact_text(const RunFacts& facts, std::string_view name) {
  const auto found = facts.find(name);
  if (found == facts.end() || found->second.empty()) return std::string(kUnknown);
  return fmt::format("{}", fmt::join(found->second, " + "));
}

const std::vector<std::string>& decisive_facts() {
  static const std::vector<std::string> names = {"machine",  "kernel",     "kernel_version", "kernel_debug",
                                                 "emulated", "git_commit", "build_type"};
  return names;
}

std::vector<FactDifference> differing_facts(const RunFacts& base, const RunFacts& changed) {
  std::vector<FactDifference> out;
  for (const auto& [name, values] : base) {
    const auto other = changed.find(name);
    if (other == changed.end() || other->second == values) continue;
    const bool decisive = is_one_of(decisive_facts(), name);
    out.push_back({name, fact_text(base, name), fact_text(changed, name),
                   decisive && all_known(values) && all_known(other->second),
                   decisive || is_one_of(facts_of_speed(), name)});
  }
  return out;
}

std::vector<std::string> command_of(const ResultSet& set) {
  std::vector<std::map<std::string, Json>> reports;
  for (const std::string& file : set.files()) reports.push_back(reports_beside(file));
  for (auto run = set.runs().rbegin(); run != set.runs().rend(); ++run) {
    const auto found = reports[run->file].find(run->run_id);
    if (found == reports[run->file].end()) continue;
    const auto words = found->second.find("command_line");
    if (words == found->second.end() || !words->is_array() || words->empty()) continue;
    if (std::ranges::all_of(*words, [](const Json& word) { return word.is_string(); }))
      return words->get<std::vector<std::string>>();
  }
  return {};
}

}  // namespace daxrace
