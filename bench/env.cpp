#include "bench/env.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/cli/suggest.hpp"
#include "bench/env_restrictions.hpp"
#include "bench/run/machine.hpp"
#include "bench/run/memory_limit.hpp"
#include "harness/base/text.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/numa.hpp"

namespace daxrace {
namespace {

constexpr std::array<std::string_view, 3> kFitnessNames = {"ok", "note", "missing"};
/// Above this a clock read is no longer small against a 1 us operation.
constexpr double kCheapClockNs = 60;
/// Frames of 2 MiB for the default file, and room beside them.
constexpr std::uint64_t kComfortableBytes = 512U << 20;

void try_peer(EnvFacts& facts) {
  try {
    const auto peer = Peer::open("", 4096, 64, false);
    const IoRing ring(*peer, 1);
    facts.peer = peer->path();
    facts.peer_async = peer->async_share();
  } catch (const std::exception& error) {
    facts.peer_problem = error.what();
  }
}

std::vector<std::string> unreachable_devices(const std::vector<DaxDevice>& devices) {
  std::vector<std::string> names;
  for (const DaxDevice& device : devices)
    if (const std::string path = "/dev/" + device.name;
        device.driver == "device_dax" && access(path.c_str(), R_OK | W_OK) != 0)
      names.push_back(path);
  return names;
}

EnvLine judge_cpus(const EnvFacts& f) {
  if (f.cpus >= 2) return {Fitness::ok, "CPUs", fmt::format("{}; {}", f.info.cpu, f.topology), ""};
  return {Fitness::note, "CPUs", fmt::format("{}; {}", f.info.cpu, f.topology),
          "with one CPU races are only preemptions; give this process two or more"};
}

EnvLine judge_nodes(const EnvFacts& f) {
  if (f.nodes > 1) return {Fitness::ok, "NUMA", fmt::format("{} nodes with memory", f.nodes), ""};
  return {Fitness::note, "NUMA", "one node: --placement=remote is skipped",
          "scripts/guest.sh boots a guest with two"};
}

EnvLine judge_clock(const EnvFacts& f) {
  const auto finding = fmt::format("{} ({:.0f} ns a read), clocksource {}", f.info.clock,
                                   f.info.clock_read_cost_ns, f.info.clocksource);
  if (f.info.clock_read_cost_ns <= kCheapClockNs) return {Fitness::ok, "clock", finding, ""};
  return {Fitness::note, "clock", finding,
          "boot with tsc=reliable clocksource=tsc, if the machine's TSC is reliable"};
}

EnvLine judge_governor(const EnvFacts& f) {
  if (f.info.governor.empty()) return {Fitness::ok, "governor", "no frequency scaling to be seen", ""};
  if (f.info.governor == "performance") return {Fitness::ok, "governor", "performance", ""};
  return {Fitness::note, "governor", f.info.governor + ": latencies vary with the frequency",
          "cpupower frequency-set -g performance"};
}

EnvLine judge_turbo(const EnvFacts& f) {
  if (f.info.turbo != "on")
    return {Fitness::ok, "turbo", f.info.turbo.empty() ? "not to be seen" : "off", ""};
  const bool pstate = f.info.scaling_driver.starts_with("intel");
  return {Fitness::note, "turbo", "on",
          pstate ? "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
                 : "echo 0 > /sys/devices/system/cpu/cpufreq/boost"};
}

EnvLine judge_smt(const EnvFacts& f) {
  if (f.info.smt == "on")
    return {Fitness::note, "SMT", "on",
            "echo off > /sys/devices/system/cpu/smt/control, or --cpus= one per core"};
  return {Fitness::ok, "SMT", f.info.smt.empty() ? "not to be seen" : f.info.smt, ""};
}

EnvLine judge_aslr(const EnvFacts& f) {
  if (f.info.aslr.empty() || f.info.aslr == "0")
    return {Fitness::ok, "ASLR", f.info.aslr.empty() ? "not to be seen" : "off", ""};
  return {Fitness::note, "ASLR", fmt::format("on (kernel.randomize_va_space={})", f.info.aslr),
          "setarch -R daxrace run ..., where two runs are compared closely"};
}

/// What the CPU is affected by and what the kernel does about it.
EnvLine judge_mitigations(const EnvFacts& f) {
  std::vector<std::string> active;
  for (const auto& [name, text] : f.info.mitigations)
    if (text.starts_with("Mitigation")) active.push_back(name);
  if (active.empty()) return {Fitness::ok, "mitigations", "none active", ""};
  return {Fitness::note, "mitigations", "active: " + join(active),
          "compare only with the same; boot with mitigations=off on a machine that runs nothing else"};
}

EnvLine judge_userfaultfd(const EnvFacts& f) {
  if (f.info.userfaultfd.empty())
    return {Fitness::missing, "userfaultfd", "not in this kernel", "boot a kernel with CONFIG_USERFAULTFD"};
  if (f.info.userfaultfd == "anybody" || f.is_root)
    return {Fitness::ok, "userfaultfd", f.is_root ? "as root" : "for anybody", ""};
  return {Fitness::missing, "userfaultfd", "not for this user",
          "run as root, sysctl vm.unprivileged_userfaultfd=1, or give access to /dev/userfaultfd"};
}

EnvLine judge_tracefs(const EnvFacts& f) {
  if (f.info.tracefs.empty())
    return {Fitness::missing, "tracefs", "not mounted", "mount -t tracefs tracefs /sys/kernel/tracing"};
  if (!f.is_root) return {Fitness::missing, "tracefs", f.info.tracefs + ", not for this user", "run as root"};
  return {Fitness::ok, "tracefs", f.info.tracefs, ""};
}

EnvLine judge_debug(const EnvFacts& f) {
  if (f.info.kernel_debug == "none")
    return {Fitness::ok, "kernel", f.info.kernel + ", no costly debug options", ""};
  if (f.info.kernel_debug == "unknown")
    return {Fitness::note, "kernel", f.info.kernel + ", its configuration was not found",
            "check that it has no KASAN, LOCKDEP or the like"};
  return {Fitness::note, "kernel", fmt::format("{} with {}", f.info.kernel, f.info.kernel_debug),
          "boot a kernel without them to measure cost"};
}

EnvLine judge_emulation(const EnvFacts& f) {
  const std::string& emulated = f.info.emulated;
  if (emulated.empty()) return {Fitness::ok, "hardware", "real", ""};
  if (emulated.starts_with("tcg"))
    return {Fitness::note, "hardware", emulated + ": verdicts count, latencies mean nothing",
            "use KVM or hardware"};
  return {Fitness::note, "hardware",
          emulated + ": a virtual machine; zaps and faults cost more than on hardware", ""};
}

EnvLine judge_balancing(const EnvFacts& f) {
  if (f.nodes > 1 && f.info.numa_balancing == "1")
    return {Fitness::note, "NUMA balancing", "on: the kernel unmaps pages behind our back",
            "sysctl kernel.numa_balancing=0"};
  return {Fitness::ok, "NUMA balancing", "off, or one node", ""};
}

EnvLine judge_huge_pages(const EnvFacts& f) {
  return {Fitness::ok, "huge pages",
          fmt::format("{}; frames below 2 MiB never use them",
                      f.info.thp.empty() ? "not in this kernel" : f.info.thp),
          ""};
}

EnvLine judge_load(const EnvFacts& f) {
  const double load = std::strtod(f.info.loadavg.c_str(), nullptr);
  const auto finding = fmt::format("load average {:.2f} on {} CPUs", load, f.cpus);
  if (load <= 0.5 * static_cast<double>(f.cpus)) return {Fitness::ok, "load", finding, ""};
  return {Fitness::note, "load", finding, "stop what else runs, or wait: figures will be noisy"};
}

EnvLine judge_io_uring(const EnvFacts& f) {
  if (!f.info.io_uring_disabled.empty() && f.info.io_uring_disabled != "0" && !f.peer_problem.empty())
    return {Fitness::missing, "io_uring", "kernel.io_uring_disabled=" + f.info.io_uring_disabled,
            "sysctl kernel.io_uring_disabled=0"};
  if (!f.peer_problem.empty())
    return {Fitness::missing, "direct I/O", f.peer_problem,
            "aio and gup are skipped; a container needs io_uring in its seccomp profile, --peer-file a disk"};
  const auto finding = fmt::format("{}: {:.0f} % of reads complete after submit", f.peer, f.peer_async * 100);
  if (f.peer_async >= kLeastAsyncShare) return {Fitness::ok, "direct I/O", finding, ""};
  return {Fitness::missing, "direct I/O", finding + ": aio and gup are skipped",
          "name a file on a disk: --peer-file"};
}

EnvLine judge_memory(const EnvFacts& f) {
  const auto& group = f.restrictions.groups;
  const bool limited = group.memory_left_bytes && *group.memory_left_bytes <= f.available_bytes;
  const auto finding = fmt::format("{} MiB available{}", f.available_bytes >> 20,
                                   limited ? " in control group " + group.memory_group : "");
  if (f.available_bytes >= kComfortableBytes) return {Fitness::ok, "memory", finding, ""};
  return {Fitness::note, "memory", finding + ": --frame-bytes=2M will not fit", "use smaller --file-pages"};
}

EnvLine judge_namespaces(const EnvFacts& f) {
  if (f.namespaces.empty() && f.dax_devices.empty())
    return {Fitness::missing, "pmem", "no namespaces, no dax devices",
            "scripts/setup-pmem.sh --advise-memmap, or scripts/guest.sh"};
  std::vector<std::string> texts;
  if (!f.namespaces.empty()) texts.push_back(namespaces_text(f.namespaces));
  for (const DaxDevice& device : f.dax_devices)
    texts.push_back(
        fmt::format("{} {} align {} node {}", device.name, device.driver, device.align, device.node));
  for (const PmemNamespace& one : f.namespaces)
    if (one.mode != "fsdax" && one.mode != "devdax")
      return {
          Fitness::note, "pmem", join(texts, "; "),
          fmt::format("ndctl create-namespace -f -e {} -m fsdax (destroys what is on it): mode {} has no DAX",
                      one.name, one.mode)};
  return {Fitness::ok, "pmem", join(texts, "; "), ""};
}

EnvLine judge_devdax(const EnvFacts& f) {
  if (!f.unreachable.empty())
    return {Fitness::missing, "devdax", join(f.unreachable) + ": no permission",
            "run as root, or chown the device"};
  for (const DaxDevice& device : f.dax_devices)
    if (device.driver == "device_dax")
      return {Fitness::ok, "devdax", "/dev/" + device.name + " can be opened", ""};
  return {Fitness::missing, "devdax", "no device of driver device_dax",
          "ndctl create-namespace -f -e NAMESPACE -m devdax (destroys what is on it)"};
}

EnvLine judge_dax_mounts(const EnvFacts& f) {
  if (f.dax_mounts.empty())
    return {Fitness::missing, "fsdax", "no file system is mounted with DAX",
            "mount -o dax=always /dev/pmem0 /mnt/pmem"};
  return {Fitness::ok, "fsdax", dax_mounts_text(f.dax_mounts), ""};
}

/// What each topic does to results, or what stands still without it.
struct Effect {
  std::string_view topic;
  std::string_view text;
};
constexpr std::array<Effect, 26> kEffects = {
    {{"CPUs", "races need threads that run at the same time; more workers than CPUs: no cost figures"},
     {"NUMA", "local against remote needs two nodes with memory"},
     {"memory binding",
      "without it memory lies where the kernel puts it: pmem_node and mem_nodes are empty, remote is skipped "
      "on "
      "several nodes"},
     {"CPU affinity", "without it every placement but none is skipped"},
     {"CPU quota",
      "a worker that has used it up stands still: p99 and the longest waits are the quota's; such rows stay "
      "out of "
      "costs"},
     {"isolated CPUs", "the quietest CPUs are left aside"},
     {"CPU kinds", "workers on fast and on slow cores in one row: latencies have two humps"},
     {"NUMA balancing",
      "it unmaps pages to see who uses them: faults and shootdowns that no protocol caused"},
     {"clock", "every latency holds two reads of the clock"},
     {"governor", "a core that slows down between episodes moves every latency by the same factor"},
     {"turbo", "the frequency depends on temperature and on what the other cores do"},
     {"SMT", "two workers on one core share its caches and units: latencies depend on the pairing"},
     {"ASLR", "addresses, and with them cache and TLB conflicts, differ from run to run"},
     {"mitigations", "they lengthen each entry into the kernel: page fault, zap, system call"},
     {"load", "somebody else on the CPUs is in p99 and in the longest wait"},
     {"hardware", "in a virtual machine zap, page fault and IPI leave the guest"},
     {"kernel", "debug options cost more than the locks that are measured"},
     {"huge pages", "one translation covers 512 frames where they are used: zap and fault of another size"},
     {"memory", "a region that does not fit is skipped"},
     {"io_uring", "without it no direct I/O is in flight: aio and gup are skipped"},
     {"direct I/O",
      "a peer that completes inside the submission has nothing in flight: aio and gup are skipped"},
     {"userfaultfd", "the kernel target holds a fault open with it"},
     {"tracefs", "the kernel target looks at the kernel's own events through it"},
     {"pmem", "figures of the memory backing are those of DRAM without flushes"},
     {"devdax", "--backing=devdax needs it"},
     {"fsdax", "--backing=fsdax and the kernel target need it"}}};

std::string effect_of(std::string_view topic) {
  const auto* const found = std::ranges::find(kEffects, topic, &Effect::topic);
  return found == kEffects.end() ? "" : std::string(found->text);
}

void print_text(const std::vector<EnvLine>& lines) {
  for (const EnvLine& line : lines) {
    fmt::print("{:<8} {:<15} {}\n", kFitnessNames[static_cast<std::size_t>(line.fitness)], line.topic,
               shown_text(line.finding));
    if (line.fitness != Fitness::ok && !line.effect.empty()) fmt::print("{:<24} {}\n", "", line.effect);
    if (!line.mend.empty()) fmt::print("{:<24} -> {}\n", "", shown_text(line.mend));
  }
}

void print_json(const std::vector<EnvLine>& lines) {
  auto list = nlohmann::ordered_json::array();
  for (const EnvLine& line : lines)
    list.push_back({{"fitness", kFitnessNames[static_cast<std::size_t>(line.fitness)]},
                    {"topic", line.topic},
                    {"finding", line.finding},
                    {"effect", line.effect},
                    {"mend", line.mend}});
  fmt::print("{}\n", list.dump(2));
}

}  // namespace

EnvFacts gather_env(const std::string& root) {
  EnvFacts facts;
  facts.info = gather_run_info(root);
  if (root.empty()) refuse_foreign_topology();
  const Topology topology;
  facts.restrictions = gather_restrictions(root);
  facts.cpus = topology.cpus().size();
  facts.nodes = memory_nodes().size();
  facts.topology = topology.summary();
  try_peer(facts);
  facts.dax_devices = scan_dax_devices(root);
  facts.namespaces = scan_namespaces(root);
  facts.dax_mounts = scan_dax_mounts(root);
  facts.unreachable = unreachable_devices(facts.dax_devices);
  facts.is_root = geteuid() == 0;
  facts.available_bytes = available_memory_bytes();
  return facts;
}

std::vector<EnvLine> judge_env(const EnvFacts& facts) {
  std::vector<EnvLine> lines = {
      judge_cpus(facts),        judge_nodes(facts),      judge_balancing(facts), judge_clock(facts),
      judge_governor(facts),    judge_turbo(facts),      judge_smt(facts),       judge_aslr(facts),
      judge_mitigations(facts), judge_load(facts),       judge_emulation(facts), judge_debug(facts),
      judge_huge_pages(facts),  judge_memory(facts),     judge_io_uring(facts),  judge_userfaultfd(facts),
      judge_tracefs(facts),     judge_namespaces(facts), judge_devdax(facts),    judge_dax_mounts(facts)};
  std::ranges::move(judge_restrictions(facts.restrictions), std::back_inserter(lines));
  for (EnvLine& line : lines) line.effect = effect_of(line.topic);
  return lines;
}

Exit print_env(OutputFormat format) {
  const std::vector<EnvLine> lines = judge_env(gather_env());
  if (format == OutputFormat::json)
    print_json(lines);
  else
    print_text(lines);
  return Exit::ok;
}

}  // namespace daxrace
