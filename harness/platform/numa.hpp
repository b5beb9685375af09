#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace daxrace {

/// Binds the pages of a mapping that are not there yet to one NUMA node. 0, or the errno of mbind(2).
int bind_pages(void* start, std::size_t bytes, int node) noexcept;
/// Why memory cannot be bound to nodes here (a container's seccomp profile), as an errno; 0: it can.
int binding_error() noexcept;
/// The node on which the kernel says a page lies, or nothing if it is not there or the kernel does not say.
std::optional<int> node_of_page(const void* page) noexcept;
/// The NUMA nodes that have memory; `{0}` on a kernel without NUMA.
std::vector<int> memory_nodes();

}  // namespace daxrace
