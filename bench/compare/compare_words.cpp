#include "bench/compare/compare_words.hpp"

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/suggest.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/base/types.hpp"

namespace daxrace {

std::string metric_text(Metric metric, double value) {
  return metric == Metric::throughput ? fmt::format("{:.4g}/s", value) : scaled_time(value);
}

std::string ratio_interval_text(const Interval& ratio) {
  if (!ratio.bounded()) return ratio_text(ratio.mid);
  return fmt::format("{} [{}, {}]", ratio_text(ratio.mid), ratio_text(ratio.low), ratio_text(ratio.high));
}

std::string sample_sizes_text(const ComparedRow& row) {
  const std::string merged =
      row.merged_repetitions > 1 ? fmt::format(" ({} merged each)", row.merged_repetitions) : "";
  return fmt::format("n={}+{}{}", row.base.size(), row.changed.size(), merged);
}

std::string decision_rule_text(const ComparisonOptions& s) {
  return fmt::format("{} {}, changes of {} and more", percent_text(s.level),
                     s.correction == Correction::bh ? "false discoveries (Benjamini-Hochberg)"
                                                    : "chance of a false alarm (Holm)",
                     percent_text(s.threshold));
}

std::string family_text(const ComparedFamily& family) {
  return fmt::format("{} {}",
                     family.metric == Metric::throughput ? "ops/s" : name_in(kMetricNames, family.metric),
                     family.path.empty() ? "all paths" : family.path);
}

std::string needed_values_text(const ComparedFamily& family) {
  return family.undecided == 0 ? "" : fmt::format("{}", family.needed);
}

std::string count_range_text(std::size_t low, std::size_t high) {
  return low == high ? fmt::format("{}", low) : fmt::format("{}-{}", low, high);
}

std::string left_out_reasons_text(const std::map<std::string, std::size_t>& reasons) {
  std::vector<std::string> out;
  for (const auto& [reason, count] : reasons) out.push_back(fmt::format("{} {}", count, reason));
  return join(out, "; ");
}

bool has_changed(const ComparedRow& row) {
  return row.change == Change::slower || row.change == Change::faster;
}

}  // namespace daxrace
