#pragma once

#include <string_view>
#include <vector>

#include "harness/engine/episode.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace {

/// Every broken specimen of tests/broken/, for the deterministic machine.
namespace litmus {
const std::vector<Script>& specimens();

/// All cells of the one script of that name.
std::vector<Cell> cells_of(const std::vector<Script>& scripts, std::string_view name);

/// Where a specimen breaks a promise of its own that `right` keeps in the very same cell.
std::vector<const Cell*> caught_in(const std::vector<Cell>& specimen, const std::vector<Cell>& right);
}  // namespace litmus

/// The same in the same order, on real frames and threads, with delays between the steps.
const std::vector<ProtocolEntry>& stressed_specimens();

}  // namespace daxrace
