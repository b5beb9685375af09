#include "harness/results/rank_test.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/binomial.hpp>

namespace daxrace {
namespace {

/// Shapes that are remembered: a table of a million rows has some hundreds.
constexpr std::size_t kMostShapes = 4096;

/// Two-sided tail of the normal limit, at `distance` of the rank sum from its mean.
double normal_p(double distance, double variance) {
  if (variance <= 0) return 1;
  constexpr double kContinuity = 0.5;  // the rank sum moves in steps
  const double z = std::max(0.0, distance - kContinuity) / std::sqrt(variance);
  return std::min(1.0, 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z)));
}

/// Of the rank sum of n values among n + m; `ties`: the sum of t^3 - t over groups of t equal values.
double rank_sum_variance(double n, double m, double ties) {
  const double all = n + m;
  return n * m / 12 * (all + 1 - ties / (all * (all - 1)));
}

/// Doubled midranks, so that they are whole numbers: a group of t values from rank r on has 2r + t - 1.
std::vector<std::size_t> doubled_ranks(std::span<const std::uint8_t> groups) {
  std::vector<std::size_t> ranks;
  std::size_t first = 1;
  for (const std::uint8_t group : groups) {
    ranks.insert(ranks.end(), group, 2 * first + group - 1);
    first += group;
  }
  return ranks;
}

/// How many subsets of `size` ranks have each sum. Whole numbers below 2^53, so exact in a double.
std::vector<double> subset_counts(const std::vector<std::size_t>& ranks, std::size_t size) {
  const std::size_t most =
      std::accumulate(ranks.end() - static_cast<std::ptrdiff_t>(size), ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> counts(size + 1, std::vector<double>(most + 1));
  counts[0][0] = 1;
  for (const std::size_t rank : ranks) {
    for (std::size_t chosen = size; chosen > 0; --chosen) {
      for (std::size_t sum = most; sum >= rank; --sum) counts[chosen][sum] += counts[chosen - 1][sum - rank];
    }
  }
  return counts[size];
}

/// Turns counts by sum into the share of sums that lie at least as far from the middle.
std::vector<double> two_sided(const std::vector<double>& counts, std::size_t middle) {
  const auto distance = [&](std::size_t sum) { return sum > middle ? sum - middle : middle - sum; };
  std::vector<double> beyond(std::max(middle, counts.size()) + 2);
  double all = 0;
  for (std::size_t sum = 0; sum < counts.size(); ++sum) {
    beyond[distance(sum)] += counts[sum];
    all += counts[sum];
  }
  for (std::size_t d = beyond.size() - 1; d > 0; --d) beyond[d - 1] += beyond[d];
  std::vector<double> out(counts.size());
  for (std::size_t sum = 0; sum < out.size(); ++sum) out[sum] = beyond[distance(sum)] / all;
  return out;
}

std::vector<std::size_t> ascending_order(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  return order;
}

}  // namespace

const RankTest::Distribution& RankTest::distribution_of(const Shape& shape) {
  if (const auto found = known_.find(shape); found != known_.end()) return found->second;
  const std::size_t size = shape.front();
  const std::vector<std::size_t> ranks = doubled_ranks(std::span(shape).subspan(1));
  Distribution p = two_sided(subset_counts(ranks, size), size * (ranks.size() + 1));
  if (known_.size() < kMostShapes) return known_.emplace(shape, std::move(p)).first->second;
  last_ = std::move(p);
  return last_;
}

double RankTest::p_value(std::span<const double> base, std::span<const double> changed) {
  if (base.empty() || changed.empty()) throw std::invalid_argument("a rank test of an empty sample");
  const bool base_is_smaller = base.size() <= changed.size();
  sorted_.clear();
  for (const double value : base) sorted_.emplace_back(value, base_is_smaller);
  for (const double value : changed) sorted_.emplace_back(value, !base_is_smaller);
  std::ranges::sort(sorted_, {}, [](const auto& one) { return one.first; });
  const bool exact = std::max(base.size(), changed.size()) <= kMostForExact;
  Shape shape{static_cast<std::uint8_t>(exact ? std::min(base.size(), changed.size()) : 0)};
  std::size_t doubled_sum = 0;
  double ties = 0;
  for (std::size_t begin = 0, end = 0; begin < sorted_.size(); begin = end) {
    std::size_t ours = 0;
    for (end = begin; end < sorted_.size() && sorted_[end].first == sorted_[begin].first; ++end)
      ours += sorted_[end].second ? 1 : 0;
    const std::size_t group = end - begin;
    doubled_sum += ours * (2 * begin + group + 1);
    ties += std::pow(static_cast<double>(group), 3) - static_cast<double>(group);
    if (exact) shape.push_back(static_cast<std::uint8_t>(group));
  }
  if (exact) return distribution_of(shape)[doubled_sum];
  const auto n = static_cast<double>(std::min(base.size(), changed.size()));
  const auto m = static_cast<double>(std::max(base.size(), changed.size()));
  const double distance = std::abs(static_cast<double>(doubled_sum) / 2 - n * (n + m + 1) / 2);
  return normal_p(distance, rank_sum_variance(n, m, ties));
}

double RankTest::least_p(std::size_t base, std::size_t changed) {
  if (base == 0 || changed == 0) return 1;
  if (std::max(base, changed) <= kMostForExact) {
    const auto all = static_cast<unsigned>(base + changed);
    return std::min(1.0, 2 / boost::math::binomial_coefficient<double>(all, static_cast<unsigned>(base)));
  }
  const auto n = static_cast<double>(base);
  const auto m = static_cast<double>(changed);
  return normal_p(n * m / 2, rank_sum_variance(n, m, 0));
}

std::size_t repetitions_needed(double bar) {
  std::size_t n = 1;
  while (RankTest::least_p(n, n) > bar) ++n;
  return n;
}

std::vector<double> benjamini_hochberg(std::span<const double> p_values) {
  const std::vector<std::size_t> order = ascending_order(p_values);
  const auto count = static_cast<double>(p_values.size());
  std::vector<double> out(p_values.size());
  double least = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    least = std::min(least, p_values[i] * count / static_cast<double>(rank));
    out[i] = least;
  }
  return out;
}

std::vector<double> holm(std::span<const double> p_values) {
  const std::vector<std::size_t> order = ascending_order(p_values);
  std::vector<double> out(p_values.size());
  double most = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const std::size_t i = order[rank];
    most = std::max(most, std::min(1.0, p_values[i] * static_cast<double>(order.size() - rank)));
    out[i] = most;
  }
  return out;
}

}  // namespace daxrace
