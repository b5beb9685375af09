#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/report/data.hpp"

namespace daxrace {

/// How a hazard came out under a protocol, gravest first.
enum class HazardCell : std::uint8_t {
  broken,   ///< promised, and seen
  finding,  ///< the same, as declared beside the promise
  harm,     ///< not promised, and seen
  kept,     ///< promised, put to the test, not seen
  unseen,   ///< not promised, put to the test, not seen this time
  untested  ///< no such access ran beside a layout change
};
/// What stands in the cell: a colour is never the only sign.
std::string_view letter_of(HazardCell cell);
std::string_view name_of(HazardCell cell);

struct HazardRow {
  std::string protocol;
  std::array<HazardCell, kHazardNames.size()> cells{};
  std::string seen() const;  ///< `1 4 5`: the hazards that were seen
  bool has(HazardCell cell) const;
};

/// One row a protocol that ran, in the order of the page; the gravest of all its scenarios.
std::vector<HazardRow> hazard_matrix(const ReportData& data, const Origin& origin);

}  // namespace daxrace
