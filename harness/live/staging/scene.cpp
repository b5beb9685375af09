#include "harness/live/staging/scene.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/stamp.hpp"
#include "harness/live/staging/extents.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::size_t kMapped = std::size_t{kPages} * kPageBytes;
constexpr off_t kOffset = off_t{kFirst} * kPageBytes;
constexpr off_t kLength = off_t{kCount} * kPageBytes;

[[noreturn]] void fail(const char* what) {
  throw Error(fmt::format("scene: {}: {}", what, std::strerror(errno)));
}

long result_of(int returned) { return returned == 0 ? 0 : -errno; }

long clone_range(SceneFile& file, SceneFile& other) {
  file_clone_range range{};
  range.src_fd = other.fd();
  range.src_length = kLength;
  range.dest_offset = kOffset;
  return result_of(ioctl(file.fd(), FICLONERANGE, &range));
}

long dedupe_range(SceneFile& file, SceneFile& other) {
  std::vector<std::uint64_t> room((sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)) / 8 + 1);
  auto* range = reinterpret_cast<file_dedupe_range*>(room.data());
  range->src_length = kLength;
  range->dest_count = 1;
  range->info[0].dest_fd = file.fd();
  range->info[0].dest_offset = kOffset;
  if (ioctl(other.fd(), FIDEDUPERANGE, range) != 0) return -errno;
  if (range->info[0].status == FILE_DEDUPE_RANGE_DIFFERS) return -EILSEQ;
  return range->info[0].status;
}

}  // namespace

std::uint64_t page_word(unsigned file, unsigned page, unsigned sequence) {
  return Stamp{static_cast<std::uint8_t>(file), Hazard::h2, page, sequence}.word();
}

std::vector<std::byte> filled_page(std::uint64_t word) {
  std::vector<std::byte> page(kPageBytes);
  for (std::size_t at = 0; at < kPageBytes; at += sizeof word)
    std::memcpy(page.data() + at, &word, sizeof word);
  return page;
}

std::optional<std::uint64_t> uniform_word(std::span<const std::byte> page) {
  if (page.size() < kPageBytes) return std::nullopt;
  std::uint64_t first = 0;
  std::memcpy(&first, page.data(), sizeof first);
  for (std::size_t at = 0; at < kPageBytes; at += sizeof first)
    if (std::memcmp(page.data() + at, &first, sizeof first) != 0) return std::nullopt;
  return first;
}

std::string word_text(std::optional<std::uint64_t> word) {
  if (!word) return "a mixture or too little";
  if (*word == 0) return "zero";
  if (!Stamp::is_whole(*word)) return fmt::format("foreign data {:#x}", *word);
  const Stamp stamp = Stamp::from(*word);
  return fmt::format("page {} of file {}, write {}", stamp.page, stamp.ino, stamp.sequence);
}

SceneFile::SceneFile(const Directory& directory, const std::string& name, unsigned number)
    : directory_(directory), name_(fresh_name(name)), fd_(directory.create(name_)) {
  for (unsigned page = 0; page < kPages; ++page) {
    content.push_back(page_word(number, page, 1));
    const auto bytes = filled_page(content.back());
    if (pwrite(fd(), bytes.data(), bytes.size(), static_cast<off_t>(page * kPageBytes)) !=
        static_cast<ssize_t>(bytes.size()))
      fail("write");
  }
  if (fsync(fd()) != 0) fail("fsync");
  blocks_ = physical_pages(fd(), kPages);
}

SceneFile::~SceneFile() {
  unmap();
  unlink();
}

void SceneFile::unlink() noexcept {
  if (!name_.empty()) directory_.unlink(name_);
  name_.clear();
}

std::uint64_t SceneFile::inode() const {
  struct stat info {};
  return fstat(fd(), &info) == 0 ? info.st_ino : 0;
}

int SceneFile::map(bool sync) noexcept {
  const int flags = sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED;
  void* at = mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, flags, fd(), 0);
  if (at == MAP_FAILED) return -errno;
  mapping_ = static_cast<std::byte*>(at);
  madvise(mapping_, kMapped, MADV_RANDOM);    // no fault-around: only what we touch is mapped
  madvise(mapping_, kMapped, MADV_DONTFORK);  // a process of ours must not keep it mapped
  return 0;
}

