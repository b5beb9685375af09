#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness/base/file_descriptor.hpp"
#include "harness/platform/device_guard.hpp"
#include "harness/platform/pmem2.hpp"
#include "harness/platform/region.hpp"

namespace daxrace {

/// The file or device under a region: opened, guarded, allocated, and described. Frames lie in it from
/// `offset` on.
struct OpenBacking {
  FileDescriptor directory;     ///< fsdax: the locked directory
  std::optional<OwnFile> file;  ///< fsdax and file
  FileDescriptor device;        ///< memory (a memfd) and devdax
  std::unique_ptr<Pmem2Source> source;
  std::uint64_t offset = 0;
  bool dax = false;   ///< loads and stores reach pmem, without a page cache
  RegionFacts facts;  ///< granularity and durable are filled in later, by who maps it

  int fd() const { return file ? file->fd() : device.get(); }
  std::size_t bytes() const { return facts.frames * facts.frame_bytes; }
};

/// Opens what `spec` names. Throws Error and Skipped as Region::open() does.
OpenBacking open_backing(const RegionSpec& spec);

}  // namespace daxrace
