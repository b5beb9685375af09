#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/results/result_set.hpp"

namespace daxrace {

/// What is known of the machine and the build of each run of a side, by name: the columns of its rows, and
/// the environment in the .run.json beside its file.
using RunFacts = std::map<std::string, std::set<std::string>, std::less<>>;
RunFacts facts_of(const ResultSet& set);

/// The values of one fact, as one text; `unknown` if there are none.
std::string fact_text(const RunFacts& facts, std::string_view name);

/// Facts that make figures incomparable when they differ: machine, kernel, kernel_debug, ...
const std::vector<std::string>& decisive_facts();

/// A fact in which two sides differ.
struct FactDifference {
  std::string name;
  std::string base;
  std::string changed;
  bool decisive = false;  ///< known of both sides, and one of decisive_facts()
  bool matters = false;   ///< figures hang on it: decisive, or how fast a CPU and its clock run
};
std::vector<FactDifference> differing_facts(const RunFacts& base, const RunFacts& changed);

/// The command line of the latest run of a set, as its .run.json has it; empty if none does.
std::vector<std::string> command_of(const ResultSet& set);

}  // namespace daxrace
