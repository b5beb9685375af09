#include "bench/check/explore.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/check/explore_summary.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/base/parallel.hpp"
#include "harness/explore/lock.hpp"
#include "harness/explore/story.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace {
namespace {

using explore::Decision;
using explore::Job;
using explore::Scenario;
using Values = std::vector<std::string>;

constexpr std::size_t kMostExplained = 64;
constexpr std::string_view kCells = "cells";  ///< stands for all of them
constexpr std::string_view kLock = "rwsem";

const litmus::Script& script_named(std::string_view option, const std::string& name) {
  Values names;
  for (const litmus::Script& script : litmus::scripts()) {
    if (script.info.name == name) return script;
    names.emplace_back(script.info.name);
  }
  if (name == kLock) return explore::rwsem_script();
  names.emplace_back(kLock);
  throw Error(fmt::format("--{}: {}", option, unknown_word("protocol", name, names)));
}

const Scenario& scenario_named(std::string_view option, const std::string& name) {
  Values names;
  for (const auto* table : {&explore::scenarios(), &explore::lock_scenarios(), &explore::cell_scenarios()}) {
    for (const Scenario& scenario : *table) {
      if (scenario.name == name) return scenario;
      if (table != &explore::cell_scenarios()) names.push_back(scenario.name);
    }
  }
  names.emplace_back(kCells);
  names.emplace_back(kLock);
  throw Error(fmt::format("--{}: {}", option, unknown_word("scenario", name, names)));
}

RefcountRegime regime_named(std::string_view option, const std::string& name) {
  const Values names(kRefcountRegimeNames.begin(), kRefcountRegimeNames.end());
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) throw Error(fmt::format("--{}: {}", option, unknown_word("rule", name, names)));
  return static_cast<RefcountRegime>(found - names.begin());
}

bool is_all(const Values& words) { return words.empty() || std::ranges::find(words, "all") != words.end(); }

/// What somebody asked for by name he wants to see one by one.
bool is_narrowed(const ExploreOptions& options) {
  return !is_all(options.protocols) || !is_all(options.scenarios);
}

std::vector<const litmus::Script*> wanted_scripts(const ExploreOptions& options) {
  std::vector<const litmus::Script*> wanted;
  for (const std::string& name : options.protocols)
    if (name != "all") wanted.push_back(&script_named("protocol", name));
  if (!is_all(options.protocols)) return wanted;
  wanted.clear();
  for (const litmus::Script& script : litmus::scripts()) wanted.push_back(&script);
  wanted.push_back(&explore::rwsem_script());
  return wanted;
}

std::vector<const Scenario*> wanted_scenarios(const ExploreOptions& options) {
  std::vector<const Scenario*> wanted;
  const auto add_all = [&](const std::vector<Scenario>& table) {
    for (const Scenario& scenario : table) wanted.push_back(&scenario);
  };
  if (is_all(options.scenarios)) {
    add_all(explore::scenarios());
    add_all(explore::lock_scenarios());
  }
  for (const std::string& name : options.scenarios) {
    if (name == kCells) add_all(explore::cell_scenarios());
    if (name == kLock) add_all(explore::lock_scenarios());
    if (name != kCells && name != kLock && name != "all") wanted.push_back(&scenario_named("scenario", name));
  }
  return wanted;
}

std::vector<Job> jobs_of(const ExploreOptions& options) {
  std::vector<RefcountRegime> regimes;
  for (const std::string& name : options.refcounts) regimes.push_back(regime_named("refcount", name));
  if (regimes.empty()) regimes = {RefcountRegime::ref1, RefcountRegime::ref0};
  std::vector<Job> jobs;
  for (const litmus::Script* script : wanted_scripts(options)) {
    const bool is_lock = script == &explore::rwsem_script();
    for (const RefcountRegime regime : regimes) {
      if (is_lock && regime != regimes.front()) continue;  // it counts no references
      for (const Scenario* scenario : wanted_scenarios(options))
        if (scenario->is_of_a_lock() == is_lock) jobs.push_back({script, regime, scenario});
    }
  }
  if (jobs.empty())
    throw Error("--protocol, --scenario: the scenarios rwsem_... go with rwsem, all others with protocols");
  return jobs;
}

Job job_of(const Decision& decision) { return {decision.script, decision.regime, decision.scenario}; }

