#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "harness/base/types.hpp"

namespace daxrace {

/// What to map and what we may do to it.
struct RegionSpec {
  Backing backing = Backing::memory;
  std::string path;             ///< file: a path; fsdax: a directory; devdax: /dev/daxX.Y; memory: empty
  std::size_t bytes = 0;        ///< wanted size; rounded up to whole frames
  std::size_t frame_bytes = 0;  ///< 0: the device's alignment on devdax, the file system's block elsewhere
  int numa_node = -1;           ///< memory only: bind the pages to this node; -1: leave them where they fall
  bool destroy_data = false;    ///< --destroy-data: what is on a devdax device may be overwritten
  bool durable = false;      ///< --durable: writes persist even where that takes an msync (granularity page)
  bool sync_mapping = true;  ///< fsdax: only where MAP_SYNC mappings are given; false: DAX is enough
  bool sparse = false;       ///< memory only: do not populate (a region whose frames are never touched)
};

/// What is mapped, as read back from the kernel.
struct RegionFacts {
  Backing backing = Backing::memory;
  std::string device;         ///< /dev/dax0.0, /dev/pmem0, or empty
  std::string fs;             ///< ext4, xfs, tmpfs, ... or empty
  std::string mount_options;  ///< of the file system, or empty
  std::string granularity;    ///< byte, cache_line or page, as libpmem2 says
  std::size_t frame_bytes = 0;
  std::size_t frames = 0;
  int pmem_node = -1;    ///< NUMA node of the region's pages, read back; -1: unknown
  bool durable = false;  ///< whether write_frame() persists
};

/// Frames of one backing, mapped twice through libpmem2. `user` plays the processes' page tables: its
/// translations are zapped and fault in again. `direct` plays the kernel's direct map: populated once and
/// never zapped, so that copies and device I/O neither need nor restore a user translation.
class Region {
 public:
  /// Throws Error for what the user can mend (no permission, not DAX, would destroy data) and Skipped for
  /// what this machine does not have.
  static std::unique_ptr<Region> open(const RegionSpec& spec);
  virtual ~Region() = default;
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  const RegionFacts& facts() const { return facts_; }
  std::byte* user(FrameNumber frame) const { return user_ + std::size_t{frame} * facts_.frame_bytes; }
  std::byte* direct(FrameNumber frame) const { return direct_ + std::size_t{frame} * facts_.frame_bytes; }

  /// Drops the real user translations of `count` frames, so that the next touch is a real CPU page fault.
  virtual void zap(FrameNumber first, std::size_t count) noexcept = 0;
  /// `--discard=punch`: gives the frame's storage back with fallocate(PUNCH_HOLE). False where that does not
  /// exist.
  virtual bool discard(FrameNumber frame) noexcept = 0;
  /// Copies into a frame through the direct map, durably where facts().durable says so. No bounds are
  /// checked.
  virtual void write_frame(FrameNumber frame, std::size_t offset, const void* from,
                           std::size_t bytes) noexcept = 0;
  /// Copies out of a frame through the direct map.
  virtual void read_frame(FrameNumber frame, std::size_t offset, void* to,
                          std::size_t bytes) const noexcept = 0;
  /// Zeroes a whole frame through the direct map.
  virtual void zero_frame(FrameNumber frame) noexcept = 0;
  /// Writes a frame's cache lines back (what fsync does for a dirty entry). On granularity page, where that
  /// would be an msync, it does nothing unless --durable asks for it.
  virtual void flush_frame(FrameNumber frame) noexcept = 0;

 protected:
  Region() = default;
  RegionFacts facts_;
  std::byte* user_ = nullptr;
  std::byte* direct_ = nullptr;
};

}  // namespace daxrace
