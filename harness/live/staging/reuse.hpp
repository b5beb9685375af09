#pragma once

#include <string>
#include <vector>

#include "harness/live/staging/scene.hpp"

namespace daxrace::kernel {

/// Gives freed blocks to other files, and knows what these must hold from then on. The files are made once,
/// empty: making them after a block was freed could use it for their inodes.
class Victims {
 public:
  explicit Victims(const Directory& directory);  ///< throws Error
  ~Victims();
  Victims(const Victims&) = delete;
  Victims& operator=(const Victims&) = delete;

  /// Lets other files allocate until one has this block, as FIEMAP says. False if none came to it within a
  /// bounded number of pages.
  bool reach(std::uint64_t block);
  /// Whether the page on that block still reads as we wrote it.
  bool intact() const;
  /// Frees all that was allocated.
  void release() noexcept;

 private:
  bool allocate_next(unsigned pages, std::uint64_t block);

  const Directory& directory_;
  std::vector<std::string> names_;
  std::size_t used_ = 0;
  FileDescriptor found_;
  unsigned found_page_ = 0;
};

}  // namespace daxrace::kernel
