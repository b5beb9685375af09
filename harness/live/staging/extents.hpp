#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace daxrace::kernel {

/// Physical byte addresses of each page of a file's first `pages` pages, as FIEMAP tells; nothing for a hole,
/// and for all of them where the file system tells none.
std::vector<std::optional<std::uint64_t>> physical_pages(int fd, unsigned pages);

}  // namespace daxrace::kernel
