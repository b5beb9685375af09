#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace daxrace::kernel {

/// A version as one number: 6.12 is 612.
using KernelVersion = unsigned;
KernelVersion version_of(std::string_view release);

/// Something that complains in the kernel's log, and the kernels that have it. What no canary sees may still
/// be wrong, and what one sees may be harmless: they only say what a silent log is worth.
struct Canary {
  std::string_view name;    ///< function, or what it is called
  std::string_view source;  ///< file or directory of the function; or the path that shows that it is there
  KernelVersion first = 0, last = 0;  ///< of the stock kernels looked at; 0 and 0: in none
  std::string_view says;
  bool in(KernelVersion version) const { return version >= first && version <= last; }
};
std::span<const Canary> canaries();

/// A WARN or BUG that is compiled into the kernel, as its own table says.
struct Warning {
  std::string file;
  unsigned line = 0;
  std::string function;
};

/// The warnings in `files` of the kernel image and of the file systems' modules that are loaded, from
/// /proc/kallsyms, /sys/module and /proc/kcore. Throws Skipped where they cannot be read.
std::vector<Warning> compiled_warnings(std::span<const std::string_view> files);

/// A canary in the running kernel.
struct Sighting {
  const Canary* canary = nullptr;
  std::optional<bool> here;  ///< nothing: it cannot be told
  std::string where;         ///< `fs/dax.c:398,404`
  std::string why_unknown;   ///< what failed, where it cannot be told
};
/// Those of a module that is not loaded are left out.
std::vector<Sighting> canaries_here();

/// The table of the documents.
std::string canaries_markdown();

}  // namespace daxrace::kernel
