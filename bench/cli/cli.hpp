#pragma once

#include <string>
#include <vector>

namespace daxrace {

/// The whole program: `arguments` without the program's name. Prints what is to be printed, errors as one
/// line on stderr, and returns the exit code.
int command_line(const std::vector<std::string>& arguments);

}  // namespace daxrace
