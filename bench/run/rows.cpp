#include "bench/run/rows.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

/// What the running kernel decides itself, and does not tell.
void clear_engine_columns(Row& row) {
  row.entry_bytes.reset();
  row.refcount_regime.clear();
  row.lock.clear();
  row.discard.clear();
}

void set_key_columns(Row& row, const Configuration& c) {
  row.target = name_in(kTargetNames, c.target);
  row.backing = name_in(kBackingNames, c.source.choice.kind);
  row.fs = c.source.fs;
  row.frame_bytes = c.frame_bytes;
  row.entry_bytes = c.entry_bytes;
  row.placement = name_in(kPlacementNames, c.placement);
  row.protocol = c.protocol->info.name;
  row.refcount_regime = name_in(kRefcountRegimeNames, c.refcount);
  row.lock = c.lock;
  row.workload = c.workload->name;
  row.load = name_in(kLoadNames, c.load);
  if (c.load == Load::paced) row.offered_per_s = c.offered_per_s();
  row.threads = c.threads;
  row.oracle = c.oracle;
  row.perturb = c.perturb;
  row.discard = name_in(kDiscardNames, c.discard);
  row.file_pages = c.file_pages;
  row.queue_depth = c.queue_depth;
  if (c.target == Target::kernel) clear_engine_columns(row);
  row.path = kAllPaths;
}

void set_region_columns(Row& row, const RegionFacts& facts) {
  row.device = facts.device;
  row.fs = facts.fs;
  row.mount_options = facts.mount_options;
  row.granularity = facts.granularity;
  row.frame_bytes = facts.frame_bytes;
  if (facts.pmem_node >= 0) row.pmem_node = static_cast<std::uint64_t>(facts.pmem_node);
}

/// Each number once; a negative one stands for "anywhere".
std::string list_text(const std::vector<int>& numbers) {
  std::set<int> distinct(numbers.begin(), numbers.end());
  std::erase_if(distinct, [](int number) { return number < 0; });
  if (distinct.empty()) return "";
  return format_list({distinct.begin(), distinct.end()});
}

/// The CPUs of all workers as one list.
std::string merged_affinity(const std::vector<std::string>& affinities) {
  std::vector<int> cpus;
  for (const std::string& affinity : affinities)
    std::ranges::copy(parse_list(affinity), std::back_inserter(cpus));
  return list_text(cpus);
}

double per_second(std::uint64_t ops, std::uint64_t duration_ns) {
  return static_cast<double>(ops) * 1e9 / static_cast<double>(duration_ns);
}

void set_ops(Row& row, std::uint64_t ops, std::uint64_t duration_ns) {
  row.ops = ops;
  row.duration_ns = duration_ns;
  if (duration_ns > 0) row.ops_per_s = per_second(ops, duration_ns);
}

void set_service(Row& row, const Histogram& service) {
  if (service.count() == 0) return;
  row.lat_min_ns = service.min();
  row.lat_p50_ns = service.quantile(0.50);
  row.lat_p90_ns = service.quantile(0.90);
  row.lat_p99_ns = service.quantile(0.99);
  row.lat_p999_ns = service.quantile(0.999);
  row.lat_max_ns = service.max();
  row.lat_hist = service.encode();
}

void set_response(Row& row, const Histogram& response) {
  if (response.count() == 0) return;
  row.resp_p50_ns = response.quantile(0.50);
  row.resp_p99_ns = response.quantile(0.99);
  row.resp_max_ns = response.max();
  row.resp_hist = response.encode();
}

