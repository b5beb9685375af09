#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/base/paint.hpp"
#include "harness/explore/decide.hpp"

namespace daxrace {

/// `298 of 626 explored, about 4 s left`: as long as those that are done took, each.
std::string explore_progress(std::size_t done, std::size_t total, double seconds);

/// How many explorations of each protocol came out how, every broken promise, and the shortest story; at most
/// 80 columns, and 40 lines with the totals above it unless more protocols than there are are broken.
std::string explore_summary(const std::vector<explore::Decision>& decisions, const Paint& paint);

}  // namespace daxrace
