#include "harness/live/staging/reuse.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/live/staging/extents.hpp"

namespace daxrace::kernel {
namespace {

constexpr unsigned kVictimFile = 99;

// ext4 looks for a free piece of just the size that fallocate asks for, XFS for one near the inode: ask for
// the sizes into which four freed blocks can fall apart, and for a long one that takes what lies beside the
// last.
constexpr unsigned kRounds = 4;
constexpr unsigned kFilesOfASize = 48;
constexpr std::array<unsigned, 3> kSizes = {4, 2, 1};
constexpr unsigned kLong = 128;
constexpr unsigned kFiles = kRounds * (kSizes.size() * kFilesOfASize + 1);
constexpr std::uint64_t kMostBytes = std::uint64_t{kRounds} * (7 * kFilesOfASize + kLong) * kPageBytes;

std::uint64_t victim_word(unsigned page) { return page_word(kVictimFile, page, 1); }

FileDescriptor open_again(const Directory& directory, const std::string& name) {
  return FileDescriptor(open(directory.path_of(name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
}

}  // namespace

Victims::Victims(const Directory& directory) : directory_(directory) {
  for (unsigned i = 0; i < kFiles; ++i) {
    names_.push_back(fresh_name("victim"));
    directory_.create(names_.back());
  }
}

Victims::~Victims() {
  for (const std::string& name : names_) directory_.unlink(name);
}

void Victims::release() noexcept {
  found_.reset();
  for (; used_ > 0; --used_)
    if (truncate(directory_.path_of(names_[used_ - 1]).c_str(), 0) != 0) return;
}

bool Victims::allocate_next(unsigned pages, std::uint64_t block) {
  FileDescriptor file = open_again(directory_, names_[used_++]);
  if (!file || fallocate(file.get(), 0, 0, static_cast<off_t>(pages * kPageBytes)) != 0) return false;
  const auto blocks = physical_pages(file.get(), pages);
  const auto found = std::ranges::find(blocks, std::optional(block));
  if (found == blocks.end()) return false;
  found_page_ = static_cast<unsigned>(found - blocks.begin());
  found_ = std::move(file);
  const auto bytes = filled_page(victim_word(found_page_));
  return pwrite(found_.get(), bytes.data(), bytes.size(), static_cast<off_t>(found_page_ * kPageBytes)) ==
         static_cast<ssize_t>(bytes.size());
}

bool Victims::reach(std::uint64_t block) {
  if (directory_.may_allocate() < kMostBytes) return false;
  for (unsigned round = 0; round < kRounds; ++round) {
    directory_.sync();
    for (const unsigned size : kSizes)
      for (unsigned i = 0; i < kFilesOfASize; ++i)
        if (allocate_next(size, block)) return true;
    if (allocate_next(kLong, block)) return true;
  }
  return false;
}

bool Victims::intact() const {
  std::vector<std::byte> bytes(kPageBytes);
  if (pread(found_.get(), bytes.data(), bytes.size(), static_cast<off_t>(found_page_ * kPageBytes)) !=
      static_cast<ssize_t>(bytes.size()))
    return false;
  return uniform_word(bytes) == victim_word(found_page_);
}

}  // namespace daxrace::kernel
