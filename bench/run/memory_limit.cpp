#include "bench/run/memory_limit.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace daxrace {
namespace {

std::uint64_t available_in_machine() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  while (in >> word)
    if (word == "MemAvailable:" && in >> kib) return kib << 10;
  return UINT64_MAX;
}

/// `max`, which is not a number, stands for no limit.
std::uint64_t limit_of_group() {
  std::ifstream in("/sys/fs/cgroup/memory.max");
  std::uint64_t bytes = 0;
  return in >> bytes ? bytes : UINT64_MAX;
}

}  // namespace

std::uint64_t available_memory_bytes() { return std::min(available_in_machine(), limit_of_group()); }

}  // namespace daxrace
