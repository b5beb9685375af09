#include "bench/report/data.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "bench/report/origins.hpp"
#include "harness/results/exclusion.hpp"

namespace daxrace {
namespace {

std::string episode_key(const Row& row) {
  return fmt::format("{}|{}|{}", key_of(row, {"path"}), row.run_id, row.repetition.value_or(0));
}

void add_sample(PathSample& sample, const Row& row) {
  const Histogram latencies = Histogram::decode(row.lat_hist);
  sample.latencies.merge(latencies);
  const std::array<Row::Count, kPhaseCount> sums = {row.lock_wait_sum_ns, row.break_wait_sum_ns,
                                                    row.dio_wait_sum_ns,  row.lease_wait_sum_ns,
                                                    row.shootdown_sum_ns, row.zap_sum_ns};
  sample.mean.total += static_cast<double>(latencies.sum());
  for (std::size_t i = 0; i < kPhaseCount; ++i)
    sample.mean.phases[i] += static_cast<double>(sums[i].value_or(0));
}

void finish_means(ByPathAndProtocol<PathSample>& samples) {
  for (auto& [path, protocols] : samples) {
    for (auto& [protocol, sample] : protocols) {
      const auto ops = static_cast<double>(std::max<std::uint64_t>(sample.latencies.count(), 1));
      sample.mean.total /= ops;
      for (double& phase : sample.mean.phases) phase /= ops;
    }
  }
}

void add_wait(WaitSample& wait, const Row& row) {
  wait.ops += row.ops.value_or(0);
  if (row.wait_p99_ns) wait.p99_ns.push_back(static_cast<double>(*row.wait_p99_ns));
  wait.max_ns = std::max(wait.max_ns, row.wait_max_ns.value_or(0));
}

void add_detected(DetectorCounts& counts, const Row& row) {
  const std::array<Row::Count, kDetectorNames.size()> seen = {
      row.freed_busy, row.stale_access, row.corruption, row.misplaced,
      row.stale_data, row.unflushed,    row.leak};
  for (std::size_t i = 0; i < seen.size(); ++i) counts.seen[i] += seen[i].value_or(0);
  counts.hang += row.hang.value_or(0);
}

void add_row(ReportScenario& scenario, const Row& row, const Row* episode) {
  if (row.path == kAllPaths) {
    add_detected(scenario.detected[row.protocol], row);
    return;
  }
  if (episode == nullptr) return;
  if (times_mean_something(*episode)) {
    if (is_layout_change(row.path)) add_wait(scenario.waits[row.path][row.protocol], row);
    if (row.ops_per_s) scenario.throughput[row.path][row.protocol].push_back(*row.ops_per_s);
  }
  if (cost_exclusion(*episode).empty() && !row.lat_hist.empty())
    add_sample(scenario.samples[row.path][row.protocol], row);
}

/// The columns that tell scenarios of one workload apart.
std::string title_of(const Scenario& scenario, const ResultSummary& summary) {
  std::string title = scenario.key.workload;
  for (const std::string_view name : summary.varying) {
    const std::string value = field_text(scenario.key, column_named(name));
    const bool varies = std::ranges::any_of(summary.scenarios, [&](const Scenario& other) {
      return other.key.workload == scenario.key.workload &&
             field_text(other.key, column_named(name)) != value;
    });
    if (varies && !value.empty()) title += fmt::format(" {}={}", name, value);
  }
  return title;
}

std::string load_of(const Row& key) {
  std::string text = key.load + " load";
  if (key.load == name_in(kLoadNames, Load::paced) && key.offered_per_s)
    text += fmt::format(", {} per second", *key.offered_per_s);
  if (key.threads) text += fmt::format(", {} thread{}", *key.threads, *key.threads == 1 ? "" : "s");
  return text;
}

Origin origin_from(OriginRows of) {
  const std::vector<Row> rows = std::move(of.rows);
  Origin origin;
  origin.text = of.answer.machine;
  origin.summary = std::move(of.summary);
  origin.answer = std::move(of.answer);
  std::map<std::string, std::size_t> index;
  for (const Scenario& scenario : origin.summary.scenarios) {
    index[key_of(scenario.key, {"protocol", "path"})] = origin.scenarios.size();
    origin.scenarios.push_back(
        {scenario, title_of(scenario, origin.summary), load_of(scenario.key), {}, {}, {}, {}});
  }
  std::map<std::string, const Row*> episodes;
  for (const Row& row : rows)
    if (row.path == kAllPaths) episodes[episode_key(row)] = &row;
  for (const Row& row : rows) {
    const auto found = index.find(key_of(row, {"protocol", "path"}));
    if (end_of(row).skipped() || found == index.end()) continue;
    const auto episode = episodes.find(episode_key(row));
    add_row(origin.scenarios[found->second], row, episode == episodes.end() ? nullptr : episode->second);
  }
  for (ReportScenario& scenario : origin.scenarios) finish_means(scenario.samples);
  return origin;
}

std::vector<std::string> protocols_of(const std::vector<Row>& rows, const std::vector<std::string>& order) {
  std::set<std::string> present;
  for (const Row& row : rows) present.insert(row.protocol);
  std::vector<std::string> out;
  for (const std::string& name : order)
    if (present.erase(name) > 0) out.push_back(name);
  out.insert(out.end(), present.begin(), present.end());
  return out;
}

}  // namespace

bool DetectorCounts::any() const {
  return hang > 0 || std::ranges::any_of(seen, [](std::uint64_t count) { return count > 0; });
}

std::size_t ReportData::index_of(const std::string& protocol) const {
  return static_cast<std::size_t>(std::ranges::find(coloured, protocol) - coloured.begin());
}

bool is_layout_change(const std::string& path) {
  constexpr std::array<Path, 6> kChanges = {Path::punch,  Path::zero,          Path::collapse,
                                            Path::insert, Path::truncate_down, Path::evict};
  return std::ranges::any_of(kChanges, [&](Path change) { return name_in(kPathNames, change) == path; });
}

ReportData sort_rows(const std::vector<Row>& rows, const RunRecords& records, const TableOptions& options) {
  ReportData data;
  for (OriginRows& origin : origins_of(rows, records, options)) {
    data.episodes += origin.answer.episodes;
    data.origins.push_back(origin_from(std::move(origin)));
  }
  data.protocols = protocols_of(rows, options.protocol_order);
  data.coloured = options.protocol_order;
  for (const std::string& protocol : data.protocols)
    if (data.index_of(protocol) == data.coloured.size()) data.coloured.push_back(protocol);
  return data;
}

}  // namespace daxrace
