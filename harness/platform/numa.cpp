#include "harness/platform/numa.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <string>

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/platform/placement.hpp"

namespace daxrace {
namespace {

constexpr std::size_t kMaxNodes = 1024;
constexpr std::size_t kWordBits = 8 * sizeof(unsigned long);

}  // namespace

int bind_pages(void* start, std::size_t bytes, int node) noexcept {
  if (node < 0 || static_cast<std::size_t>(node) >= kMaxNodes) return EINVAL;
  const auto index = static_cast<std::size_t>(node);
  std::array<unsigned long, kMaxNodes / kWordBits> mask{};
  mask[index / kWordBits] = 1UL << (index % kWordBits);
  // The kernel reads one bit less than it is told.
  return syscall(SYS_mbind, start, bytes, MPOL_BIND, mask.data(), kMaxNodes + 1, 0) == 0 ? 0 : errno;
}

int binding_error() noexcept {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  const int error = syscall(SYS_mbind, memory, page, MPOL_DEFAULT, nullptr, 0UL, 0) == 0 ? 0 : errno;
  munmap(memory, page);
  return error;
}

std::optional<int> node_of_page(const void* page) noexcept {
  void* pages[] = {const_cast<void*>(page)};
  int status = -1;
  if (syscall(SYS_move_pages, 0, 1UL, pages, nullptr, &status, 0) == 0 && status >= 0) return status;
  int node = -1;
  if (syscall(SYS_get_mempolicy, &node, nullptr, 0UL, page, MPOL_F_NODE | MPOL_F_ADDR) == 0 && node >= 0)
    return node;
  return std::nullopt;
}

std::vector<int> memory_nodes() {
  std::ifstream file("/sys/devices/system/node/has_memory");
  std::string list;
  if (!(file >> list)) return {0};
  return parse_list(list);
}

}  // namespace daxrace
