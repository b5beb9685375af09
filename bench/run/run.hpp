#pragma once

#include <string>
#include <vector>

#include "bench/cli/options.hpp"
#include "harness/base/error.hpp"

namespace daxrace {

/// `daxrace run`. `command_line`: for the report. Throws Error.
Exit run(const RunOptions& options, const std::vector<std::string>& command_line);

}  // namespace daxrace
