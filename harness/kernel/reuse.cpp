#include "harness/kernel/reuse.hpp"

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

bool Victims::fill_one(unsigned pages, std::uint64_t block) {
  files_.push_back({fmt::format("victim-{}", files_.size()), {}});
  File& file = files_.back();
  file.fd = directory_.create(file.name);
  for (unsigned page = 0; page < pages; ++page) {
    const auto bytes = filled_page(victim_word(page));
    if (pwrite(file.fd.get(), bytes.data(), bytes.size(), off_t{page} * kPageBytes) !=
        static_cast<ssize_t>(bytes.size()))
      return false;
  }
  fsync(file.fd.get());
  const auto blocks = physical_pages(file.fd.get(), pages);
  for (unsigned page = 0; page < pages; ++page) {
    if (blocks[page] != block) continue;
    found_page_ = page;
    return true;
  }
  return false;
}

bool Victims::reach(std::uint64_t block) {
  // Small files take the holes near their inode, larger ones what lies beside the last allocation.
  constexpr unsigned kRounds = 3;
  constexpr unsigned kSmallFiles = 12;
  constexpr unsigned kLargePages = 128;
  if (directory_.may_allocate() < std::uint64_t{kRounds} * (kSmallFiles + kLargePages) * kPageBytes)
    return false;
  for (unsigned round = 0; round < kRounds; ++round) {
    directory_.sync();
    for (unsigned i = 0; i < kSmallFiles; ++i)
      if (fill_one(1 + i % 4, block)) return true;
    if (fill_one(kLargePages, block)) return true;
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
