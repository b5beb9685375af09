#include "harness/results/result_summary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/histogram.hpp"

namespace daxrace {
namespace {

/// Gravest first.
constexpr std::array<Verdict, 6> kGravity = {Verdict::broken, Verdict::finding, Verdict::expected,
                                             Verdict::unseen, Verdict::kept,    Verdict::none};

Block block_of(const Row& row) { return {row.run_id, row.repetition.value_or(0)}; }

struct Episode {
  const Row* all = nullptr;
  std::vector<const Row*> paths;
};

/// The repetitions of one protocol in one scenario.
using Episodes = std::map<Block, Episode>;

struct Group {
  const Row* any = nullptr;
  std::map<std::string, Episodes> protocols;
};

std::map<std::string, Group> grouped(const std::vector<Row>& rows) {
  std::map<std::string, Group> groups;
  for (const Row& row : rows) {
    if (end_of(row).skipped()) continue;
    Group& group = groups[key_of(row, {"protocol", "path"})];
    group.any = &row;
    Episode& episode = group.protocols[row.protocol][block_of(row)];
    if (row.path == kAllPaths) {
      episode.all = &row;
    } else {
      episode.paths.push_back(&row);
    }
  }
  return groups;
}

std::map<std::string, std::size_t> skip_reasons(const std::vector<Row>& rows) {
  std::map<std::string, std::size_t> reasons;
  for (const Row& row : rows) {
    if (end_of(row).skipped()) ++reasons[row.reason];
  }
  return reasons;
}

std::size_t rank_in(const std::vector<std::string>& order, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(order, name) - order.begin());
}

std::size_t gravity_of(const std::string& verdict) {
  const auto found =
      std::ranges::find_if(kGravity, [&](Verdict v) { return name_in(kVerdictNames, v) == verdict; });
  return static_cast<std::size_t>(found - kGravity.begin());
}

/// `H1+H4` and `H3` -> `H1+H3+H4`.
std::string united(const std::string& one, const std::string& other) {
  const auto has = [](const std::string& set, std::string_view hazard) {
    return ("+" + set + "+").find("+" + std::string(hazard) + "+") != std::string::npos;
  };
  Hazards both;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    if (has(one, kHazardNames[i]) || has(other, kHazardNames[i])) both.add(static_cast<Hazard>(i));
  }
  return both.text();
}

void add_note(VerdictLine& line, const Row& all) {
  const bool ok = all.status == name_in(kStatusNames, Status::ok);
  std::string note = ok ? "" : all.status;
  if (!ok && !all.reason.empty()) note += ": " + all.reason;
  if (!all.remark.empty()) note += (note.empty() ? "" : "; ") + all.remark;
  if (note.empty()) return;
  ++line.notes[note];
  if (ok && is_saturated(all.served_share)) line.of_saturated.insert(note);
}

VerdictLine verdict_line(const std::string& protocol, const Episodes& episodes) {
  VerdictLine line;
  line.protocol = protocol;
  for (const auto& [block, episode] : episodes) {
    if (episode.all == nullptr) continue;
    const Row& all = *episode.all;
    ++line.runs;
    line.promises = united(line.promises, all.promises);
    line.violated = united(line.violated, all.violated);
    line.effective_ops += all.ops.value_or(0);
    if (line.runs == 1 || gravity_of(all.verdict) < gravity_of(line.verdict)) {
      line.verdict = all.verdict;
      line.with_verdict = 0;
    }
    if (all.verdict == line.verdict) ++line.with_verdict;
    if (end_of(all).hung() || end_of(all).failed()) ++line.ended_badly;
    add_note(line, all);
  }
  return line;
}

/// The repetitions of one protocol on one path whose latencies count.
struct Sample {
  struct Part {
    std::uint64_t ops = 0;
    std::optional<std::uint64_t> p50_ns;
    double total_ns = 0;
    std::array<double, kPhaseCount> phase_ns{};
  };
  std::map<Block, Part> parts;
  Histogram merged;
  Histogram response;
  std::vector<double> response_p99_ns;  ///< of files older than resp_hist
};

