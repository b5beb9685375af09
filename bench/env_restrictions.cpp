#include "bench/env_restrictions.hpp"

#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "bench/run/machine.hpp"
#include "harness/platform/cpu_kinds.hpp"
#include "harness/platform/numa.hpp"

namespace daxrace {
namespace {

EnvLine judge_binding(const Restrictions& r) {
  constexpr std::string_view kTopic = "memory binding";
  if (r.binding_error.empty()) return {Fitness::ok, std::string(kTopic), "allowed", ""};
  return {Fitness::note, std::string(kTopic), fmt::format("refused: {}", r.binding_error),
          "give the container SYS_NICE (--cap-add=SYS_NICE), or a seccomp profile with mbind, get_mempolicy, "
          "set_mempolicy and move_pages"};
}

EnvLine judge_affinity(const Restrictions& r) {
  constexpr std::string_view kTopic = "CPU affinity";
  if (r.affinity_refusal.empty()) return {Fitness::ok, std::string(kTopic), "allowed", ""};
  return {Fitness::missing, std::string(kTopic), r.affinity_refusal, "daxrace run --placement=none"};
}

EnvLine judge_quota(const Restrictions& r) {
  constexpr std::string_view kTopic = "CPU quota";
  if (!r.groups.cpus) return {Fitness::ok, std::string(kTopic), "none", ""};
  return {Fitness::note, std::string(kTopic),
          fmt::format("{:.3g} CPUs, by control group {}", *r.groups.cpus, r.groups.cpu_group),
          "run outside of it, or raise it: systemctl set-property SLICE CPUQuota=, docker run --cpus="};
}

EnvLine judge_isolated(const Restrictions& r) {
  constexpr std::string_view kTopic = "isolated CPUs";
  if (r.isolated_cpus.empty()) return {Fitness::ok, std::string(kTopic), "none", ""};
  return {Fitness::note, std::string(kTopic), r.isolated_cpus + ": used only if asked for",
          fmt::format("taskset -c {0} daxrace run --cpus={0}", r.isolated_cpus)};
}

EnvLine judge_kinds(const Restrictions& r) {
  constexpr std::string_view kTopic = "CPU kinds";
  if (r.cpu_kinds.size() < 2) return {Fitness::ok, std::string(kTopic), "one", ""};
  std::string lists;
  for (const std::string& cpus : r.cpu_kinds) lists += (lists.empty() ? "" : " and ") + cpus;
  return {Fitness::note, std::string(kTopic), fmt::format("{}: {}", r.cpu_kinds.size(), lists),
          fmt::format("daxrace run --cpus={}, one kind", r.cpu_kinds.back())};
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

Restrictions gather_restrictions(const std::string& root) {
  Restrictions found;
  if (const int error = binding_error(); error != 0)
    found.binding_error = std::generic_category().message(error);
  found.affinity_refusal = affinity_refusal();
  found.groups = group_limits(root);
  found.isolated_cpus = first_line(root + "/sys/devices/system/cpu/isolated");
  for (const std::vector<int>& cpus : cpus_by_kind()) found.cpu_kinds.push_back(format_list(cpus));
  return found;
}

std::vector<EnvLine> judge_restrictions(const Restrictions& r) {
  return {judge_binding(r), judge_affinity(r), judge_quota(r), judge_isolated(r), judge_kinds(r)};
}

}  // namespace daxrace
