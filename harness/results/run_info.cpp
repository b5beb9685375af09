#include "harness/results/run_info.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "harness/platform/clock.hpp"
#include "harness/platform/mount_info.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

/// A whole file, or nothing if it is not there: /proc and /sys differ between kernels.
std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string one_line(const fs::path& path) { return trimmed(file_text(path)); }

/// zlib reads a file that is not compressed as it is.
std::string maybe_compressed_text(const fs::path& path) {
  gzFile file = gzopen(path.c_str(), "rbe");
  if (file == nullptr) return {};
  std::string text;
  std::array<char, 1 << 14> block;
  for (int got = 0; (got = gzread(file, block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  gzclose(file);
  return text;
}

/// `key : value` as /proc/cpuinfo has it; the first occurrence.
std::string value_after(std::string_view text, std::string_view key) {
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !trimmed(line.substr(key.size(), colon - key.size())).empty())
      continue;
    return trimmed(line.substr(colon + 1));
  }
  return {};
}

std::string cpu_model(std::string_view cpuinfo, const std::string& machine) {
  for (const std::string_view key : {"model name", "Processor", "cpu"}) {
    if (std::string model = value_after(cpuinfo, key); !model.empty()) return model;
  }
  return machine;
}

std::string cpuid_signature() {
#if defined(__x86_64__)
  unsigned eax = 0;
  std::array<unsigned, 3> text{};
  __cpuid(0x40000000, eax, text[0], text[1], text[2]);
  std::string signature(sizeof text, '\0');
  std::memcpy(signature.data(), text.data(), sizeof text);
  return signature;
#else
  return {};
#endif
}

/// The choice in brackets of a list such as `always [madvise] never`.
std::string chosen(const std::string& line) {
  const std::size_t begin = line.find('[');
  const std::size_t end = line.find(']', begin + 1);
  return begin == std::string::npos || end == std::string::npos ? line
                                                                : line.substr(begin + 1, end - begin - 1);
}

std::string governor(const fs::path& root) {
  std::set<std::string> governors;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "sys/devices/system/cpu", ignored)) {
    const std::string text = one_line(entry.path() / "cpufreq/scaling_governor");
    if (!text.empty()) governors.insert(text);
  }
  return fmt::format("{}", fmt::join(governors, "+"));
}

/// vm.unprivileged_userfaultfd says who may catch faults of the kernel, too; /dev/userfaultfd gives it by
/// permission.
std::string userfaultfd(const fs::path& root) {
  const std::string anybody = one_line(root / "proc/sys/vm/unprivileged_userfaultfd");
  if (anybody == "1") return "anybody";
  std::error_code ignored;
  if (fs::exists(root / "dev/userfaultfd", ignored)) return "device";
  return anybody.empty() ? "" : "privileged";
}

std::string tracefs(const fs::path& root) {
  std::istringstream mounts(file_text(root / "proc/self/mountinfo"));
  for (std::string line; std::getline(mounts, line);)
    if (const auto mount = parse_mount(line); mount && mount->fs == "tracefs") return mount->point;
  return {};
}

std::string turbo(const fs::path& root) {
  const fs::path cpu = root / "sys/devices/system/cpu";
  if (const std::string off = one_line(cpu / "intel_pstate/no_turbo"); !off.empty())
    return off == "1" ? "off" : "on";
  if (const std::string on = one_line(cpu / "cpufreq/boost"); !on.empty()) return on == "1" ? "on" : "off";
  return {};
}

std::map<std::string, std::string> mitigations(const fs::path& root) {
  std::map<std::string, std::string> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "sys/devices/system/cpu/vulnerabilities", ignored)) {
    out[entry.path().filename()] = one_line(entry.path());
  }
  return out;
}

std::string kernel_debug(const fs::path& root, const std::string& release) {
  for (const std::string& name :
       {std::string("proc/config.gz"), "boot/config-" + release, "lib/modules/" + release + "/config",
        "lib/modules/" + release + "/build/.config"}) {
    const std::string config = maybe_compressed_text(root / name);
    if (config.find("CONFIG_") == std::string::npos) continue;
    const std::string options = debug_options_of(config);
    return options.empty() ? "none" : options;
  }
  return "unknown";
}

/// Those boot parameters that change figures. Not the whole line: it may name disks and hosts, and reports
/// are published.
std::string parameters_of(const std::string& cmdline) {
  constexpr std::array<std::string_view, 25> kTelling = {"mitigations",
                                                         "memmap",
                                                         "mem",
                                                         "tsc",
                                                         "clocksource",
                                                         "idle",
                                                         "isolcpus",
                                                         "nohz",
                                                         "nohz_full",
                                                         "rcu_nocbs",
                                                         "maxcpus",
                                                         "nr_cpus",
                                                         "nosmt",
                                                         "numa",
                                                         "numa_balancing",
                                                         "transparent_hugepage",
                                                         "hugepages",
                                                         "preempt",
                                                         "intel_pstate",
                                                         "amd_pstate",
                                                         "intel_idle.max_cstate",
                                                         "processor.max_cstate",
                                                         "nopti",
                                                         "pti",
                                                         "efi"};
  std::istringstream words(cmdline.substr(0, cmdline.find(" -- ")));
  std::vector<std::string> out;
  for (std::string word; words >> word;) {
    if (std::find(kTelling.begin(), kTelling.end(), word.substr(0, word.find('='))) != kTelling.end())
      out.push_back(word);
  }
  return fmt::format("{}", fmt::join(out, " "));
}

