#pragma once

#include <string>
#include <vector>

#include "bench/cli/help.hpp"

namespace daxrace {

/// A verb with the options that it takes: what the manual and the completion are made of.
struct DocumentedVerb {
  const VerbText* text = nullptr;
  OptionTable options;
};

/// daxrace(1), as roff with the man macros.
std::string man_page(const std::vector<DocumentedVerb>& verbs);
/// The completion of the command line for bash.
std::string bash_completion(const std::vector<DocumentedVerb>& verbs);

}  // namespace daxrace