void set_waits(Row& row, const PathStats& stats, const EpisodeResult& result) {
  const auto known = [&](Phase phase) { return result.phases_known[static_cast<std::size_t>(phase)]; };
  const auto sum = [&](Phase phase) {
    return known(phase) ? Row::Count(stats.phase_sum_ns[static_cast<std::size_t>(phase)]) : std::nullopt;
  };
  row.lock_wait_sum_ns = sum(Phase::lock_wait);
  row.break_wait_sum_ns = sum(Phase::break_wait);
  row.dio_wait_sum_ns = sum(Phase::dio_wait);
  row.lease_wait_sum_ns = sum(Phase::lease_wait);
  row.shootdown_sum_ns = sum(Phase::shootdown);
  row.zap_sum_ns = sum(Phase::zap);
  if (stats.wait_ns.count() == 0 || !known(Phase::lock_wait) || !known(Phase::break_wait)) return;
  row.wait_p99_ns = stats.wait_ns.quantile(0.99);
  row.wait_max_ns = stats.wait_ns.max();
}

/// Perturbed episodes are for catching, not for timing: their delays are in every figure.
Row path_row(Row row, const Configuration& config, Path path, const PathStats& stats,
             const EpisodeResult& result) {
  row.path = name_in(kPathNames, path);
  row.retries = stats.retries;
  set_ops(row, stats.ops, result.duration_ns);
  if (config.load == Load::paced) row.faults_real = stats.faults_real;
  if (config.perturb) return row;
  set_service(row, stats.service_ns);
  set_response(row, stats.response_ns);
  set_waits(row, stats, result);
  return row;
}

void set_detectors(Row& row, const EpisodeResult& result) {
  const auto seen = [&](Detector detector) { return result.detected[static_cast<std::size_t>(detector)]; };
  row.freed_busy = seen(Detector::freed_busy);
  row.stale_access = seen(Detector::stale_access);
  row.corruption = seen(Detector::corruption);
  row.misplaced = seen(Detector::misplaced);
  row.stale_data = seen(Detector::stale_data);
  row.unflushed = seen(Detector::unflushed);
  row.leak = seen(Detector::leak);
  row.hang = result.hangs;
}

Row all_row(Row row, const EpisodeResult& result) {
  set_ops(row, result.effective_ops, result.duration_ns);
  set_detectors(row, result);
  row.faults_real = result.faults_real;
  row.promises = result.promises.text();
  row.violated = result.violated.text();
  row.verdict = name_in(kVerdictNames, result.verdict);
  row.status = name_in(kStatusNames, result.status);
  row.reason = result.reason;
  row.served_share = result.served_share;
  row.remark = result.remark;
  return row;
}

Row without_result(Row row, const Configuration& config, Status status, const std::string& reason) {
  row.promises = config.protocol->info.promises.text();
  row.verdict = name_in(kVerdictNames, Verdict::none);
  row.status = name_in(kStatusNames, status);
  row.reason = reason;
  return row;
}

}  // namespace

Row configuration_row(const Configuration& config, const RegionFacts* facts, const RunInfo& info) {
  Row row;
  set_run_columns(row, info);
  set_key_columns(row, config);
  if (facts != nullptr) set_region_columns(row, *facts);
  return row;
}

std::vector<Row> episode_rows(const Row& shared, const Configuration& config, const PlacementPlan& plan,
                              unsigned repetition, std::uint64_t seed, const EpisodeResult& result) {
  Row common = shared;
  common.repetition = repetition;
  common.seed = seed;
  common.overcommitted = plan.overcommitted;
  common.cpus = merged_affinity(result.worker_affinity);
  common.mem_nodes = list_text(plan.worker_nodes);
  if (result.entry_bytes) common.entry_bytes = result.entry_bytes;
  std::vector<Row> rows;
  for (const auto& [path, stats] : result.paths)
    if (stats.ops > 0) rows.push_back(path_row(common, config, path, stats, result));
  rows.push_back(all_row(std::move(common), result));
  return rows;
}

Row skipped_row(const Row& shared, const Configuration& config, const std::string& reason) {
  Row row = without_result(shared, config, Status::skipped, reason);
  row.repetition = 0;
  return row;
}

Row error_row(const Row& shared, const Configuration& config, unsigned repetition, std::uint64_t seed,
              const std::string& reason) {
  Row row = without_result(shared, config, Status::error, reason);
  row.repetition = repetition;
  row.seed = seed;
  return row;
}

}  // namespace daxrace
