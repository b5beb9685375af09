#pragma once

#include <string>
#include <vector>

#include "bench/env.hpp"

namespace daxrace {

/// What a container, a control group or the boot parameters keep from this process.
Restrictions gather_restrictions(const std::string& root = "");
std::vector<EnvLine> judge_restrictions(const Restrictions& restrictions);

}  // namespace daxrace
