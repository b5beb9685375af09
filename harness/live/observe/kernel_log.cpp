#include "harness/live/observe/kernel_log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace daxrace::kernel {
namespace {

constexpr auto kComplaints = std::to_array<std::string_view>(
    {"WARNING: ", "BUG: ", "kernel BUG at", "INFO: task ", "INFO: possible", "possible circular locking",
     "possible recursive locking", "inconsistent lock state", "EXT4-fs error", "EXT4-fs warning", "Oops",
     "general protection fault", "rcu_sched self-detected", "Bad page state"});

/// `4,1234,5678,-;text`: without the prefix and the lines of key=value behind it.
std::string text_of(std::string_view record) {
  const auto semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return "";
  record.remove_prefix(semicolon + 1);
  return std::string{record.substr(0, record.find('\n'))};
}

}  // namespace

bool is_complaint(std::string_view line) {
  const auto has = [&](std::string_view word) { return line.find(word) != std::string_view::npos; };
  if (std::ranges::any_of(kComplaints, has)) return true;
  return line.starts_with("XFS (") && (has("orruption") || has("Internal error") || has("error"));
}

KernelLog::KernelLog() : kmsg_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  if (!kmsg_) {
    limits_ = fmt::format("/dev/kmsg: {}", std::strerror(errno));
  } else {
    lseek(kmsg_.get(), 0, SEEK_END);
  }
  arm_warnings();
}

void KernelLog::arm_warnings() {
  const FileDescriptor file(open("/sys/kernel/debug/clear_warn_once", O_WRONLY | O_CLOEXEC));
  const bool armed = file && write(file.get(), "1", 1) == 1;
  if (!armed && limits_.empty())
    limits_ = "no clear_warn_once (debugfs): a warning given before this run is not seen again";
}

std::vector<std::string> KernelLog::complaints() {
  std::vector<std::string> seen;
  if (!kmsg_) return seen;
  std::array<char, 8192> record{};
  for (;;) {
    const ssize_t length = read(kmsg_.get(), record.data(), record.size());
    if (length < 0 && errno == EPIPE) continue;  // records were overwritten: go on with the oldest
    if (length <= 0) break;
    const std::string line = text_of({record.data(), static_cast<std::size_t>(length)});
    if (is_complaint(line)) seen.push_back(line);
  }
  if (!seen.empty()) arm_warnings();
  return seen;
}

}  // namespace daxrace::kernel
