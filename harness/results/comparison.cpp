#include "harness/results/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "harness/base/types.hpp"
#include "harness/results/rank_test.hpp"

namespace daxrace {
namespace {

constexpr std::size_t kMostMerged =
    8;  ///< repetitions merged into one value; beyond, there are too few samples

double share_of(Metric metric) { return metric == Metric::p50 ? 0.5 : 0.99; }

std::uint32_t exclusion_of(const Measurement& row, Metric metric) {
  return metric == Metric::throughput ? row.no_throughput : row.no_latency;
}

std::optional<double> own_value(const Measurement& row, Metric metric) {
  if (metric == Metric::throughput)
    return std::isnan(row.ops_per_s) ? std::nullopt : std::optional(row.ops_per_s);
  const std::uint64_t ns = metric == Metric::p50 ? row.p50_ns : row.p99_ns;
  return ns == Measurement::kAbsent ? std::nullopt : std::optional(static_cast<double>(ns));
}

/// Several repetitions as one value: the quantile of their merged histograms, the mean of their throughputs.
std::optional<double> joint_value(const ResultSet& set, std::span<const Measurement> rows, Metric metric) {
  if (rows.size() == 1) return own_value(rows.front(), metric);
  if (metric == Metric::throughput) {
    double sum = 0;
    for (const Measurement& row : rows) sum += row.ops_per_s;
    return std::isnan(sum) ? std::nullopt : std::optional(sum / static_cast<double>(rows.size()));
  }
  const auto quantile = set.merged(rows).quantile(share_of(metric));
  return quantile ? std::optional(static_cast<double>(*quantile)) : std::nullopt;
}

using Blocks = std::vector<std::span<const Measurement>>;

/// Consecutive repetitions; what is left over goes to the last block.
Blocks blocks_of(std::span<const Measurement> rows, std::size_t size) {
  Blocks out;
  for (; rows.size() >= 2 * size; rows = rows.subspan(size)) out.push_back(rows.first(size));
  if (rows.size() >= size) out.push_back(rows);
  return out;
}

Blocks blocks_by_run(std::span<const Measurement> rows) {
  Blocks out;
  while (!rows.empty()) {
    const auto end =
        std::ranges::find_if(rows, [&](const Measurement& row) { return row.run != rows.front().run; });
    out.push_back(rows.first(static_cast<std::size_t>(end - rows.begin())));
    rows = rows.subspan(out.back().size());
  }
  return out;
}

/// Nothing if one of the blocks has no value.
std::optional<std::vector<double>> values_of(const ResultSet& set, const Blocks& blocks, Metric metric) {
  std::vector<double> out;
  for (const auto& block : blocks) {
    const auto value = joint_value(set, block, metric);
    if (!value) return std::nullopt;
    out.push_back(*value);
  }
  return out;
}

using GroupIndex = std::unordered_map<std::uint64_t, const MeasurementGroup*>;

std::uint64_t group_key(std::uint32_t config, std::uint32_t path) {
  return std::uint64_t{config} << 32 | path;
}

GroupIndex index_of(const std::vector<MeasurementGroup>& groups) {
  GroupIndex out;
  out.reserve(groups.size());
  for (const MeasurementGroup& group : groups) out.emplace(group_key(group.config, group.path), &group);
  return out;
}

/// For each text of one set its number in the other, or none.
std::vector<std::optional<std::uint32_t>> counterparts(const std::vector<std::string_view>& of,
                                                       const std::vector<std::string_view>& in) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  numbers.reserve(in.size());
  for (std::uint32_t i = 0; i < in.size(); ++i) numbers.emplace(in[i], i);
  std::vector<std::optional<std::uint32_t>> out(of.size());
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (const auto found = numbers.find(of[i]); found != numbers.end()) out[i] = found->second;
  }
  return out;
}

// ---- how the episodes ended ----

