#pragma once

#include <optional>
#include <string>

namespace daxrace {

/// One line of /proc/self/mountinfo.
struct Mount {
  unsigned long id = 0;
  unsigned major = 0;  ///< of the file system's device
  unsigned minor = 0;
  std::string point;    ///< where it is mounted
  std::string fs;       ///< ext4, xfs, tmpfs, ...
  std::string source;   ///< /dev/pmem0, tmpfs, ...
  std::string options;  ///< of the mount and of the file system, each once, comma separated
};

/// One line of mountinfo, or nothing if it is malformed.
std::optional<Mount> parse_mount(const std::string& line);
/// The mount that an open file lies on, or nothing if the kernel does not say.
std::optional<Mount> mount_of(int fd);
/// The file system's name for messages: `xfs`, or `unknown file system`.
std::string fs_name_of(int fd);

}  // namespace daxrace
