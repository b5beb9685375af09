#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace daxrace {

/// A place in a series where its level changes.
struct ChangePoint {
  std::size_t at = 0;  ///< the first value after it
  double p = 1;        ///< that a series without any change shows one as clear as this
  double before = 0;   ///< median of the values since the change point before
  double after = 0;    ///< median of the values up to the next
};

/// Finds the changes of level in a series: binary segmentation. The split at which the rank sum of the two
/// parts is farthest from chance is tested against the best splits of random orders of the same values; if at
/// most a share of `level` of those is as clear, the series is cut there and both parts are looked at in the
/// same way. Ranks, because one run on a busy machine is an outlier, not a change. The same values and seed
/// give the same points.
std::vector<ChangePoint> change_points(std::span<const double> values, double level, std::uint64_t seed);

/// Values that a series needs so that a change in its middle can be found at `level`.
std::size_t values_needed_for_change(double level);

}  // namespace daxrace
