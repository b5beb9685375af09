#include "bench/run/description.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/cli/units.hpp"
#include "bench/run/pmem_scan.hpp"
#include "bench/run/resume.hpp"
#include "harness/platform/zap_cost.hpp"

namespace daxrace {
namespace {

std::vector<std::string> protocols_in(const std::vector<Configuration>& matrix) {
  std::vector<std::string> names;
  for (const Configuration& config : matrix)
    if (std::ranges::find(names, config.protocol->info.name) == names.end())
      names.emplace_back(config.protocol->info.name);
  return names;
}

}  // namespace

void describe_run(RunReport& report, const RunOptions& options, const std::vector<std::string>& command_line,
                  const Machine& machine, const std::vector<Configuration>& matrix) {
  report.set_command_line(command_line);
  for (const auto& [name, value] : options.given) report.set_option(name, value);
  if (const std::string filter = benchmark_filter_of(options); !filter.empty())
    report.set_option("benchmark_filter", filter);
  report.set_protocols(protocols_in(matrix));
  report.set_topology(machine.topology().summary());
  report.set_environment("pmem namespaces", namespaces_text(scan_namespaces()));
  report.set_environment("DAX mounts", dax_mounts_text(scan_dax_mounts()));
  if (machine.any_peer() != nullptr)
    report.set_environment(
        "peer", fmt::format("{}, {:.0f} % of reads complete after submit", machine.any_peer()->path(),
                            machine.any_peer()->async_share() * 100));
  for (const Configuration& config : matrix)
    if (const RegionFacts* facts = machine.facts(config))
      report.set_environment("durability of " + config.source.choice.text(), facts->durable ? "yes" : "none");
}

std::vector<std::string> measure_zaps(RunReport& report, const Machine& machine,
                                      const std::vector<Configuration>& matrix) {
  std::map<std::string, ZapCost> costs;
  for (const Configuration& config : matrix) {
    if (config.target == Target::kernel) continue;
    const std::string name =
        fmt::format("{} frames of {} bytes", config.source.choice.text(), config.frame_bytes);
    if (machine.facts(config) != nullptr && !costs.contains(name)) {
      costs[name] = measure_zap_cost(machine.region(config));
    }
  }
  std::vector<std::string> lines;
  for (const auto& [name, cost] : costs) {
    report.set_environment("zap with idle neighbours, " + name, fmt::format("{} ns", cost.zap_ns));
    lines.push_back(
        fmt::format("{}: with idle neighbours a zap takes {}, the real fault after it {}; what a zap takes "
                    "beyond that is mmap_lock and IPIs, not the protocol",
                    name, duration_text(cost.zap_ns), duration_text(cost.touch_ns)));
  }
  return lines;
}

}  // namespace daxrace