/// The episodes of one configuration on one side, counted.
struct Ending {
  std::size_t runs = 0;  ///< that were not skipped
  std::map<std::string_view, std::size_t> verdicts;
  std::map<std::string_view, std::size_t> statuses;
  std::size_t broken = 0;
  std::size_t hung = 0;
  std::size_t failed = 0;
  const EpisodeOutcome* skipped = nullptr;
  const EpisodeOutcome* worst = nullptr;  ///< the first broken, hung or failed one

  std::size_t with_status(Status status) const {
    const auto found = statuses.find(name_in(kStatusNames, status));
    return found == statuses.end() ? 0 : found->second;
  }
};

class Endings {
 public:
  explicit Endings(const ResultSet& set) : set_(set), endings_(set.configs().size()) {
    for (const EpisodeOutcome& episode : set.episodes()) add(endings_[episode.config], episode);
  }
  const Ending& of(std::uint32_t config) const { return endings_[config]; }
  std::string_view text(std::uint32_t reason) const { return set_.reasons()[reason]; }
  std::string place(const EpisodeOutcome& episode) const { return set_.place_text(episode.place); }

 private:
  void add(Ending& ending, const EpisodeOutcome& episode) const {
    const EpisodeEnd end = set_.end_of(episode);
    if (end.skipped()) {
      ending.skipped = &episode;
      return;
    }
    ++ending.runs;
    ++ending.verdicts[end.verdict];
    ++ending.statuses[end.status];
    ending.broken += end.broken() ? 1 : 0;
    ending.hung += end.hung() ? 1 : 0;
    ending.failed += end.failed() ? 1 : 0;
    if (end.bad() && ending.worst == nullptr) ending.worst = &episode;
  }

  const ResultSet& set_;
  std::vector<Ending> endings_;
};

std::string counts_text(const std::map<std::string_view, std::size_t>& counts) {
  std::string out;
  for (const auto& [name, count] : counts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, count);
  return out;
}

/// What the first bad episode says of itself.
std::string detail(const Endings& endings, const Ending& ending) {
  if (ending.worst == nullptr) return {};
  std::string out;
  if (const auto violated = endings.text(ending.worst->violated); !violated.empty())
    out += fmt::format("; violated {}", violated);
  if (const auto reason = endings.text(ending.worst->reason); !reason.empty())
    out += fmt::format("; {}", reason);
  return out + fmt::format(" ({})", endings.place(*ending.worst));
}

bool is_bad(const Ending& ending) { return ending.worst != nullptr; }

class OutcomeComparison {
 public:
  OutcomeComparison(const ResultSet& base, const ResultSet& changed)
      : base_set_(base), changed_set_(changed), base_(base), changed_(changed) {
    for (std::uint32_t config = 0; config < changed.configs().size(); ++config) {
      const Ending& ending = changed_.of(config);
      if (ending.runs == 0 && ending.skipped != nullptr)
        skipped_.emplace(without_granularity(changed.configs()[config]), &ending);
    }
  }

  std::vector<OutcomeChange> compare() {
    const auto in_changed = counterparts(base_set_.configs(), changed_set_.configs());
    for (std::uint32_t config = 0; config < in_changed.size(); ++config) {
      name_ = base_set_.configs()[config];
      const Ending& before = base_.of(config);
      if (!in_changed[config]) {
        note_absent(before, skipped_instead());
        continue;
      }
      compare_endings(before, changed_.of(*in_changed[config]));
    }
    const auto in_base = counterparts(changed_set_.configs(), base_set_.configs());
    for (std::uint32_t config = 0; config < in_base.size(); ++config) {
      if (in_base[config]) continue;
      name_ = changed_set_.configs()[config];
      compare_endings({}, changed_.of(config));
    }
    std::ranges::stable_sort(out_, {}, &OutcomeChange::outcome);
    return std::move(out_);
  }

