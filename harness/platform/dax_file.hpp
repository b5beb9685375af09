#pragma once

#include <string>

namespace daxrace {

/// statx reports the DAX attribute: loads, stores and copies reach the device without a page cache.
bool has_dax_attribute(int fd);
/// A MAP_SYNC mapping is given, so that a store is durable once it is flushed. A device that flushes
/// asynchronously (virtio-pmem, papr_scm) gives none, be the file on DAX or not.
bool gives_sync_mapping(int fd);

/// Why `--backing=fsdax:DIRECTORY` cannot be had, and what to do about it; empty where it can. `fs` is the
/// file system's name, `dax` and `sync_mapping` are what the two functions above say of a file made there.
std::string why_no_fsdax(const std::string& directory, const std::string& fs, bool dax, bool sync_mapping);

}  // namespace daxrace
