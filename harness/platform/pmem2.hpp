#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "harness/platform/devdax.hpp"

struct pmem2_source;
struct pmem2_map;
struct pmem2_vm_reservation;

namespace daxrace {

/// What one entry of a page table's middle level maps.
inline constexpr std::size_t kHugeBytes = std::size_t{2} << 20;

/// libpmem2's view of an open file or device.
class Pmem2Source {
 public:
  /// `name` is for messages. `fd` must outlive the source. Throws Error.
  Pmem2Source(int fd, std::string name);
  ~Pmem2Source();
  Pmem2Source(const Pmem2Source&) = delete;
  Pmem2Source& operator=(const Pmem2Source&) = delete;

  std::uint64_t size() const;       ///< bytes; throws Error
  std::size_t alignment() const;    ///< of a mapping's offset and length; throws Error
  std::optional<int> node() const;  ///< the NUMA node of the pmem, if libpmem2 or sysfs knows it
  /// Machine-check safe copies: a poisoned line is an Error, not a SIGBUS.
  void read(void* to, std::size_t bytes, std::uint64_t offset) const;
  void write(const void* from, std::size_t bytes, std::uint64_t offset);

  pmem2_source* get() const { return source_; }
  /// libpmem2 cannot map, read or write it: it belongs to no namespace.
  bool without_namespace() const { return devdax_.has_value(); }
  int fd() const { return fd_; }
  const std::string& name() const { return name_; }

 private:
  int fd_;
  std::string name_;
  pmem2_source* source_ = nullptr;
  std::optional<DevdaxFacts> devdax_;
};

/// A shared mapping of part of a source, with the copy functions that libpmem2 found right for it.
class Pmem2Mapping {
 public:
  using Copy = void* (*)(void* to, const void* from, std::size_t bytes, unsigned flags);
  using Fill = void* (*)(void* to, int byte, std::size_t bytes, unsigned flags);
  using Flush = void (*)(const void* start, std::size_t bytes);
  enum class Granularity : std::uint8_t { byte, cache_line, page };

  /// Lies at an address that is `file offset + phase` modulo 2 MiB (or modulo the source's alignment where
  /// that is larger). With a phase of 0 the kernel may use huge translations, with any other it cannot.
  /// Throws Error.
  Pmem2Mapping(const Pmem2Source& source, std::uint64_t offset, std::size_t bytes, std::size_t phase);
  ~Pmem2Mapping();
  Pmem2Mapping(const Pmem2Mapping&) = delete;
  Pmem2Mapping& operator=(const Pmem2Mapping&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  Granularity granularity() const { return granularity_; }
  Copy copy() const { return copy_; }
  Fill fill() const { return fill_; }
  Flush persist() const { return persist_; }
  /// The flag with which copy() and fill() neither flush nor drain.
  static unsigned no_flush();

 private:
  void release() noexcept;

  pmem2_vm_reservation* reservation_ = nullptr;
  pmem2_map* map_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  Granularity granularity_ = Granularity::page;
  Copy copy_ = nullptr;
  Fill fill_ = nullptr;
  Flush persist_ = nullptr;
};

}  // namespace daxrace
