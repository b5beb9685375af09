#include "bench/cli/output_format.hpp"

#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"

namespace daxrace {

OutputFormat parse_format(const std::string& word) {
  if (word == "text") return OutputFormat::text;
  if (word == "json") return OutputFormat::json;
  throw Error("--format: " + unknown_word("format", word, {"text", "json"}));
}

}  // namespace daxrace
