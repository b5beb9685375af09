#pragma once

#include <vector>

#include "harness/litmus/table.hpp"

namespace daxrace::litmus {

/// Every specimen of tests/broken/CMakeLists.txt: one thing wrong in each.
const std::vector<Script>& specimens();

}  // namespace daxrace::litmus
