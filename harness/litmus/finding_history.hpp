#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/releases.hpp"

namespace daxrace::litmus {

/// From which version to which a finding is met in a file system, in as few ranges as there are.
struct FindingInFs {
  std::string_view fs;
  std::vector<KernelVersions> versions;
};
struct FindingHistory {
  std::string_view id;
  std::vector<FindingInFs> file_systems;  ///< those that have it, in the order of the releases

  const FindingInFs* in(std::string_view fs) const;
};

/// Of every finding of a release, those that came first at the head.
std::vector<FindingHistory> finding_histories();

/// `4.18 to 6.14`, `to 4.17`, `6.15 on`, `6.1.75 to 6.1.y`.
std::string versions_text(const KernelVersions& versions);

}  // namespace daxrace::litmus
