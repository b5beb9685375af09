#include "harness/results/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include <boost/math/statistics/univariate_statistics.hpp>

namespace daxrace {
namespace {

constexpr double kTail = 0.025;

void require_values(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("statistics of an empty sample");
}

double median_in_place(std::vector<double>& values) { return boost::math::statistics::median(values); }

// Not std::uniform_int_distribution, whose results differ between standard libraries.
std::size_t draw_below(std::mt19937_64& random, std::size_t bound) {
  return static_cast<std::size_t>((random() >> 32) * bound >> 32);
}

Interval unbounded(double mid) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return {-kInfinity, mid, kInfinity};
}

/// Fills `resample` with draws from `values`.
double resampled_median(std::vector<double>& resample, std::span<const double> values,
                        std::mt19937_64& random) {
  for (double& value : resample) value = values[draw_below(random, values.size())];
  return median_in_place(resample);
}

std::vector<double> pairwise(std::span<const double> changed, std::span<const double> reference,
                             const std::function<double(double, double)>& combine) {
  if (changed.size() != reference.size()) throw std::invalid_argument("pairs of samples of different length");
  std::vector<double> out;
  out.reserve(changed.size());
  for (std::size_t i = 0; i < changed.size(); ++i) out.push_back(combine(changed[i], reference[i]));
  return out;
}

}  // namespace

bool Interval::bounded() const { return std::isfinite(low) && std::isfinite(high); }

double median(std::span<const double> values) {
  require_values(values);
  std::vector<double> copy(values.begin(), values.end());
  return median_in_place(copy);
}

double quantile(std::span<const double> values, double q) {
  require_values(values);
  if (!(q >= 0 && q <= 1)) throw std::invalid_argument("a quantile outside 0 to 1");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

Interval bootstrap_median(std::span<const double> values, std::uint64_t seed, unsigned resamples) {
  const double mid = median(values);
  if (values.size() < kMinForInterval) return unbounded(mid);
  std::mt19937_64 random(seed);
  std::vector<double> medians;
  std::vector<double> resample(values.size());
  medians.reserve(resamples);
  for (unsigned i = 0; i < resamples; ++i) medians.push_back(resampled_median(resample, values, random));
  return {quantile(medians, kTail), mid, quantile(medians, 1 - kTail)};
}

Interval bootstrap_difference(std::span<const double> changed, std::span<const double> reference,
                              std::uint64_t seed, unsigned resamples) {
  return bootstrap_median(pairwise(changed, reference, std::minus<>()), seed, resamples);
}

Interval bootstrap_ratio(std::span<const double> changed, std::span<const double> reference,
                         std::uint64_t seed, unsigned resamples) {
  if (std::find(reference.begin(), reference.end(), 0.0) != reference.end()) {
    throw std::invalid_argument("a ratio to 0");
  }
  return bootstrap_median(pairwise(changed, reference, std::divides<>()), seed, resamples);
}

Interval bootstrap_ratio_of_medians(std::span<const double> changed, std::span<const double> reference,
                                    std::uint64_t seed, unsigned resamples) {
  if (std::find(reference.begin(), reference.end(), 0.0) != reference.end()) {
    throw std::invalid_argument("a ratio to 0");
  }
  const double mid = median(changed) / median(reference);
  if (std::min(changed.size(), reference.size()) < kMinForInterval) return unbounded(mid);
  std::mt19937_64 random(seed);
  std::vector<double> ratios;
  ratios.reserve(resamples);
  std::vector<double> above(changed.size());
  std::vector<double> below(reference.size());
  for (unsigned i = 0; i < resamples; ++i) {
    const double top = resampled_median(above, changed, random);
    ratios.push_back(top / resampled_median(below, reference, random));
  }
  return {quantile(ratios, kTail), mid, quantile(ratios, 1 - kTail)};
}

}  // namespace daxrace
