#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/live/directory.hpp"
#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {

/// What every word of a page of a scene holds: which file, which page, which write.
std::uint64_t page_word(unsigned file, unsigned page, unsigned sequence);
std::vector<std::byte> filled_page(std::uint64_t word);
/// The word that all of a page's words are, or nothing for a mixture or too little.
std::optional<std::uint64_t> uniform_word(std::span<const std::byte> page);
/// `page 5 of file 1, write 1`, `zero` or `a mixture`.
std::string word_text(std::optional<std::uint64_t> word);

/// A file of `kPages` written and synced pages, its mapping, and what it must hold.
class SceneFile {
 public:
  /// Throws Error. `name` is the beginning of its name; the file is unlinked at the end.
  SceneFile(const Directory& directory, const std::string& name, unsigned number);
  ~SceneFile();
  SceneFile(const SceneFile&) = delete;
  SceneFile& operator=(const SceneFile&) = delete;

  int fd() const { return fd_.get(); }
  std::string path() const { return directory_.path_of(name_); }
  void close() noexcept { fd_.reset(); }
  void unlink() noexcept;
  std::uint64_t inode() const;

  /// Maps the file, without touching a page. 0 or -errno.
  int map(bool sync = false) noexcept;
  void unmap() noexcept;
  std::byte* at(unsigned page) const noexcept { return mapping_ + std::size_t{page} * kPageBytes; }
  /// Which pages of the mapping are resident, as `4-5,9`.
  std::string resident() const;

  /// Physical address of a page when the scene was set; nothing where FIEMAP does not tell.
  std::optional<std::uint64_t> block_of(unsigned page) const { return blocks_[page]; }
  /// Whether a block is still the file's own, wherever it lies now.
  bool still_has(std::uint64_t block) const;

  /// What a reader must find; accesses that write, and changes, alter it.
  std::vector<std::uint64_t> content;
  /// The first page that holds something else, in words; empty: all as it must be.
  std::string difference() const;

 private:
  const Directory& directory_;
  std::string name_;
  FileDescriptor fd_;
  std::byte* mapping_ = nullptr;
  std::vector<std::optional<std::uint64_t>> blocks_;
};

/// A fault without an access of ours, so that one beyond the end is an error and no SIGBUS. 0 or -errno.
int populate(std::byte* page, bool write) noexcept;

/// Makes one layout change of `file`; `other` is the other file of reflink operations. 0 or -errno.
long change_layout(Operation operation, SceneFile& file, SceneFile& other) noexcept;
/// What the operation leaves of a file's content.
void apply_to_content(Operation operation, SceneFile& file, const SceneFile& other);

}  // namespace daxrace::kernel
