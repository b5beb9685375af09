#include "bench/list.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/cli/options.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/run/matrix.hpp"
#include "bench/run/pmem_scan.hpp"
#include "harness/base/text.hpp"
#include "harness/engine/episode.hpp"
#include "harness/litmus/finding_history.hpp"
#include "harness/litmus/release_rows.hpp"
#include "harness/load/workload.hpp"
#include "harness/platform/numa.hpp"

namespace daxrace {
namespace {

struct Usable {
  std::string option;  ///< what to give to --backing or --placement
  std::string remark;
};

std::string node_text(int node) { return node < 0 ? "" : fmt::format(", node {}", node); }

std::vector<Usable> usable_backings() {
  std::vector<Usable> found = {{"memory", "runs everywhere"}, {"file:PATH", "a new file on any file system"}};
  for (const Mount& mount : scan_dax_mounts())
    found.push_back({"fsdax:" + mount.point, fmt::format("{} on {}", mount.fs, mount.source)});
  for (const DaxDevice& device : scan_dax_devices())
    if (device.driver == "device_dax")
      found.push_back({"devdax:/dev/" + device.name,
                       fmt::format("{} MiB, align {}{}; needs --destroy-data", device.bytes >> 20,
                                   device.align, node_text(device.node))});
  return found;
}

std::vector<Usable> usable_placements() {
  const std::size_t nodes = memory_nodes().size();
  const std::string remote =
      nodes > 1 ? "workers on another NUMA node" : "skipped here: there is only one NUMA node";
  return {{"local", "workers and buffers on the pmem's NUMA node"},
          {"remote", remote},
          {"interleave", "workers on all nodes in turn"},
          {"none", "the scheduler decides"}};
}

std::string role_text(const Role& role) {
  std::vector<std::string> ops;
  for (const WeightedOp& share : role.ops) {
    const std::string name{name_in(kOpNames, share.op)};
    ops.push_back(share.weight == 1 ? name : fmt::format("{}x{}", name, share.weight));
  }
  return fmt::format("{} {}/s: {}", role.name, role.rate_per_s, join(ops));
}

double offered(const Workload& workload) {
  Configuration config;
  config.workload = &workload;
  return config.offered_per_s();
}

void print_protocols() {
  fmt::print("Protocols (--protocol):\n");
  for (const ProtocolEntry& entry : protocols()) {
    const std::string promises = entry.info.promises.text();
    fmt::print("  {:<24} {}\n", entry.info.name, entry.info.summary);
    fmt::print("  {:<24} stands for: {}\n", "", entry.info.stands_for);
    fmt::print("  {:<24} promises: {}\n", "", promises.empty() ? "nothing" : promises);
  }
  fmt::print("\nHazards:\n");
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    fmt::print("  {}  {}\n", kHazardNames[i], kHazardMeanings[i]);
}

std::string versions_of(const litmus::FindingHistory& history, std::string_view fs) {
  const litmus::FindingInFs* one = history.in(fs);
  if (one == nullptr) return "-";
  std::vector<std::string> ranges;
  for (const KernelVersions& range : one->versions) ranges.push_back(litmus::versions_text(range));
  return join(ranges);
}

/// The history of the problem on one screen: the releases, oldest first, and what was wrong when.
void print_releases() {
  fmt::print("\nReleases (--release of litmus):\n");
  for (const Release& release : releases())
    fmt::print("  {:<14} {:<18} {}, {}\n", release.name, release.kernels, release.protocol,
               name_in(kRefcountRegimeNames, release.refcount));
  fmt::print("\n{:<33} {:<16} {:<16} {}\n", "Wrong in them (results/findings/)", "xfs", "ext4", "fuse");
  for (const litmus::FindingHistory& one : litmus::finding_histories())
    fmt::print("  {:<31} {:<16} {:<16} {}\n", one.id, versions_of(one, "xfs"), versions_of(one, "ext4"),
               versions_of(one, "fuse"));
}

void print_workloads() {
  fmt::print("\nWorkloads (--workload), their roles with intended starts per second under paced load:\n");
  for (const Workload& workload : workloads()) {
    fmt::print("  {:<18} {}\n", workload.name, workload.summary);
    fmt::print("  {:<18} {:.0f}/s in all; {} under --load=closed{}\n", "", offered(workload),
               counted(workload.closed_threads(), "thread"),
               workload.needs_peer() ? "; needs a peer file" : "");
    for (const Role& role : workload.roles) fmt::print("  {:<18}   {}\n", "", role_text(role));
  }
}

void print_usable(std::string_view title, const std::vector<Usable>& all) {
  fmt::print("\n{}:\n", title);
  for (const Usable& one : all) fmt::print("  {:<24} {}\n", shown_text(one.option), shown_text(one.remark));
}

std::vector<Usable> locks() {
  return {{"rwsem", "the rules of the kernel's rw_semaphore; the default"},
          {"pthread_rwlock", "glibc's, preferring writers: to tell the lock's cost from the protocol's"}};
}

nlohmann::ordered_json protocols_json() {
  auto list = nlohmann::ordered_json::array();
  for (const ProtocolEntry& entry : protocols())
    list.push_back({{"name", entry.info.name},
                    {"promises", entry.info.promises.text()},
                    {"stands_for", entry.info.stands_for},
                    {"summary", entry.info.summary}});
  return list;
}

nlohmann::ordered_json releases_json() {
  auto list = nlohmann::ordered_json::array();
  for (const litmus::ReleaseRow& row : litmus::release_rows())
    list.push_back({{"name", row.release->name},
                    {"kernels", row.release->kernels},
                    {"protocol", row.release->protocol},
                    {"refcount", name_in(kRefcountRegimeNames, row.release->refcount)},
                    {"wrong", litmus::wrong_in(row)},
                    {"source", row.release->source}});
  return list;
}

nlohmann::ordered_json findings_json() {
  auto list = nlohmann::ordered_json::array();
  for (const litmus::FindingHistory& history : litmus::finding_histories()) {
    auto versions = nlohmann::ordered_json::object();
    for (const litmus::FindingInFs& one : history.file_systems) {
      auto& ranges = versions[std::string{one.fs}] = nlohmann::ordered_json::array();
      for (const KernelVersions& range : one.versions) ranges.push_back(litmus::versions_text(range));
    }
    list.push_back({{"id", history.id}, {"versions", versions}});
  }
  return list;
}

nlohmann::ordered_json roles_json(const Workload& workload) {
  auto roles = nlohmann::ordered_json::array();
  for (const Role& role : workload.roles) {
    auto ops = nlohmann::ordered_json::object();
    for (const WeightedOp& share : role.ops) ops[std::string{name_in(kOpNames, share.op)}] = share.weight;
    roles.push_back(
        {{"name", role.name}, {"rate_per_s", role.rate_per_s}, {"threads", role.count}, {"ops", ops}});
  }
  return roles;
}

nlohmann::ordered_json workloads_json() {
  auto list = nlohmann::ordered_json::array();
  for (const Workload& workload : workloads())
    list.push_back({{"name", workload.name},
                    {"summary", workload.summary},
                    {"uncontended", workload.uncontended},
                    {"needs_peer", workload.needs_peer()},
                    {"offered_per_s", offered(workload)},
                    {"closed_threads", workload.closed_threads()},
                    {"roles", roles_json(workload)}});
  return list;
}

nlohmann::ordered_json usable_json(const std::vector<Usable>& all) {
  auto list = nlohmann::ordered_json::array();
  for (const Usable& one : all) list.push_back({{"name", one.option}, {"remark", one.remark}});
  return list;
}

void print_json() {
  const nlohmann::ordered_json all = {{"protocols", protocols_json()},
                                      {"releases", releases_json()},
                                      {"findings", findings_json()},
                                      {"workloads", workloads_json()},
                                      {"backings", usable_json(usable_backings())},
                                      {"placements", usable_json(usable_placements())},
                                      {"locks", usable_json(locks())}};
  fmt::print("{}\n", all.dump(2));
}

}  // namespace

Exit print_list(OutputFormat format) {
  if (format == OutputFormat::json) {
    print_json();
    return Exit::ok;
  }
  print_protocols();
  print_releases();
  print_workloads();
  print_usable("Backings (--backing)", usable_backings());
  print_usable("Placements (--placement)", usable_placements());
  print_usable("Locks (--lock)", locks());
  return Exit::ok;
}

}  // namespace daxrace
