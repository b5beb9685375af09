#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace daxrace {

/// Up to this many values per side the permutation distribution is exact; beyond it, its normal limit.
inline constexpr std::size_t kMostForExact = 20;

/// Whether two samples come from one distribution: the permutation test on the rank sum (Wilcoxon, Mann and
/// Whitney), two-sided. Ranks, because latencies have outliers; exact with ties too, because short latencies
/// are whole nanoseconds and tie all the time.
class RankTest {
 public:
  /// Throws std::invalid_argument for an empty sample.
  double p_value(std::span<const double> base, std::span<const double> changed);

  /// The smallest p that samples of these sizes can have: one side wholly above the other.
  static double least_p(std::size_t base, std::size_t changed);

 private:
  /// For every doubled rank sum of the smaller side, the two-sided p.
  using Distribution = std::vector<double>;
  /// Size of the smaller side, then how many values share each rank.
  using Shape = std::vector<std::uint8_t>;

  const Distribution& distribution_of(const Shape& shape);

  std::map<Shape, Distribution> known_;  ///< few shapes occur, many times each
  Distribution last_;                    ///< of a shape that is not kept
  std::vector<std::pair<double, bool>> sorted_;
};

/// Repetitions that each side needs so that a wholly separate pair of samples comes out below `bar`.
std::size_t repetitions_needed(double bar);

/// Adjusted p values, in the order given. Below q after Benjamini and Hochberg: at most a share of q of what
/// is reported is expected to be false. Below a after Holm: anything false is reported with probability a at
/// most.
std::vector<double> benjamini_hochberg(std::span<const double> p_values);
std::vector<double> holm(std::span<const double> p_values);

}  // namespace daxrace
