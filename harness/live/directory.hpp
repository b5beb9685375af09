#pragma once

#include <cstddef>
#include <string>

#include "harness/base/file_descriptor.hpp"
#include "harness/live/observe/block_device.hpp"

namespace daxrace::kernel {

/// What is known of the file system that the tests run on.
struct FsFacts {
  std::string kernel;  ///< uname -r
  std::string fs;
  std::string device;
  std::string mount_options;
  bool dax = false;         ///< statx says so of a file of ours
  bool reflink = false;     ///< FICLONE between two files of ours works
  bool zero_range = false;  ///< fallocate zeroes a page of it
  bool shift = false;       ///< and takes a page out and puts one in
  /// A MAP_SYNC mapping is given: not where the device flushes asynchronously, be it on DAX or not.
  bool sync_mapping = false;
  BlockDevice block = {};  ///< what lies under it, whether files here make use of it or not
};

/// What to do about files in `dir` that are not on DAX although the device under it has it, as one line; else
/// empty.
std::string unused_dax(const FsFacts& facts, const std::string& dir);

/// Why the kernel target cannot be had where a page has that many bytes, as one line; empty where it can.
std::string why_no_pages_of(std::size_t bytes);

/// `name` as nobody else names a file, in whatever process: one of somebody who did not come back may still
/// be there.
std::string fresh_name(const std::string& name);

/// A subdirectory of our own, `DIR/daxrace-kernel`, in which everything is made and from which all is removed
/// at the end. One that exists is taken over only if it carries our label and nobody uses it.
class Directory {
 public:
  /// Throws Error naming what is wrong with `dir`, and Skipped where pages are not of the scenes' size.
  explicit Directory(const std::string& dir);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const { return path_; }
  const FsFacts& facts() const { return facts_; }
  /// A file that is not there yet. Throws Error.
  FileDescriptor create(const std::string& name) const;
  void unlink(const std::string& name) const noexcept;
  std::string path_of(const std::string& name) const { return path_ + '/' + name; }
  /// How many bytes may be allocated here without taking more than a quarter of what is free.
  std::uint64_t may_allocate() const;
  void sync() const noexcept;  ///< syncfs: freed blocks can be given out again afterwards

 private:
  void take(const std::string& dir);
  void empty() const noexcept;
  void remove() const noexcept;
  void probe();

  std::string path_;
  FileDescriptor self_;
  FileDescriptor label_;
  FsFacts facts_;
};

}  // namespace daxrace::kernel
