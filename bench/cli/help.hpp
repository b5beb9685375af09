#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cli/option_table.hpp"

namespace daxrace {

/// A verb as the help knows it.
struct VerbText {
  std::string_view name;
  std::string_view summary;        ///< one line
  std::string_view details;        ///< a paragraph
  std::string_view examples;       ///< one a line, without indentation
  std::string_view operands = {};  ///< what stands in the usage behind the options
};
const std::vector<VerbText>& verb_texts();
/// Throws Error with the nearest name.
const VerbText& verb_text(std::string_view name);

/// What each exit status says.
std::vector<std::pair<int, std::string_view>> exit_meanings();
/// For whoever gives no verb: what each answers in a line, and which to call first.
std::string first_help();
std::string program_help();
std::string verb_help(const VerbText& verb, const OptionTable& table);
/// Version, commit, compiler, flags, build type.
std::string version_text();

}  // namespace daxrace
