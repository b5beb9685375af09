#include "harness/kernel/reuse.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/kernel/extents.hpp"

namespace daxrace::kernel {
namespace {

constexpr unsigned kVictimFile = 99;

std::uint64_t victim_word(unsigned page) { return page_word(kVictimFile, page, 1); }

}  // namespace

Victims::~Victims() {
  for (const File& file : files_) directory_.unlink(file.name);
}

bool Victims::allocate_one(unsigned pages, std::uint64_t block) {
  files_.push_back({fmt::format("victim-{}", files_.size()), {}});
  File& file = files_.back();
  file.fd = directory_.create(file.name);
  if (fallocate(file.fd.get(), 0, 0, off_t{pages} * kPageBytes) != 0) return false;
  const auto blocks = physical_pages(file.fd.get(), pages);
  const auto found = std::ranges::find(blocks, std::optional(block));
  if (found == blocks.end()) {
    file.fd.reset();
    return false;
  }
  found_page_ = static_cast<unsigned>(found - blocks.begin());
  const auto bytes = filled_page(victim_word(found_page_));
  return pwrite(file.fd.get(), bytes.data(), bytes.size(), off_t{found_page_} * kPageBytes) ==
         static_cast<ssize_t>(bytes.size());
}

bool Victims::reach(std::uint64_t block) {
  // ext4 looks for a free piece of just the size that fallocate asks for, XFS for one near the inode: ask for
  // the sizes into which four freed blocks can fall apart, and for a long one that takes what lies beside the
  // last.
  constexpr unsigned kRounds = 3;
  constexpr unsigned kFilesOfASize = 64;
  constexpr std::array<unsigned, 3> kSizes = {4, 2, 1};
  constexpr unsigned kLong = 128;
  if (directory_.may_allocate() < std::uint64_t{kRounds} * (7 * kFilesOfASize + kLong) * kPageBytes)
    return false;
  for (unsigned round = 0; round < kRounds; ++round) {
    directory_.sync();
    for (const unsigned size : kSizes)
      for (unsigned i = 0; i < kFilesOfASize; ++i)
        if (allocate_one(size, block)) return true;
    if (allocate_one(kLong, block)) return true;
  }
  return false;
}

bool Victims::intact() const {
  std::vector<std::byte> bytes(kPageBytes);
  if (pread(files_.back().fd.get(), bytes.data(), bytes.size(), off_t{found_page_} * kPageBytes) !=
      static_cast<ssize_t>(bytes.size()))
    return false;
  return uniform_word(bytes) == victim_word(found_page_);
}

}  // namespace daxrace::kernel
