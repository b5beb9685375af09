#include "bench/cli/config_names.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/base/error.hpp"
#include "harness/base/text.hpp"

namespace daxrace {
namespace {

std::vector<std::string_view> key_without(std::string_view by) {
  if (by.empty() || !column_named(by).is_key) return {};
  return {column_named(by).name};
}

}  // namespace

ConfigNames::ConfigNames(const std::vector<const ResultSet*>& sets, std::string_view by)
    : columns_(config_columns(key_without(by))), varying_(columns_.size(), false) {
  std::vector<std::string_view> first;
  for (const ResultSet* set : sets) {
    for (const std::string_view config : set->configs()) {
      const auto fields = config_fields(config);
      if (first.empty()) first = fields;
      for (std::size_t i = 0; i < columns_.size(); ++i) varying_[i] = varying_[i] || fields[i] != first[i];
    }
  }
}

std::string ConfigNames::name(std::string_view config) const {
  const auto fields = config_fields(config);
  std::string workload;
  std::string protocol;
  std::string rest;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string_view column = columns_[i]->name;
    if (column == "workload") {
      workload = fields[i];
    } else if (column == "protocol") {
      protocol = fmt::format("/{}", fields[i]);
    } else if (varying_[i] && !fields[i].empty()) {
      rest += fmt::format(" {}={}", column, fields[i]);
    }
  }
  return workload + protocol + rest;
}

std::string p_text(double p) { return p < 0.0001 ? fmt::format("{:.0e}", p) : fmt::format("{:.2g}", p); }

std::string percent_text(double share) { return fmt::format("{:g} %", share * 100); }

std::string csv_field(std::string_view text) { return csv_text(text); }

double parse_percent(std::string_view option, std::string text) {
  if (text.ends_with('%')) text.pop_back();
  const double percent = text == "0" ? 0 : parse_positive(option, text);
  if (percent >= 1000) throw Error(fmt::format("--{}={}: a percentage below 1000", option, text));
  return percent / 100;
}

}  // namespace daxrace
