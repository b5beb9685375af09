#pragma once

#include <memory>
#include <string>

#include <regex.h>

namespace daxrace {

/// A POSIX extended regular expression. (std::regex cannot be compiled without warnings under g++ 12's
/// sanitizers.)
class Pattern {
 public:
  /// Throws Error naming `option` if `text` is malformed.
  Pattern(const std::string& option, const std::string& text);
  /// Whether it matches anywhere in `text`.
  bool is_in(const std::string& text) const;

 private:
  struct Free {
    void operator()(regex_t* compiled) const;
  };
  std::unique_ptr<regex_t, Free> compiled_;
};

}  // namespace daxrace