void SceneFile::unmap() noexcept {
  if (mapping_ != nullptr) munmap(mapping_, kMapped);
  mapping_ = nullptr;
}

std::string SceneFile::resident() const {
  if (mapping_ == nullptr) return "none: not mapped";
  std::vector<unsigned char> there(kPages);
  if (mincore(mapping_, kMapped, there.data()) != 0) return std::strerror(errno);
  std::string out;
  for (unsigned page = 0; page < kPages; ++page)
    if ((there[page] & 1) != 0) out += fmt::format("{}{}", out.empty() ? "" : ",", page);
  return out.empty() ? "none" : out;
}

bool SceneFile::still_has(std::uint64_t block) const {
  const auto now = physical_pages(fd(), kGrownPages);
  return std::ranges::find(now, std::optional(block)) != now.end();
}

std::string SceneFile::difference() const {
  struct stat info {};
  if (fstat(fd(), &info) != 0) return std::strerror(errno);
  if (static_cast<std::size_t>(info.st_size) != content.size() * kPageBytes)
    return fmt::format("size {} instead of {}", info.st_size, content.size() * kPageBytes);
  std::vector<std::byte> bytes(kPageBytes);
  for (std::size_t page = 0; page < content.size(); ++page) {
    if (pread(fd(), bytes.data(), bytes.size(), static_cast<off_t>(page * kPageBytes)) !=
        static_cast<ssize_t>(kPageBytes))
      return fmt::format("page {} cannot be read: {}", page, std::strerror(errno));
    const auto word = uniform_word(bytes);
    if (word != content[page])
      return fmt::format("page {} holds {} instead of {}", page, word_text(word), word_text(content[page]));
  }
  return "";
}

int populate(std::byte* page, bool write) noexcept {
  return madvise(page, kPageBytes, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0 ? 0 : -errno;
}

long change_layout(Operation operation, SceneFile& file, SceneFile& other) noexcept {
  const auto allocate = [&](int mode) { return result_of(fallocate(file.fd(), mode, kOffset, kLength)); };
  switch (operation) {
    case Operation::punch:
      return allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
    case Operation::truncate_down:
      return result_of(ftruncate(file.fd(), kOffset));
    case Operation::truncate_up:
      return result_of(ftruncate(file.fd(), off_t{kGrownPages} * kPageBytes));
    case Operation::collapse:
      return allocate(FALLOC_FL_COLLAPSE_RANGE);
    case Operation::insert:
      return allocate(FALLOC_FL_INSERT_RANGE);
    case Operation::zero:
      return allocate(FALLOC_FL_ZERO_RANGE);
    case Operation::evict:
      file.close();
      return 0;
    case Operation::write_hole:
      break;  // a race of many rounds, with a file of its own
    case Operation::clone:
      return clone_range(file, other);
    case Operation::dedupe:
      return dedupe_range(file, other);
    case Operation::unshare:
      return allocate(FALLOC_FL_UNSHARE_RANGE);
  }
  return -EINVAL;
}

void apply_to_content(Operation operation, SceneFile& file, const SceneFile& other) {
  auto& content = file.content;
  const auto first = content.begin() + kFirst;
  switch (operation) {
    case Operation::punch:
    case Operation::zero:
      std::fill_n(first, kCount, 0);
      break;
    case Operation::truncate_down:
      content.resize(kFirst);
      break;
    case Operation::truncate_up:
      content.resize(kGrownPages, 0);
      break;
    case Operation::collapse:
      content.erase(first, first + kCount);
      break;
    case Operation::insert:
      content.insert(first, kCount, 0);
      break;
    case Operation::clone:
      std::copy_n(other.content.begin(), kCount, first);
      break;
    case Operation::evict:
    case Operation::write_hole:
    case Operation::dedupe:
    case Operation::unshare:
      break;
  }
}

}  // namespace daxrace::kernel
