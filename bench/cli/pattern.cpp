#include "bench/cli/pattern.hpp"

#include <array>

#include <fmt/format.h>

#include "harness/base/error.hpp"

namespace daxrace {

void Pattern::Free::operator()(regex_t* compiled) const {
  regfree(compiled);
  delete compiled;
}

Pattern::Pattern(const std::string& option, const std::string& text) {
  auto compiled = std::make_unique<regex_t>();
  if (const int failed = regcomp(compiled.get(), text.c_str(), REG_EXTENDED | REG_NOSUB); failed != 0) {
    std::array<char, 128> why{};
    regerror(failed, compiled.get(), why.data(), why.size());
    throw Error(fmt::format("--{}={}: not a regular expression: {}", option, text, why.data()));
  }
  compiled_.reset(compiled.release());
}

bool Pattern::is_in(const std::string& text) const {
  return regexec(compiled_.get(), text.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace daxrace
