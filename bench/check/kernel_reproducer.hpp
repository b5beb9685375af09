#pragma once

#include <string>
#include <vector>

#include "harness/base/error.hpp"

namespace daxrace {

/// `daxrace litmus --target=kernel --reproducer=NAME,...`: writes each program and its case of fstests below
/// `directory`, as fstests has them, and prints what was written. Nothing is overwritten. Throws Error.
Exit write_reproducers(const std::vector<std::string>& names, const std::string& directory);

}  // namespace daxrace