 private:
  /// What could not be opened has no granularity: a skipped row does not have the key of those that ran.
  std::string without_granularity(std::string_view config) const {
    const auto fields = config_fields(config);
    std::string out;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (base_set_.key_columns()[i]->name != "granularity") out += fields[i];
      out += '\0';
    }
    return out;
  }

  const Ending& skipped_instead() const {
    static const Ending kNothing;
    const auto found = skipped_.find(without_granularity(name_));
    return found == skipped_.end() ? kNothing : *found->second;
  }

  void note(Outcome outcome, std::string text) { out_.push_back({outcome, name_, std::move(text)}); }

  void note_bad(Outcome outcome, std::size_t before, std::size_t now, const Ending& after) {
    if (now == 0) return;
    note(outcome,
         fmt::format("{} of {} runs, {} in the base{}", now, after.runs, before, detail(changed_, after)));
  }

  void compare_endings(const Ending& before, const Ending& after) {
    note_bad(Outcome::broken, before.broken, after.broken, after);
    note_bad(Outcome::hang, before.hung, after.hung, after);
    note_bad(Outcome::error, before.failed, after.failed, after);
    if (before.with_status(Status::starved) == 0)
      note_bad(Outcome::starved, 0, after.with_status(Status::starved), after);
    if (after.runs == 0) {
      note_absent(before, after);
      return;
    }
    if (before.runs == 0) {
      note(before.skipped != nullptr ? Outcome::runs_now : Outcome::appeared,
           fmt::format("{} in the base; now {}", before.skipped != nullptr ? "skipped" : "not",
                       counts_text(after.verdicts)));
      return;
    }
    if (is_bad(after)) return;
    compare_harmless(before, after);
  }

  void note_absent(const Ending& before, const Ending& after) {
    if (before.runs == 0) return;
    if (after.skipped == nullptr) {
      note(Outcome::vanished, fmt::format("ran {} times in the base", before.runs));
      return;
    }
    note(Outcome::skipped,
         fmt::format("{} ({})", changed_.text(after.skipped->reason), changed_.place(*after.skipped)));
  }

  void compare_harmless(const Ending& before, const Ending& after) {
    if (is_bad(before)) {
      note(Outcome::runs_now,
           fmt::format("{} in the base; now {}", counts_text(before.statuses), counts_text(after.verdicts)));
    } else if (const auto now = after.with_status(Status::inconclusive);
               now > before.with_status(Status::inconclusive)) {
      note(Outcome::inconclusive, fmt::format("{} of {} runs, {} in the base", now, after.runs,
                                              before.with_status(Status::inconclusive)));
    } else if (kinds(before.verdicts) != kinds(after.verdicts)) {
      note(Outcome::verdict,
           fmt::format("{} -> {}", counts_text(before.verdicts), counts_text(after.verdicts)));
    }
  }

  static std::vector<std::string_view> kinds(const std::map<std::string_view, std::size_t>& counts) {
    std::vector<std::string_view> out;
    for (const auto& [name, count] : counts) out.push_back(name);
    return out;
  }

  const ResultSet& base_set_;
  const ResultSet& changed_set_;
  Endings base_, changed_;
  std::map<std::string, const Ending*> skipped_;  ///< of what is new, by configuration
  std::string_view name_;
  std::vector<OutcomeChange> out_;
};

// ---- what they cost ----

class CostComparison {
 public:
  CostComparison(const ResultSet& base, const ResultSet& changed, const ComparisonOptions& options)
      : base_(base), changed_(changed), options_(options) {}

  void compare(ComparisonReport& report) {
    pair_rows(report);
    for (ComparedRow& row : report.rows) assign_family(report, row);
    for (std::size_t i = 0; i < report.families.size(); ++i) decide(report, i);
    std::ranges::stable_sort(report.rows, [](const ComparedRow& one, const ComparedRow& other) {
      if (one.change != other.change) return one.change < other.change;
      return one.badness() > other.badness();
    });
  }