std::array<double, kPhaseCount> phase_sums(const Row& row) {
  const std::array<Row::Count, kPhaseCount> sums = {row.lock_wait_sum_ns, row.break_wait_sum_ns,
                                                    row.dio_wait_sum_ns,  row.lease_wait_sum_ns,
                                                    row.shootdown_sum_ns, row.zap_sum_ns};
  std::array<double, kPhaseCount> out{};
  std::ranges::transform(sums, out.begin(),
                         [](const Row::Count& sum) { return static_cast<double>(sum.value_or(0)); });
  return out;
}

void add_row(Sample& sample, const Row& row) {
  const Histogram latencies = Histogram::decode(row.lat_hist);
  sample.merged.merge(latencies);
  sample.parts[block_of(row)] = {latencies.count(), row.lat_p50_ns, static_cast<double>(latencies.sum()),
                                 phase_sums(row)};
  if (!row.resp_hist.empty()) {
    sample.response.merge(Histogram::decode(row.resp_hist));
  } else if (row.resp_p99_ns) {
    sample.response_p99_ns.push_back(static_cast<double>(*row.resp_p99_ns));
  }
}

using Samples = std::map<std::string, Sample>;  ///< by protocol

/// By path; `left_out` counts the episodes that do not take part.
std::map<std::string, Samples> samples_of(const Group& group, std::map<std::string, std::size_t>& left_out) {
  std::map<std::string, Samples> out;
  for (const auto& [protocol, episodes] : group.protocols) {
    for (const auto& [block, episode] : episodes) {
      const std::string why =
          episode.all == nullptr ? std::string(kUnfinished) : cost_exclusion(*episode.all);
      if (!why.empty()) {
        ++left_out[why];
        continue;
      }
      for (const Row* row : episode.paths) {
        if (!row->lat_hist.empty()) add_row(out[row->path][protocol], *row);
      }
    }
  }
  return out;
}

/// Means over the given blocks.
MeanParts mean_parts(const Sample& sample, const std::vector<Block>& blocks) {
  MeanParts mean;
  double ops = 0;
  for (const Block& block : blocks) {
    const Sample::Part& part = sample.parts.at(block);
    ops += static_cast<double>(part.ops);
    mean.total += part.total_ns;
    for (std::size_t i = 0; i < kPhaseCount; ++i) mean.phases[i] += part.phase_ns[i];
  }
  mean.total /= ops;
  for (double& phase : mean.phases) phase /= ops;
  return mean;
}

MeanParts minus(MeanParts one, const MeanParts& other) {
  one.total -= other.total;
  for (std::size_t i = 0; i < kPhaseCount; ++i) one.phases[i] -= other.phases[i];
  return one;
}

std::vector<Block> common_blocks(const Sample& one, const Sample& other) {
  std::vector<Block> out;
  for (const auto& [block, part] : one.parts) {
    const auto found = other.parts.find(block);
    if (part.p50_ns && found != other.parts.end() && found->second.p50_ns) out.push_back(block);
  }
  return out;
}

std::vector<double> medians(const Sample& sample, const std::vector<Block>& blocks) {
  std::vector<double> out;
  for (const Block& block : blocks) out.push_back(static_cast<double>(*sample.parts.at(block).p50_ns));
  return out;
}

std::optional<double> response_p99(const Sample& sample) {
  if (const auto merged = sample.response.quantile(0.99)) return static_cast<double>(*merged);
  if (sample.response.count() == 0 && !sample.response_p99_ns.empty()) return median(sample.response_p99_ns);
  return std::nullopt;
}

/// Of the blocks, because what is added is taken block by block: with the median of all operations merged, a
/// drift between the blocks may put the dearer protocol first.
std::optional<std::uint64_t> median_of_blocks(const Sample& sample,
                                              const std::map<Block, double>& block_p50_ns) {
  std::vector<double> values;
  for (const auto& [block, p50_ns] : block_p50_ns) values.push_back(p50_ns);
  if (values.empty()) return sample.merged.quantile(0.5);
  return static_cast<std::uint64_t>(std::llround(median(values)));
}

CostLine cost_line(const std::string& protocol, const Sample& sample) {
  CostLine line;
  line.protocol = protocol;
  line.ops = sample.merged.count();
  for (const auto& [block, part] : sample.parts)
    if (part.p50_ns) line.block_p50_ns[block] = static_cast<double>(*part.p50_ns);
  line.p50_ns = median_of_blocks(sample, line.block_p50_ns);
  line.response_p99_ns = response_p99(sample);
  return line;
}

