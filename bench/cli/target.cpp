#include "bench/cli/target.hpp"

#include <algorithm>
#include <vector>

#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"

namespace daxrace {

Target parse_target(const std::string& word) {
  const std::vector<std::string> names(kTargetNames.begin(), kTargetNames.end());
  const auto found = std::ranges::find(names, word);
  if (found == names.end()) throw Error("--target: " + unknown_word("target", word, names));
  return static_cast<Target>(found - names.begin());
}

}  // namespace daxrace
