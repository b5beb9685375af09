#pragma once

#include <cstddef>
#include <memory>

namespace daxrace {

/// Gives zeroed_memory() back.
struct UnmapMemory {
  std::size_t bytes = 0;
  void operator()(std::byte* memory) const noexcept;
};
using ZeroedMemory = std::unique_ptr<std::byte[], UnmapMemory>;

/// Zeroed pages that cost memory only where they are used. A few MiB are there at once, so that nothing
/// faults while it is measured. Throws std::bad_alloc.
ZeroedMemory zeroed_memory(std::size_t bytes);

}  // namespace daxrace
