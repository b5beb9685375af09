#pragma once

#include "bench/output_format.hpp"
#include "harness/error.hpp"

namespace daxrace {

/// `daxrace list`.
Exit print_list(OutputFormat format);

}  // namespace daxrace
