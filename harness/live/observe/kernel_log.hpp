#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/file_descriptor.hpp"

namespace daxrace::kernel {

/// The kernel's log from now on. Warnings that are given once per boot are armed again where debugfs allows
/// it.
class KernelLog {
 public:
  KernelLog();
  /// Why the log cannot be read, or why warnings are not armed again; empty: neither.
  const std::string& limits() const { return limits_; }
  /// The complaints since the last call, and arms warnings again.
  std::vector<std::string> complaints();

 private:
  void arm_warnings();

  FileDescriptor kmsg_;
  std::string limits_;
};

/// Whether a line of the log is a WARNING, a BUG, a lockdep report, a hung task or an error of a file system.
bool is_complaint(std::string_view line);

}  // namespace daxrace::kernel
