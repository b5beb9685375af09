#pragma once

#include <stdexcept>
#include <string>

namespace daxrace {

/// Process exit codes; one table for the program, its help and its scripts.
enum class Exit : int {
  ok = 0,            ///< no promise broken
  broken = 1,        ///< a promise was broken, an operation hung, or a regression was found
  usage = 2,         ///< bad option, bad input, or a target that must not be touched
  skipped = 77,      ///< nothing that was asked for can run here
  interrupted = 130  ///< stopped by a signal; the rows that were finished are kept
};

/// Something the user can mend. `what()` is one line that names what was wrong and what to do about it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& line, Exit code = Exit::usage) : std::runtime_error(line), code_(code) {}
  Exit code() const { return code_; }

 private:
  Exit code_;
};

/// A configuration that cannot run on this machine. It becomes a `skipped` row; `what()` is the row's reason.
class Skipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace daxrace
