#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/report/data.hpp"
#include "bench/report/html.hpp"

namespace daxrace {

/// The protocols of the page with the line that each has in every plot.
std::string protocol_legend(const ReportData& data);
/// The parts that an operation's time is split into.
std::string phase_legend();

std::string paragraph(std::string_view plain);
std::string time_or_dash(const std::optional<std::uint64_t>& ns);

/// The scenarios of all origins one after the other, each origin with a heading if there are several.
std::string for_each_scenario(const ReportData& data,
                              const std::function<std::string(const ReportScenario&)>& markup_of);

/// The protocols of a map in the order of the page.
template <class Value>
std::vector<std::string> in_page_order(const ReportData& data,
                                       const std::map<std::string, Value>& by_protocol) {
  std::vector<std::string> out;
  for (const std::string& name : data.protocols)
    if (by_protocol.contains(name)) out.push_back(name);
  return out;
}

/// The paths of a map in the order in which daxrace lists them.
template <class Value>
std::vector<std::string> paths_in_order(const std::map<std::string, Value>& by_path) {
  std::vector<std::string> out;
  for (const std::string_view name : kPathNames)
    if (by_path.contains(std::string(name))) out.emplace_back(name);
  for (const auto& [name, value] : by_path)
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

}  // namespace daxrace
