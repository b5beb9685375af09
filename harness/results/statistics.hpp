#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace daxrace {

/// An estimate and its 95 % interval. The bounds are -inf and +inf where the sample is too small for one.
struct Interval {
  double low = 0;
  double mid = 0;
  double high = 0;

  bool bounded() const;
  bool contains(double value) const { return low <= value && value <= high; }
};

/// Below this many values the bootstrap of a median promises more than it keeps, and no bounds are given.
inline constexpr std::size_t kMinForInterval = 5;

/// Median of a sample. Throws std::invalid_argument if it is empty.
double median(std::span<const double> values);
/// Quantile `q` in [0, 1] with linear interpolation between order statistics. Throws std::invalid_argument if
/// the sample is empty or q is out of range.
double quantile(std::span<const double> values, double q);

/// Median with its percentile-bootstrap interval. The same values and seed give the same interval. On skewed
/// samples of 5 to 30 values it holds the true median in 93 to 94 % of cases.
Interval bootstrap_median(std::span<const double> values, std::uint64_t seed, unsigned resamples = 2000);
/// Median of the differences `changed[i] - reference[i]`. Throws std::invalid_argument if the lengths differ.
Interval bootstrap_difference(std::span<const double> changed, std::span<const double> reference,
                              std::uint64_t seed, unsigned resamples = 2000);
/// Median of the ratios `changed[i] / reference[i]`; pairs whose reference is 0 are an error as above.
Interval bootstrap_ratio(std::span<const double> changed, std::span<const double> reference,
                         std::uint64_t seed, unsigned resamples = 2000);

/// Ratio of the medians of two samples that are not paired, each resampled by itself. Medians of 0 in
/// `reference` are an error as above.
Interval bootstrap_ratio_of_medians(std::span<const double> changed, std::span<const double> reference,
                                    std::uint64_t seed, unsigned resamples = 2000);

}  // namespace daxrace
