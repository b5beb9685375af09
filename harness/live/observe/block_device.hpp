#pragma once

#include <optional>
#include <string>

namespace daxrace::kernel {

/// What sysfs says of the block device under a file system.
struct BlockDevice {
  bool dax = false;  ///< files on it can be on DAX, if their file system is told to
  /// Off: fsync writes no CPU cache back. Nothing: the device does not say.
  std::optional<bool> write_cache;
};

/// `root` stands before /sys. A device that is not there (an anonymous one, as virtiofs has) has nothing.
BlockDevice block_device(unsigned major, unsigned minor, const std::string& root = "");

}  // namespace daxrace::kernel
