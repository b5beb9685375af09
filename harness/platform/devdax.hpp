#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace daxrace {

/// A devdax device as sysfs describes it.
struct DevdaxFacts {
  std::uint64_t bytes = 0;
  std::size_t alignment = 0;  ///< of a mapping's offset and length
};

/// The facts of a devdax device that belongs to no NVDIMM namespace (CXL, memory that the firmware reserved):
/// libpmem2 looks for the namespace and dies where there is none. Nothing for every other device. `root`
/// stands before /sys. Throws Error where sysfs tells neither size nor alignment.
std::optional<DevdaxFacts> devdax_without_namespace(dev_t device, const std::string& root = "");

}  // namespace daxrace
