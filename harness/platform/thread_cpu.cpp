#include "harness/platform/thread_cpu.hpp"

#include <fstream>
#include <string>

#include <fmt/format.h>

namespace daxrace {

ThreadCpu ThreadCpu::of(pid_t tid) {
  ThreadCpu cpu;
  std::ifstream schedstat(fmt::format("/proc/{}/schedstat", tid));
  if (!(schedstat >> cpu.ran_ns >> cpu.queued_ns)) return {};
  std::ifstream stat(fmt::format("/proc/{}/stat", tid));
  std::string line;
  std::getline(stat, line);
  // The name in parentheses may hold anything: the state stands behind the last one.
  const auto close = line.rfind(") ");
  cpu.runnable = close != std::string::npos && line.compare(close + 2, 1, "R") == 0;
  return cpu;
}

}  // namespace daxrace
