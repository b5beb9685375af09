#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/run/machine.hpp"
#include "bench/run/matrix.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace {

/// For --dry-run: what stands in the way of the configurations of a matrix here, as far as can be told
/// without opening or making anything. Each region, the peer and each placement are looked at once.
class Foresight {
 public:
  Foresight(const std::vector<Configuration>& matrix, const Topology& topology, const RunOptions& options);
  /// `skipped: one NUMA node` or `refused: ...`; nothing: it would run. `config` is one of the matrix.
  std::string obstacle_to(const Configuration& config) const;

 private:
  using Place = std::pair<Placement, unsigned>;  ///< and the workers

  void look_at_regions(const std::vector<Configuration>& matrix, const RunOptions& options);
  void look_at_places(const std::vector<Configuration>& matrix, const Topology& topology,
                      const RunOptions& options);

  std::map<RegionKey, std::string> regions_;
  std::map<Place, std::string> places_;
  std::string peer_;
};

}  // namespace daxrace
