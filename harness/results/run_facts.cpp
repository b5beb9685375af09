#include "harness/results/run_facts.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/error.hpp"
#include "harness/results/run_record.hpp"

namespace daxrace {
namespace {

constexpr std::string_view kUnknown = "unknown";

/// The runs in the .run.json beside a CSV by run_id. One that is missing or damaged says nothing: the rows
/// stand without it.
std::map<std::string, RunRecord> records_beside(const std::string& csv_path) {
  std::map<std::string, RunRecord> out;
  try {
    for (RunRecord& run : read_run_json(csv_path).value_or(std::vector<RunRecord>())) {
      const std::string id = run.run_id;
      out.emplace(id, std::move(run));
    }
  } catch (const Error&) {
    return {};
  }
  return out;
}

/// The same for every file of a set.
std::vector<std::map<std::string, RunRecord>> records_of(const ResultSet& set) {
  std::vector<std::map<std::string, RunRecord>> out;
  for (const std::string& file : set.files()) out.push_back(records_beside(file));
  return out;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

void add_facts(RunFacts& facts, const Pairs& pairs, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = std::ranges::find(pairs, name, &Pairs::value_type::first);
    facts[name].insert(found == pairs.end() ? std::string(kUnknown) : found->second);
  }
}

void add_record(RunFacts& facts, const RunRecord& run) {
  add_facts(facts, run.environment,
            {"kernel_version", "kernel_debug", "kernel_parameters", "governor", "turbo", "smt", "mitigations",
             "numa_balancing", "clocksource", "transparent_hugepage"});
  add_facts(facts, run.build, {"compiler", "flags", "build_type"});
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
  const std::vector<std::map<std::string, RunRecord>> records = records_of(set);
  for (const RunColumns& run : set.runs()) {
    facts["machine"].insert(fmt::format("{} ({})", run.host, run.cpu));
    facts["kernel"].insert(run.kernel);
    facts["git_commit"].insert(run.git_commit);
    facts["emulated"].insert(run.emulated.empty() ? "no" : run.emulated);
    facts["target"].insert(run.target);
    const auto found = records[run.file].find(run.run_id);
    add_record(facts, found == records[run.file].end() ? RunRecord() : found->second);
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
  const std::vector<std::map<std::string, RunRecord>> records = records_of(set);
  for (auto run = set.runs().rbegin(); run != set.runs().rend(); ++run) {
    const auto found = records[run->file].find(run->run_id);
    if (found != records[run->file].end() && !found->second.command_line.empty())
      return found->second.command_line;
  }
  return {};
}

}  // namespace daxrace
