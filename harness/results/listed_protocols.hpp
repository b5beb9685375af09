#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/results/csv.hpp"

namespace daxrace {

/// What the runs of a result file had for protocols, as far as the .run.json beside it says: by a run's list,
/// or by --protocol where the report is older than that list.
class ListedProtocols {
 public:
  /// A report that is missing or damaged lists nothing: who wants more of it says so.
  explicit ListedProtocols(const std::string& csv_path);
  /// What is wrong with a row's protocol, as `protocol is "exr4", not one of none, ext4 (x.run.json)`.
  /// Nothing where its run is unknown or lists none.
  std::optional<std::string> complaint_of(const Row& row) const;

 private:
  std::string report_path_;
  std::map<std::string, std::vector<std::string>, std::less<>> by_run_;
};

}  // namespace daxrace