 private:
  void pair_rows(ComparisonReport& report) {
    const std::vector<MeasurementGroup> base_groups = base_.groups();
    const std::vector<MeasurementGroup> changed_groups = changed_.groups();
    const GroupIndex in_changed = index_of(changed_groups);
    const auto configs = counterparts(base_.configs(), changed_.configs());
    const auto paths = counterparts(base_.paths(), changed_.paths());
    for (const MeasurementGroup& group : base_groups) {
      if (!configs[group.config]) continue;
      const auto found = paths[group.path]
                             ? in_changed.find(group_key(*configs[group.config], *paths[group.path]))
                             : in_changed.end();
      if (found == in_changed.end()) {
        if (!had_result(*configs[group.config])) continue;
        report.outcomes.push_back(
            {Outcome::path_gone, base_.configs()[group.config],
             fmt::format("no {} any more, {} in the base", base_.paths()[group.path], group.rows.size())});
        continue;
      }
      for (const Metric metric : options_.metrics) pair(report, group, *found->second, metric);
    }
  }

  /// Whether episodes of a configuration ran at all: else its lack of paths has been reported already.
  bool had_result(std::uint32_t config) const {
    const auto found = std::ranges::lower_bound(changed_.episodes(), config, {}, &EpisodeOutcome::config);
    return found != changed_.episodes().end() && found->config == config &&
           !changed_.end_of(*found).skipped();
  }

  static void add_left_out(ComparisonReport& report, const MetricValues& values) {
    for (const auto& [why, count] : values.left_out) report.left_out[why] += count;
  }

  /// Why a side has no value at all, unless its rows have been left out with a reason of their own.
  static void note_without_value(ComparisonReport& report, const MetricValues& values,
                                 const MeasurementGroup& group, std::string_view side, Metric metric) {
    if (!values.values.empty() || !values.left_out.empty()) return;
    const bool absent = std::ranges::all_of(
        group.rows, [&](const Measurement& row) { return row.lat_hist.empty() && !own_value(row, metric); });
    const std::string_view name = name_in(kMetricNames, metric);
    ++report.left_out[absent ? fmt::format("{} not in {}", name, side)
                             : fmt::format("too few samples for {} in {}", name, side)];
  }

  void pair(ComparisonReport& report, const MeasurementGroup& base, const MeasurementGroup& changed,
            Metric metric) {
    MetricValues before = metric_values(base_, base, metric, options_.unit);
    MetricValues after = metric_values(changed_, changed, metric, options_.unit);
    // Values that were merged from more samples scatter less: both sides must be made alike.
    if (before.merge < after.merge) before = metric_values(base_, base, metric, options_.unit, after.merge);
    if (after.merge < before.merge)
      after = metric_values(changed_, changed, metric, options_.unit, before.merge);
    add_left_out(report, before);
    add_left_out(report, after);
    if (before.values.empty() || after.values.empty()) {
      note_without_value(report, before, base, "base", metric);
      note_without_value(report, after, changed, "new", metric);
      return;
    }
    ComparedRow row;
    row.config = base.config;
    row.path = base_.paths()[base.path];
    row.metric = metric;
    row.merged_repetitions = before.merge;
    row.base_median = median(before.values);
    row.changed_median = median(after.values);
    if (row.base_median <= 0 || row.changed_median <= 0) {
      ++report.left_out[fmt::format("{} is 0", name_in(kMetricNames, metric))];
      return;
    }
    row.ratio = row.changed_median / row.base_median;
    row.base = std::move(before.values);
    row.changed = std::move(after.values);
    row.base_rows = base;
    row.changed_rows = changed;
    row.p = test_.p_value(row.base, row.changed);
    report.rows.push_back(std::move(row));
  }

  void assign_family(ComparisonReport& report, ComparedRow& row) {
    const std::string_view path = options_.family == FamilyScope::path ? row.path : std::string_view();
    auto found = std::ranges::find_if(report.families, [&](const ComparedFamily& family) {
      return family.metric == row.metric && family.path == path;
    });
    if (found == report.families.end()) {
      report.families.push_back({});
      found = std::prev(report.families.end());
      found->metric = row.metric;
      found->path = path;
    }
    row.family = static_cast<std::size_t>(found - report.families.begin());
    ++found->rows;
    const std::size_t size = std::min(row.base.size(), row.changed.size());
    found->fewest = found->rows == 1 ? size : std::min(found->fewest, size);
    found->most = std::max(found->most, size);
    found->least_p = std::min(found->least_p, RankTest::least_p(row.base.size(), row.changed.size()));
    members_.resize(report.families.size());
    members_[row.family].push_back(&row);
  }

