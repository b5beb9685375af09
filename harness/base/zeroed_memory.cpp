#include "harness/base/zeroed_memory.hpp"

#include <algorithm>
#include <new>

#include <sys/mman.h>

namespace daxrace {
namespace {

constexpr std::size_t kPopulatedBytes = std::size_t{4} << 20;

}  // namespace

void UnmapMemory::operator()(std::byte* memory) const noexcept { munmap(memory, bytes); }

ZeroedMemory zeroed_memory(std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  const int populate = bytes <= kPopulatedBytes ? MAP_POPULATE : 0;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return {static_cast<std::byte*>(memory), UnmapMemory{bytes}};
}

}  // namespace daxrace
