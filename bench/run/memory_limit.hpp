#pragma once

#include <cstdint>

namespace daxrace {

/// Memory that this process may still have, as the kernel and its control group say. UINT64_MAX if neither
/// does.
std::uint64_t available_memory_bytes();

}  // namespace daxrace