  /// Rows that could not be significant even alone are no comparisons: their p is not corrected for.
  void decide(ComparisonReport& report, std::size_t index) {
    ComparedFamily& family = report.families[index];
    family.bar = options_.level / static_cast<double>(family.rows);
    family.needed = repetitions_needed(family.bar);
    std::vector<ComparedRow*> tested;
    std::vector<double> p_values;
    for (ComparedRow* row : members_[index]) {
      if (RankTest::least_p(row->base.size(), row->changed.size()) > options_.level) continue;
      tested.push_back(row);
      p_values.push_back(row->p);
    }
    const std::vector<double> adjusted =
        options_.correction == Correction::bh ? benjamini_hochberg(p_values) : holm(p_values);
    for (std::size_t i = 0; i < tested.size(); ++i) tested[i]->adjusted = adjusted[i];
    for (ComparedRow* row : members_[index]) {
      row->change = change_of(*row, family);
      if (row->change == Change::undecided) ++family.undecided;
    }
  }

  Change change_of(const ComparedRow& row, const ComparedFamily& family) const {
    if (row.adjusted > options_.level) {
      const double least = RankTest::least_p(row.base.size(), row.changed.size());
      return least > family.bar ? Change::undecided : Change::none;
    }
    if (row.badness() >= 1 + options_.threshold) return Change::slower;
    if (row.badness() <= 1 / (1 + options_.threshold)) return Change::faster;
    return Change::small;
  }

  const ResultSet& base_;
  const ResultSet& changed_;
  const ComparisonOptions& options_;
  RankTest test_;
  std::vector<std::vector<ComparedRow*>> members_;  ///< of each family
};

}  // namespace

MetricValues metric_values(const ResultSet& set, const MeasurementGroup& group, Metric metric, Unit unit,
                           std::size_t merge) {
  MetricValues out;
  std::vector<Measurement> counted;
  counted.reserve(group.rows.size());
  for (const Measurement& row : group.rows) {
    if (const std::uint32_t why = exclusion_of(row, metric); why != 0) {
      ++out.left_out[std::string(set.reasons()[why])];
    } else {
      counted.push_back(row);
    }
  }
  if (unit == Unit::run) {
    out.values = values_of(set, blocks_by_run(counted), metric).value_or(std::vector<double>());
    return out;
  }
  const std::size_t most = merge > 0 ? merge : kMostMerged;
  for (out.merge = std::max<std::size_t>(merge, 1); out.merge <= most; ++out.merge) {
    if (auto values = values_of(set, blocks_of(counted, out.merge), metric)) {
      out.values = std::move(*values);
      return out;
    }
  }
  out.merge = 1;
  return out;
}

bool ComparisonReport::any(Change change) const {
  return std::ranges::find(rows, change, &ComparedRow::change) != rows.end();
}

bool ComparisonReport::any_failure() const {
  return std::ranges::any_of(outcomes, [](const OutcomeChange& one) { return fails(one.outcome); });
}

ComparisonReport compare_results(const ResultSet& base, const ResultSet& changed,
                                 const ComparisonOptions& options) {
  ComparisonReport report;
  for (const auto& other : counterparts(base.configs(), changed.configs()))
    report.configurations += other ? 1 : 0;
  report.outcomes = OutcomeComparison(base, changed).compare();
  CostComparison(base, changed, options).compare(report);
  return report;
}

Interval ratio_interval(const ComparedRow& row, std::uint64_t seed) {
  return bootstrap_ratio_of_medians(row.changed, row.base, seed);
}

std::optional<std::uint64_t> merged_quantile(const ResultSet& set, const MeasurementGroup& rows,
                                             Metric metric) {
  if (metric == Metric::throughput) return std::nullopt;
  std::vector<Measurement> counted;
  std::ranges::copy_if(rows.rows, std::back_inserter(counted),
                       [&](const Measurement& row) { return row.no_latency == 0; });
  return set.merged(counted).quantile(share_of(metric));
}

}  // namespace daxrace
