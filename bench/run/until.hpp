#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/run/matrix.hpp"
#include "harness/results/csv.hpp"

namespace daxrace {

/// The repetitions with which a change that stands alone can be told from chance, if the results of this
/// matrix are compared with another run of it: at 5 % over as many rows of one path as there can be.
unsigned repetitions_for_decision(const std::vector<Configuration>& matrix);

/// Goes over the rows of a run as they come and tells when the medians are known well enough: the 95 %
/// bootstrap interval of the median p50 of every path that was asked for is no wider than `width` of it.
class Decision {
 public:
  /// `least`: repetitions before which nothing is decided. `paths`: those asked for, all if empty.
  Decision(double width, unsigned least, std::vector<std::string> paths, std::uint64_t seed);

  /// All rows of episodes that have ended, each once.
  void add(const Row& row);
  /// After `blocks` whole blocks of the run.
  bool is_reached(unsigned blocks) const;
  /// `36 of 38 medians within 5 %; the widest: mixed/ext4 punch, 12 %`.
  std::string text() const;

 private:
  struct Series {
    std::string name;  ///< workload, protocol and path
    std::vector<double> p50_ns;
    std::size_t without = 0;  ///< episodes that count and have too few operations for a median
  };
  struct State {
    std::size_t known = 0;
    std::size_t narrow = 0;
    std::size_t without_median = 0;
    double widest = 0;
    std::string widest_name;
  };
  State state() const;
  bool is_asked_for(std::string_view path) const;

  double width_;
  unsigned least_;
  std::vector<std::string> paths_;
  std::uint64_t seed_;
  std::map<std::string, Series> series_;  ///< by key
  std::vector<Row> episode_;              ///< path rows whose row `all` has not come yet
};

}  // namespace daxrace
