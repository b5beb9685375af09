#include "bench/run/memory_limit.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include "harness/platform/control_group.hpp"

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

}  // namespace

std::uint64_t available_memory_bytes() {
  return std::min(available_in_machine(), group_limits().memory_left_bytes.value_or(UINT64_MAX));
}

}  // namespace daxrace
