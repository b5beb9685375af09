#include "bench/cli/target.hpp"

#include "bench/cli/suggest.hpp"

namespace daxrace {

Target parse_target(const std::string& word) { return word_to<Target>("target", kTargetNames, word); }

}  // namespace daxrace
