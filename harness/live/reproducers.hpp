#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {

/// A C program that stands alone and shows one thing that is wrong in a kernel: exit status 1 shown, 0 not
/// shown, 2 cannot run here, and one line that says so.
struct Reproducer {
  std::string_view name;
  std::string_view what;       ///< what it shows, without a full stop
  std::string_view groups;     ///< of fstests, beside auto, quick and dax
  std::string_view requires_;  ///< further _require lines of fstests
  std::string_view source;
  std::string_view arguments = {};  ///< behind the directory, in the case of fstests
};
std::span<const Reproducer> reproducers();

/// The case of fstests that runs the program.
std::string fstest_of(const Reproducer& reproducer);
/// What the case prints if all is well.
std::string fstest_output();

}  // namespace daxrace::kernel
