#pragma once

#include <array>
#include <compare>
#include <span>
#include <string_view>

#include "harness/base/kernel_rules.hpp"
#include "harness/base/types.hpp"

/// Kernel releases as data: which protocol a file system of a release follows, and by which rules. Each row
/// says what it was read from; a new release is a row.
namespace daxrace {

struct KernelVersion {
  unsigned major = 0, minor = 0, patch = 0;
  friend constexpr auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

/// From the first on, up to but not with the end.
struct KernelVersions {
  KernelVersion first, end;
  constexpr bool contains(KernelVersion version) const { return version >= first && version < end; }
};

struct Release {
  std::string_view name;      ///< FILE SYSTEM@VERSION, as --release= takes it
  std::string_view kernels;   ///< which it stands for
  std::string_view protocol;  ///< whose choreography it has
  RefcountRegime refcount = RefcountRegime::ref1;
  KernelRules rules;
  std::array<KernelVersions, 2> versions;
  std::string_view source;  ///< file:line@version or a commit; "not read" where nobody looked

  constexpr std::string_view fs() const { return name.substr(0, name.find('@')); }
};

std::span<const Release> releases();
/// Null: there is none of that name.
const Release* release_named(std::string_view name);
/// The row of a file system of a kernel, or null.
const Release* release_of(std::string_view fs, KernelVersion version);

/// Of `uname -r` and `uname -v`: Debian has the version of the source in the second only.
KernelVersion kernel_version_of(std::string_view release, std::string_view version);

}  // namespace daxrace