/// Exact as long as a double is; then to three digits.
std::string count_text(double count) {
  if (std::isinf(count)) return "endless";
  return count < 1e7 ? fmt::format("{:.0f}", count) : fmt::format("{:.2e}", count);
}

std::string interleavings_text(const explore::Result& result) {
  return result.reduced && result.complete ? "-" : count_text(result.interleavings);
}

std::string story_text(const Decision& decision) {
  if (!decision.story) return "";
  return fmt::format("{}{}", decision.story->shortest ? "" : "<=", decision.story->preemptions);
}

std::string line_of(const Decision& decision) {
  const auto& result = decision.result;
  return fmt::format("{:<24} {:<4} {:<22} {:<12} {:<8} {:<11} {:>9} {:>9} {:>11}\n", decision.protocol().name,
                     decision.scenario->is_of_a_lock() ? "-" : name_in(kRefcountRegimeNames, decision.regime),
                     decision.scenario->name, name_in(explore::kFinaleNames, decision.finale()),
                     name_in(kVerdictNames, decision.verdict),
                     result.violated.empty() ? "-" : result.violated.text(), story_text(decision),
                     result.states, interleavings_text(result));
}

std::string table_of(const std::vector<Decision>& decisions) {
  std::string out =
      fmt::format("{:<24} {:<4} {:<22} {:<12} {:<8} {:<11} {:>9} {:>9} {:>11}\n", "protocol", "ref",
                  "scenario", "came out", "verdict", "violated", "preempted", "states", "interleavings");
  for (const Decision& decision : decisions) out += line_of(decision);
  return out;
}

std::string remarks_of(const std::vector<Decision>& decisions) {
  std::vector<std::string> seen;
  std::string out;
  for (const Decision& decision : decisions) {
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      const auto hazard = static_cast<Hazard>(i);
      if (decision.verdict_of(hazard) != Verdict::finding) continue;
      const Finding& finding = *decision.finding(hazard);
      const std::string text =
          fmt::format("  {}: {}\n    in {}\n", kHazardNames[i], finding.mechanism, finding.kernel);
      if (std::ranges::find(seen, text) == seen.end()) seen.push_back(text);
    }
  }
  if (!seen.empty()) out += "\nFindings: promises that a faithful model breaks\n";
  for (const std::string& text : seen) out += text;
  return out;
}

std::string broken_of(const std::vector<Decision>& decisions) {
  std::string out;
  for (const Decision& decision : decisions) {
    if (decision.verdict != Verdict::broken) continue;
    const Job job = job_of(decision);
    out += fmt::format("\nbroken promise, {} in {}: daxrace explore --replay={}\n",
                       decision.result.violated.text(), decision.scenario->name,
                       replay_string(job, route_of(*decision.story)));
  }
  return out;
}

std::string stories_of(const std::vector<Decision>& decisions) {
  std::size_t count = 0;
  for (const Decision& decision : decisions) count += decision.story ? 1 : 0;
  if (count > kMostExplained)
    throw Error(
        fmt::format("--explain: {} counterexamples, at most {} are told; choose with --protocol, --scenario, "
                    "--refcount",
                    count, kMostExplained));
  std::string out;
  for (const Decision& decision : decisions) {
    if (!decision.story) continue;
    out += '\n';
    for (const std::string& line : explore::tell(job_of(decision), route_of(*decision.story)).lines)
      out += line + '\n';
    out += fmt::format("  again: daxrace explore --replay={}\n",
                       replay_string(job_of(decision), route_of(*decision.story)));
  }
  return out;
}

nlohmann::ordered_json json_of(const Decision& decision, bool explain) {
  const auto& result = decision.result;
  nlohmann::ordered_json json = {
      {"protocol", decision.protocol().name},
      {"refcount", name_in(kRefcountRegimeNames, decision.regime)},
      {"scenario", decision.scenario->name},
      {"tasks", decision.scenario->tasks.size()},
      {"came_out", name_in(explore::kFinaleNames, decision.finale())},
      {"verdict", name_in(kVerdictNames, decision.verdict)},
      {"violated", result.violated.text()},
      {"complete", result.complete},
      {"states", result.states},
      {"transitions", result.transitions},
      {"longest", result.depth},
      {"visited_bytes", result.bytes},
  };
  if (result.reduced) json["reduced"] = true;
  if (!result.reduced && !std::isinf(result.interleavings)) json["interleavings"] = result.interleavings;
  if (!decision.story) return json;
  json["preemptions"] = decision.story->preemptions;
  json["shortest"] = decision.story->shortest;
  if (decision.story->cycle != 0) json["cycle"] = decision.story->cycle;
  json["replay"] = replay_string(job_of(decision), route_of(*decision.story));
  if (explain) json["story"] = explore::tell(job_of(decision), route_of(*decision.story)).lines;
  return json;
}

