#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/platform/mount_info.hpp"

namespace daxrace {

/// A devdax device, from /sys/bus/dax.
struct DaxDevice {
  std::string name;    ///< dax0.0
  std::string driver;  ///< device_dax, kmem, or empty
  std::uint64_t bytes = 0;
  std::uint64_t align = 0;
  int node = -1;
};

/// A persistent memory namespace, from /sys/bus/nd.
struct PmemNamespace {
  std::string name;          ///< namespace0.0
  std::string mode;          ///< fsdax, devdax, raw, sector, as the kernel says
  std::string block_device;  ///< pmem0, or empty
  std::uint64_t bytes = 0;
  int node = -1;
};

/// What of persistent memory this machine has. `root` stands before /sys and /proc in tests.
std::vector<DaxDevice> scan_dax_devices(const std::string& root = "");
std::vector<PmemNamespace> scan_namespaces(const std::string& root = "");
/// Mounts whose options say that DAX is on.
std::vector<Mount> scan_dax_mounts(const std::string& root = "");

/// The same in words: `namespace0.0 fsdax 512 MiB node 0 /dev/pmem0; ...`, `/mnt/pmem (xfs on /dev/pmem0)`;
/// `none`.
std::string namespaces_text(const std::vector<PmemNamespace>& namespaces);
std::string dax_mounts_text(const std::vector<Mount>& mounts);

}  // namespace daxrace