/// memmap=SIZE!START makes pmem out of DRAM; its other forms do not.
bool has_memmap_pmem(std::string_view cmdline) {
  for (std::size_t at = cmdline.find("memmap="); at != std::string_view::npos;
       at = cmdline.find("memmap=", at + 1)) {
    if (cmdline.substr(at, cmdline.find(' ', at) - at).find('!') != std::string_view::npos) return true;
  }
  return false;
}

std::string emulation(const fs::path& root, std::string_view cpuinfo, std::string_view cmdline) {
  const char* const told = std::getenv("DAXRACE_EMULATED");  // by scripts/guest.sh, which knows
  const bool is_told = told != nullptr && *told != '\0';
  // The CPUID of this machine says nothing about a tree of files made by a test.
  std::string out = is_told ? told : hypervisor_of(cpuinfo, root == "/" ? cpuid_signature() : "");
  if (has_memmap_pmem(cmdline) && out.find("memmap") == std::string::npos)
    out += out.empty() ? "memmap" : "+memmap";
  return out;
}

std::string new_run_id(std::time_t now) {
  std::random_device random;
  return fmt::format("{:%Y%m%dT%H%M%SZ}-{:08x}", fmt::gmtime(now), random());
}

void add_processor_facts(RunInfo& info, const fs::path& root, const std::string& machine) {
  const std::string cpuinfo = file_text(root / "proc/cpuinfo");
  info.cpu = cpu_model(cpuinfo, machine);
  info.governor = governor(root);
  info.turbo = turbo(root);
  info.scaling_driver = one_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver");
  info.idle_driver = one_line(root / "sys/devices/system/cpu/cpuidle/current_driver");
  info.smt = one_line(root / "sys/devices/system/cpu/smt/control");
  info.mitigations = mitigations(root);
  info.emulated = emulation(root, cpuinfo, info.kernel_parameters);
}

void add_kernel_settings(RunInfo& info, const fs::path& root) {
  info.kernel_parameters = parameters_of(one_line(root / "proc/cmdline"));
  info.kernel_debug = kernel_debug(root, info.kernel);
  info.thp = chosen(one_line(root / "sys/kernel/mm/transparent_hugepage/enabled"));
  info.thp_defrag = chosen(one_line(root / "sys/kernel/mm/transparent_hugepage/defrag"));
  info.aslr = one_line(root / "proc/sys/kernel/randomize_va_space");
  info.userfaultfd = userfaultfd(root);
  info.tracefs = tracefs(root);
  info.numa_balancing = one_line(root / "proc/sys/kernel/numa_balancing");
  info.clocksource = one_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  info.loadavg = one_line(root / "proc/loadavg");
  info.io_uring_disabled = one_line(root / "proc/sys/kernel/io_uring_disabled");
}

}  // namespace

std::string hypervisor_of(std::string_view cpuinfo, std::string_view cpuid_signature) {
  const std::string flags = " " + value_after(cpuinfo, "flags") + " ";
  if (value_after(cpuinfo, "model name").find("QEMU TCG") != std::string::npos) return "tcg";
  if (flags.find(" hypervisor ") == std::string::npos) return {};
  if (cpuid_signature.starts_with("TCGTCGTCGTCG")) return "tcg";
  return cpuid_signature.starts_with("KVMKVMKVM") ? "kvm" : "vm";
}

std::string debug_options_of(std::string_view kernel_config) {
  constexpr std::array<std::string_view, 21> kCostly = {"LOCKDEP",
                                                        "PROVE_LOCKING",
                                                        "LOCK_STAT",
                                                        "DEBUG_LOCK_ALLOC",
                                                        "DEBUG_RWSEMS",
                                                        "DEBUG_MUTEXES",
                                                        "DEBUG_SPINLOCK",
                                                        "DEBUG_ATOMIC_SLEEP",
                                                        "DEBUG_VM",
                                                        "DEBUG_VM_PGTABLE",
                                                        "PAGE_TABLE_CHECK",
                                                        "DEBUG_PAGEALLOC",
                                                        "SLUB_DEBUG_ON",
                                                        "DEBUG_KMEMLEAK",
                                                        "DEBUG_OBJECTS",
                                                        "KASAN",
                                                        "KCSAN",
                                                        "KMSAN",
                                                        "UBSAN",
                                                        "KCOV",
                                                        "XFS_DEBUG"};
  const std::string lines = fmt::format("\n{}\n", kernel_config);
  std::vector<std::string_view> on;
  for (const std::string_view option : kCostly) {
    if (lines.find(fmt::format("\nCONFIG_{}=y\n", option)) != std::string::npos) on.push_back(option);
  }
  return fmt::format("{}", fmt::join(on, "+"));
}

RunInfo gather_run_info(const std::string& root) {
  const fs::path base = root.empty() ? "/" : root;
  Clock::calibrate();
  utsname name{};
  uname(&name);
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  RunInfo info;
  info.run_id = new_run_id(now);
  info.git_commit = build_info().git_commit;
  info.time_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
  info.host = name.nodename;
  info.kernel = name.release;
  info.kernel_version = name.version;
  add_kernel_settings(info, base);
  add_processor_facts(info, base, name.machine);
  info.clock = Clock::source();
  info.clock_read_cost_ns = Clock::read_cost_ns();
  return info;
}

void set_run_columns(Row& row, const RunInfo& info) {
  row.run_id = info.run_id;
  row.git_commit = info.git_commit;
  row.time_utc = info.time_utc;
  row.host = info.host;
  row.cpu = info.cpu;
  row.kernel = info.kernel;
  row.emulated = info.emulated;
}

}  // namespace daxrace
