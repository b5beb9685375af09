#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "harness/results/comparison.hpp"

namespace daxrace {

/// Words that the screen, the tables and the formats of a comparison share.
std::string metric_text(Metric metric, double value);
/// `1.92 [1.64, 2.52]`.
std::string ratio_interval_text(const Interval& ratio);
/// `n=6+6`, and of how many repetitions a value is merged.
std::string sample_sizes_text(const ComparedRow& row);
/// What counts as a change.
std::string decision_rule_text(const ComparisonOptions& options);
std::string family_text(const ComparedFamily& family);
/// How many values per side a change that stands alone needs, if there are too few.
std::string needed_values_text(const ComparedFamily& family);
std::string count_range_text(std::size_t low, std::size_t high);
/// `24 saturated; 3 unfinished`.
std::string left_out_reasons_text(const std::map<std::string, std::size_t>& reasons);
/// Significantly slower or faster, and beyond the threshold.
bool has_changed(const ComparedRow& row);

}  // namespace daxrace
