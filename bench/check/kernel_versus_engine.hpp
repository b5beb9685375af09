#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/releases.hpp"
#include "harness/live/directory.hpp"
#include "harness/live/staging/cell.hpp"

namespace daxrace {

/// The release that stands for the running kernel, or the one that is named. Throws Error where there is
/// none of that name, and, as Exit::skipped, where none stands for it.
const Release& release_to_compare(const kernel::FsFacts& facts, std::string_view named);

struct VersusEngine {
  std::string text;
  bool agrees = false;  ///< in every cell that both decide, and there is one
};
/// The release beside what the running kernel did, cell by cell, and in how many cells the idealised
/// protocols do the same.
VersusEngine kernel_versus_engine(const std::vector<kernel::CellResult>& cells, const Release& release);

}  // namespace daxrace