std::string totals_of(const std::vector<Decision>& decisions, double seconds, unsigned threads) {
  double states = 0;
  double transitions = 0;
  for (const Decision& decision : decisions) {
    states += static_cast<double>(decision.result.states);
    transitions += static_cast<double>(decision.result.transitions);
  }
  return fmt::format("{} explored in {:.2f} s on {} thread{}: {:.0f} states, {:.0f} steps\n",
                     decisions.size(), seconds, threads, threads == 1 ? "" : "s", states, transitions);
}

}  // namespace

std::vector<std::string> explored_names() {
  Values names;
  for (const litmus::Script& script : litmus::scripts()) names.emplace_back(script.info.name);
  names.emplace_back(kLock);
  return names;
}

std::vector<std::string> scenario_names() {
  Values names;
  for (const auto* table : {&explore::scenarios(), &explore::lock_scenarios()})
    for (const Scenario& scenario : *table) names.push_back(scenario.name);
  names.emplace_back(kCells);
  names.emplace_back(kLock);
  return names;
}

OptionTable explore_option_table(ExploreOptions& o) {
  constexpr std::string_view kWhat = "What to explore";
  constexpr std::string_view kFar = "How far";
  constexpr std::string_view kHow = "How to show it";
  return {
      {kWhat, "protocol", Takes::list, "NAME,...", "all", "protocols; 'daxrace list' names them",
       [&o](const Values& values) { o.protocols = values; }},
      {kWhat, "scenario", Takes::list, "NAME,...", "all",
       "pin_punch, two_punchers, truncate_extend, lease_punch, ...; OPERATION/ACCESS for a cell of the "
       "litmus "
       "table, 'cells' for all of those; 'rwsem' for the lock itself; a wrong word names them",
       [&o](const Values& values) { o.scenarios = values; }},
      {kWhat, "refcount", Takes::list, "ref1,ref0", "both", "which count says that a page is idle",
       [&o](const Values& values) { o.refcounts = values; }},
      {kFar, "states", Takes::value, "N", "10M", "states of one scenario; beyond them it is sampled",
       [&o](const Values& values) {
         o.limits.states = parse_count("states", values.front(), 1, 100'000'000);
       }},
      {kFar, "bound", Takes::value, "N", "4", "preemptions of the shortest story, at most",
       [&o](const Values& values) {
         o.limits.preemptions = static_cast<std::uint32_t>(parse_count("bound", values.front(), 0, 100));
       }},
      {kFar, "samples", Takes::value, "N", "4000", "executions of a scenario that is sampled",
       [&o](const Values& values) {
         o.limits.samples =
             static_cast<std::uint32_t>(parse_count("samples", values.front(), 1, 100'000'000));
       }},
      {kFar, "seed", Takes::value, "N", "1", "of the samples",
       [&o](const Values& values) {
         o.limits.seed = parse_count("seed", values.front(), 0, 1'000'000'000'000);
       }},
      {kFar, "audit", Takes::nothing, "", "", "keep every state whole and compare where keys are equal",
       [&o](const Values&) { o.limits.audit = true; }},
      {kFar, "reduce", Takes::nothing, "", "",
       "of several orders of steps that do not meet, look at one: same verdict, no count",
       [&o](const Values&) { o.limits.reduce = true; }},
      {kFar, "threads", Takes::value, "N", "CPUs", "scenarios explored at a time",
       [&o](const Values& values) {
         o.threads = static_cast<unsigned>(parse_count("threads", values.front(), 1, 1024));
       }},
      {kHow, "explain", Takes::nothing, "", "", "tell the shortest counterexample of each that has one",
       [&o](const Values&) { o.explain = true; }},
      {kHow, "replay", Takes::value, "STRING", "", "run one interleaving again and tell it",
       [&o](const Values& values) { o.replay = values.front(); }},
      {kHow, "repeat", Takes::value, "N", "",
       "with --replay: run it N times as well and say how long that took",
       [&o](const Values& values) { o.repeat = parse_count("repeat", values.front(), 1, 1'000'000'000); }},
      {kHow, "format", Takes::value, "text|json", "text", "how to print it",
       [&o](const Values& values) { o.format = parse_format(values.front()); }},
      {kHow, "tables", Takes::nothing, "", "", "every exploration in a line of its own, and every finding",
       [&o](const Values&) { o.tables = true; }},
      color_option(kHow, o.color),
  };
}

ExploreReport explore_report(const ExploreOptions& options) {
  const std::vector<Job> jobs = jobs_of(options);
  const unsigned threads = options.threads != 0 ? options.threads : thread_per_cpu();
  const bool watched = isatty(STDERR_FILENO) != 0;
  const auto start = std::chrono::steady_clock::now();
  const auto decisions = explore::decide(jobs, options.limits, threads, [&](std::size_t done) {
    const std::chrono::duration<double> so_far = std::chrono::steady_clock::now() - start;
    if (watched) fmt::print(stderr, "\r{}\033[K", explore_progress(done, jobs.size(), so_far.count()));
  });
  if (watched) fmt::print(stderr, "\r\033[K");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  ExploreReport report;
  std::uint64_t collisions = 0;
  for (const Decision& decision : decisions) {
    collisions += decision.result.collisions;
    if (decision.verdict == Verdict::broken) report.code = Exit::broken;
  }
  if (collisions != 0) throw Error(fmt::format("--audit: {} different states had equal keys", collisions));
  if (options.format == OutputFormat::json) {
    auto json = nlohmann::ordered_json::array();
    for (const Decision& decision : decisions) json.push_back(json_of(decision, options.explain));
    report.text = json.dump(2) + '\n';
    return report;
  }
  const std::string totals = totals_of(decisions, took.count(), threads);
  report.text = options.tables || is_narrowed(options)
                    ? table_of(decisions) + remarks_of(decisions) + broken_of(decisions) + '\n' + totals
                    : totals + '\n' + explore_summary(decisions, paint_for(options.color));
  if (options.explain) report.text += stories_of(decisions);
  return report;
}

std::string rate_of(const Job& job, const explore::Path& path, std::uint64_t executions) {
  const double seconds = explore::time_replays(job, path, executions);
  return fmt::format("\n{} executions of {} steps in {:.2f} s of CPU time: {:.2f} M/s\n", executions,
                     path.size(), seconds, static_cast<double>(executions) / seconds / 1e6);
}

ExploreReport replay_report(const ExploreOptions& options) {
  std::array<std::string, 4> parts;
  std::string_view rest = options.replay;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t colon = rest.find(':');
    if ((colon == std::string_view::npos) != (i + 1 == parts.size()))
      throw Error(
          fmt::format("--replay: '{}': PROTOCOL:SCENARIO:REFCOUNT:STEPS is expected", options.replay));
    parts[i] = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  const Scenario& scenario = scenario_named("replay", parts[1]);
  const Job job{&script_named("replay", parts[0]), regime_named("replay", parts[2]), &scenario};
  const explore::Route route = explore::parse_route(parts[3], scenario.tasks.size());
  const auto told = explore::tell(job, route);
  ExploreReport report;
  if (options.format == OutputFormat::json) {
    report.text = nlohmann::ordered_json{{"replay", options.replay},
                                         {"violated", told.violated.text()},
                                         {"preemptions", told.preemptions},
                                         {"story", told.lines}}
                      .dump(2) +
                  '\n';
  } else {
    for (const std::string& line : told.lines) report.text += line + '\n';
    if (options.repeat != 0) report.text += rate_of(job, route.path, options.repeat);
  }
  Decision decision{job.script, job.regime, job.scenario, {}, Verdict::none, {}};
  decision.result.violated = told.violated;
  if (told.starves) decision.result.starvation.emplace();
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    if (decision.verdict_of(static_cast<Hazard>(i)) == Verdict::broken) report.code = Exit::broken;
  return report;
}

Exit print_explore(const ExploreOptions& options) {
  const ExploreReport report = options.replay.empty() ? explore_report(options) : replay_report(options);
  fmt::print("{}", report.text);
  return report.code;
}

}  // namespace daxrace
