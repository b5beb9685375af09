#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/text.hpp"
#include "harness/results/result_set.hpp"

namespace daxrace {

/// Names configurations by their workload and protocol, and by those key columns in which the configurations
/// of the given sets differ.
class ConfigNames {
 public:
  /// `by`: the column in which the sides differ, or empty.
  ConfigNames(const std::vector<const ResultSet*>& sets, std::string_view by);
  const std::vector<const Column*>& columns() const { return columns_; }
  std::string name(std::string_view config) const;

 private:
  std::vector<const Column*> columns_;
  std::vector<bool> varying_;
};

/// A p value with as many digits as are worth reading.
std::string p_text(double p);
/// `5 %`.
std::string percent_text(double share);
/// A field of a CSV line: csv_text.
std::string csv_field(std::string_view text);
/// `5`, `2.5%`: a share. Throws Error naming the option.
double parse_percent(std::string_view option, std::string text);

}  // namespace daxrace
