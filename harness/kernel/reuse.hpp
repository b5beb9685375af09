#pragma once

#include <memory>
#include <vector>

#include "harness/kernel/scene.hpp"

namespace daxrace::kernel {

/// Gives freed blocks to other files, and knows what these must hold from then on.
class Victims {
 public:
  explicit Victims(const Directory& directory) : directory_(directory) {}
  ~Victims();
  Victims(const Victims&) = delete;
  Victims& operator=(const Victims&) = delete;

  /// Lets other files allocate until one has this block, as FIEMAP says. False if none came to it within a
  /// bounded number of pages.
  bool reach(std::uint64_t block);
  /// What the victim's page on that block reads as now: what we wrote, if nobody wrote to it behind its back.
  bool intact() const;

 private:
  struct File {
    std::string name;
    FileDescriptor fd;
  };
  bool allocate_one(unsigned pages, std::uint64_t block);

  const Directory& directory_;
  std::vector<File> files_;
  unsigned found_page_ = 0;
};

}  // namespace daxrace::kernel
