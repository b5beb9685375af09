#pragma once

#include "bench/cli/output_format.hpp"
#include "harness/base/error.hpp"

namespace daxrace {

/// `daxrace list`.
Exit print_list(OutputFormat format);

}  // namespace daxrace
