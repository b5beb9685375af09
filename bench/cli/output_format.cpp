#include "bench/cli/output_format.hpp"

#include <vector>

#include "bench/cli/suggest.hpp"
#include "harness/base/verdict.hpp"

namespace daxrace {

OutputFormat parse_format(const std::string& word, std::initializer_list<OutputFormat> formats) {
  std::vector<std::string> names;
  for (const OutputFormat format : formats) names.emplace_back(name_in(kOutputFormatNames, format));
  return *(formats.begin() + position_of("format", word, names));
}

}  // namespace daxrace