CostLine reference_line(const std::string& protocol, const Sample& sample) {
  CostLine line = cost_line(protocol, sample);
  line.blocks = sample.parts.size();
  std::vector<Block> blocks;
  for (const auto& [block, part] : sample.parts) blocks.push_back(block);
  line.where = mean_parts(sample, blocks);
  return line;
}

CostLine compared_line(const std::string& protocol, const Sample& sample, const Sample& reference,
                       std::uint64_t seed) {
  CostLine line = cost_line(protocol, sample);
  const std::vector<Block> blocks = common_blocks(sample, reference);
  line.blocks = blocks.size();
  if (blocks.empty()) return line;
  const std::vector<double> changed = medians(sample, blocks);
  const std::vector<double> base = medians(reference, blocks);
  line.added_ns = bootstrap_difference(changed, base, seed);
  if (std::ranges::find(base, 0.0) == base.end()) line.ratio = bootstrap_ratio(changed, base, seed);
  line.where = minus(mean_parts(sample, blocks), mean_parts(reference, blocks));
  return line;
}

std::vector<std::string> ordered(const auto& by_name, const std::vector<std::string>& order) {
  std::vector<std::string> names;
  for (const auto& [name, value] : by_name) names.push_back(name);
  std::ranges::stable_sort(names, {}, [&](const std::string& name) { return rank_in(order, name); });
  return names;
}

PathCost path_cost(const std::string& path, const Samples& samples, const std::string& reference,
                   const TableOptions& options) {
  PathCost cost{path, {}};
  const auto base = samples.find(reference);
  if (base != samples.end()) cost.lines.push_back(reference_line(reference, base->second));
  for (const std::string& protocol : ordered(samples, options.protocol_order)) {
    if (protocol == reference) continue;
    const Sample& sample = samples.at(protocol);
    cost.lines.push_back(base == samples.end() ? cost_line(protocol, sample)
                                               : compared_line(protocol, sample, base->second, options.seed));
  }
  return cost;
}

Scenario scenario_of(const Group& group, const TableOptions& options,
                     std::map<std::string, std::size_t>& left_out) {
  Scenario scenario;
  scenario.key = *group.any;
  scenario.reference = options.uncontended(group.any->workload) ? "none" : "iolock_mmaplock";
  for (const std::string& protocol : ordered(group.protocols, options.protocol_order)) {
    const VerdictLine line = verdict_line(protocol, group.protocols.at(protocol));
    if (line.runs > 0) scenario.verdicts.push_back(line);
  }
  const std::map<std::string, Samples> samples = samples_of(group, left_out);
  const std::vector<std::string> path_order(kPathNames.begin(), kPathNames.end());
  for (const std::string& path : ordered(samples, path_order)) {
    scenario.paths.push_back(path_cost(path, samples.at(path), scenario.reference, options));
    if (samples.at(path).contains(scenario.reference)) scenario.has_reference = true;
  }
  return scenario;
}

std::vector<std::string_view> varying_columns(const std::vector<Scenario>& scenarios) {
  constexpr std::array<std::string_view, 3> kShownElsewhere = {"workload", "protocol", "path"};
  std::vector<std::string_view> out;
  for (const Column& column : kColumns) {
    if (!column.is_key || std::ranges::find(kShownElsewhere, column.name) != kShownElsewhere.end()) continue;
    std::set<std::string> values;
    for (const Scenario& scenario : scenarios) values.insert(field_text(scenario.key, column));
    if (values.size() > 1) out.push_back(column.name);
  }
  return out;
}

}  // namespace

double MeanParts::rest() const { return total - std::accumulate(phases.begin(), phases.end(), 0.0); }

ResultSummary summarize_results(const std::vector<Row>& rows, const TableOptions& options) {
  ResultSummary summary;
  summary.skipped = skip_reasons(rows);
  for (const auto& [key, group] : grouped(rows)) {
    summary.scenarios.push_back(scenario_of(group, options, summary.left_out));
  }
  std::ranges::stable_sort(summary.scenarios, {}, [&](const Scenario& scenario) {
    return std::pair(rank_in(options.workload_order, scenario.key.workload), scenario.key.workload);
  });
  summary.varying = varying_columns(summary.scenarios);
  return summary;
}

}  // namespace daxrace
