#include "harness/results/change_points.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "harness/results/rank_test.hpp"
#include "harness/results/statistics.hpp"

namespace daxrace {
namespace {

/// A level is a thing of at least two values; a single one is an outlier.
constexpr std::size_t kShortest = 2;
/// Random orders that are tried: as many as the level needs for the smallest p to be well below it.
constexpr double kOrdersPerLevel = 20;
constexpr std::size_t kFewestOrders = 999;
constexpr std::size_t kMostOrders = 99'999;

struct Split {
  std::size_t at = 0;
  double clarity = 0;  ///< distance of the rank sum from its mean, in standard deviations
};

/// Midranks, from 1.
std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  std::vector<double> out;
  for (const double value : values) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    out.push_back(
        (static_cast<double>(first - sorted.begin()) + static_cast<double>(last - sorted.begin()) + 1) / 2);
  }
  return out;
}

Split best_split(std::span<const double> ranks) {
  const auto all = static_cast<double>(ranks.size());
  Split best;
  double sum = 0;
  for (std::size_t at = 1; at + kShortest <= ranks.size(); ++at) {
    sum += ranks[at - 1];
    if (at < kShortest) continue;
    const auto n = static_cast<double>(at);
    const double deviation = std::sqrt(n * (all - n) * (all + 1) / 12);
    const double clarity = std::abs(sum - n * (all + 1) / 2) / deviation;
    if (clarity > best.clarity) best = {at, clarity};
  }
  return best;
}

void shuffle(std::span<double> values, std::mt19937_64& random) {
  for (std::size_t left = values.size(); left > 1; --left)
    std::swap(values[left - 1], values[static_cast<std::size_t>((random() >> 32) * left >> 32)]);
}

double p_of(const Split& split, std::vector<double> ranks, double level, std::mt19937_64& random) {
  const auto orders = static_cast<std::size_t>(std::clamp(
      kOrdersPerLevel / level, static_cast<double>(kFewestOrders), static_cast<double>(kMostOrders)));
  constexpr double kRounding = 1e-9;
  std::size_t as_clear = 0;
  for (std::size_t i = 0; i < orders; ++i) {
    shuffle(ranks, random);
    if (best_split(ranks).clarity >= split.clarity - kRounding) ++as_clear;
  }
  return static_cast<double>(as_clear + 1) / static_cast<double>(orders + 1);
}

void segment(std::span<const double> values, std::size_t offset, double level, std::mt19937_64& random,
             std::vector<ChangePoint>& out) {
  if (values.size() < 2 * kShortest) return;
  const std::vector<double> ranks = ranks_of(values);
  const Split split = best_split(ranks);
  if (split.at == 0) return;
  const double p = p_of(split, ranks, level, random);
  if (p > level) return;
  segment(values.first(split.at), offset, level, random, out);
  out.push_back({offset + split.at, p, 0, 0});
  segment(values.subspan(split.at), offset + split.at, level, random, out);
}

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> values, double level, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<ChangePoint> out;
  segment(values, 0, level, random, out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : out[i - 1].at;
    const std::size_t end = i + 1 == out.size() ? values.size() : out[i + 1].at;
    out[i].before = median(values.subspan(begin, out[i].at - begin));
    out[i].after = median(values.subspan(out[i].at, end - out[i].at));
  }
  return out;
}

std::size_t values_needed_for_change(double level) { return 2 * repetitions_needed(level); }

}  // namespace daxrace
