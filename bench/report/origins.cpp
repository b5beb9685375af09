#include "bench/report/origins.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace daxrace {
namespace {

/// `realloc/mmaplock/memory/...`: workload and protocol.
RunStory story_of(const ViolationRecord& violation) {
  const std::string& name = violation.configuration;
  const std::size_t first = std::min(name.find('/'), name.size());
  const std::size_t second = std::min(name.find('/', first + 1), name.size());
  return {.protocol = first < second ? name.substr(first + 1, second - first - 1) : "",
          .workload = name.substr(0, first),
          .what = violation.heading};
}

/// What the reports of the runs tell of these rows.
std::vector<RunStory> stories_of(const std::vector<Row>& rows, const RunRecords& records) {
  std::set<std::string> run_ids;
  for (const Row& row : rows) run_ids.insert(row.run_id);
  std::vector<RunStory> out;
  for (const RunRecord& run : records.runs)
    if (run_ids.contains(run.run_id))
      for (const ViolationRecord& violation : run.violations) out.push_back(story_of(violation));
  return out;
}

}  // namespace

std::vector<OriginRows> origins_of(const std::vector<Row>& rows, const RunRecords& records,
                                   const TableOptions& options) {
  std::vector<OriginRows> out;
  std::map<std::string, std::size_t> places;
  for (const Row& row : rows) {
    const auto [place, is_new] = places.emplace(machine_of(row), out.size());
    if (is_new) out.emplace_back();
    out[place->second].rows.push_back(row);
  }
  for (OriginRows& one : out) {
    one.summary = summarize_results(one.rows, options);
    one.answer = answer_of(one.rows, one.summary, options, stories_of(one.rows, records));
  }
  return out;
}

}  // namespace daxrace
