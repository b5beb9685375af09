#include "bench/env.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace daxrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

EnvFacts fit_machine() {
  EnvFacts facts;
  facts.info.clock = "tsc";
  facts.info.clock_read_cost_ns = 10;
  facts.info.governor = "performance";
  facts.info.kernel_debug = "none";
  facts.info.loadavg = "0.10 0.1 0.1 1/100 1";
  facts.info.turbo = "off";
  facts.info.smt = "off";
  facts.info.aslr = "0";
  facts.info.mitigations = {{"mds", "Not affected"}, {"l1tf", "Vulnerable"}};
  facts.info.userfaultfd = "anybody";
  facts.info.tracefs = "/sys/kernel/tracing";
  facts.is_root = true;
  facts.cpus = 8;
  facts.nodes = 2;
  facts.peer_async = 1;
  facts.dax_devices = {{.name = "dax0.0", .driver = "device_dax", .bytes = 1, .align = 4096, .node = 0}};
  Mount mount;
  mount.point = "/mnt/pmem";
  facts.dax_mounts = {mount};
  facts.available_bytes = std::uint64_t{4} << 30;
  return facts;
}

std::vector<std::string> complaints(const EnvFacts& facts) {
  std::vector<std::string> topics;
  for (const EnvLine& line : judge_env(facts)) {
    if (line.fitness == Fitness::ok) continue;
    topics.push_back(line.topic);
  }
  return topics;
}

TEST(Env, HasNothingToSayAgainstAFitMachine) { EXPECT_THAT(complaints(fit_machine()), IsEmpty()); }

TEST(Env, NamesWhatIsWrongAndHowToMendIt) {
  const auto topic_of = [](auto spoil) {
    EnvFacts facts = fit_machine();
    spoil(facts);
    return complaints(facts);
  };
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.turbo = "on"; }), ElementsAre("turbo"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.smt = "on"; }), ElementsAre("SMT"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.aslr = "2"; }), ElementsAre("ASLR"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.mitigations["mds"] = "Mitigation: Clear CPU buffers"; }),
              ElementsAre("mitigations"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.userfaultfd = ""; }), ElementsAre("userfaultfd"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.tracefs = ""; }), ElementsAre("tracefs"));
  EXPECT_THAT(topic_of([](EnvFacts& f) {
                f.is_root = false;
                f.info.userfaultfd = "privileged";
              }),
              ElementsAre("userfaultfd", "tracefs"));
  EXPECT_THAT(topic_of([](EnvFacts& f) {
                f.namespaces = {{.name = "namespace0.0", .mode = "raw", .block_device = ""}};
              }),
              ElementsAre("pmem"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.cpus = 1; }), ElementsAre("CPUs"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.restrictions.binding_error = "no"; }),
              ElementsAre("memory binding"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.restrictions.affinity_refusal = "no"; }),
              ElementsAre("CPU affinity"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.restrictions.groups.cpus = 1.5; }), ElementsAre("CPU quota"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.restrictions.isolated_cpus = "2-3"; }),
              ElementsAre("isolated CPUs"));
  EXPECT_THAT(topic_of([](EnvFacts& f) {
                f.restrictions.cpu_kinds = {"4-5", "0-3"};
              }),
              ElementsAre("CPU kinds"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.nodes = 1; }), ElementsAre("NUMA"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.clock_read_cost_ns = 1000; }), ElementsAre("clock"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.governor = "powersave"; }), ElementsAre("governor"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.loadavg = "7.5"; }), ElementsAre("load"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.kernel_debug = "KASAN"; }), ElementsAre("kernel"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.emulated = "tcg"; }), ElementsAre("hardware"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.info.numa_balancing = "1"; }), ElementsAre("NUMA balancing"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.peer_async = 0.1; }), ElementsAre("direct I/O"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.peer_problem = "no"; }), ElementsAre("direct I/O"));
  EXPECT_THAT(topic_of([](EnvFacts& f) {
                f.peer_problem = "no";
                f.info.io_uring_disabled = "2";
              }),
              ElementsAre("io_uring"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.dax_devices.clear(); }), ElementsAre("pmem", "devdax"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.dax_mounts.clear(); }), ElementsAre("fsdax"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.unreachable = {"/dev/dax0.0"}; }), ElementsAre("devdax"));
  EXPECT_THAT(topic_of([](EnvFacts& f) { f.available_bytes = 1; }), ElementsAre("memory"));
  EnvFacts facts;
  for (const EnvLine& line : judge_env(facts)) EXPECT_NE(line.effect, "") << line.topic;
  for (const EnvLine& line : judge_env(facts))
    if (line.fitness == Fitness::missing) {
      EXPECT_FALSE(line.mend.empty()) << line.topic;
    }
}

/// A machine made of files.
class EnvTree : public testing::Test {
 protected:
  EnvTree() : root_(testing::TempDir() + "daxrace-env-" + std::to_string(getpid())) {}
  ~EnvTree() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }
  EnvLine line_of(const std::string& topic) const {
    for (const EnvLine& line : judge_env(gather_env(root_)))
      if (line.topic == topic) return line;
    ADD_FAILURE() << topic;
    return {};
  }
  std::string root_;
};

TEST_F(EnvTree, FindsWhatProcAndSysSay) {
  const std::string cpu = "sys/devices/system/cpu/";
  put(cpu + "cpu0/cpufreq/scaling_governor", "powersave");
  put(cpu + "cpu0/cpufreq/scaling_driver", "intel_pstate");
  put(cpu + "intel_pstate/no_turbo", "0");
  put(cpu + "smt/control", "on");
  put(cpu + "vulnerabilities/mds", "Mitigation: Clear CPU buffers; SMT vulnerable");
  put(cpu + "vulnerabilities/l1tf", "Not affected");
  put("proc/sys/kernel/randomize_va_space", "2");
  put("proc/sys/vm/unprivileged_userfaultfd", "1");
  put("proc/self/mountinfo",
      "30 25 0:12 / /sys/kernel/tracing rw,relatime - tracefs tracefs rw\n"
      "31 25 259:0 / /mnt/pmem rw,relatime - xfs /dev/pmem0 rw,dax=always");
  put("sys/bus/nd/devices/namespace0.0/size", "536870912");
  put("sys/bus/nd/devices/namespace0.0/mode", "raw");
  put("sys/bus/nd/devices/namespace0.0/numa_node", "1");
  EXPECT_EQ(line_of("governor").mend, "cpupower frequency-set -g performance");
  EXPECT_THAT(line_of("turbo").mend, HasSubstr("intel_pstate/no_turbo"));
  EXPECT_EQ(line_of("SMT").fitness, Fitness::note);
  EXPECT_EQ(line_of("ASLR").finding, "on (kernel.randomize_va_space=2)");
  EXPECT_EQ(line_of("mitigations").finding, "active: mds");
  EXPECT_EQ(line_of("userfaultfd").fitness, Fitness::ok);
  EXPECT_THAT(line_of("tracefs").finding, HasSubstr("/sys/kernel/tracing"));
  EXPECT_EQ(line_of("pmem").finding, "namespace0.0 raw 512 MiB node 1");
  EXPECT_THAT(line_of("pmem").mend, HasSubstr("ndctl create-namespace -f -e namespace0.0 -m fsdax"));
  EXPECT_EQ(line_of("fsdax").finding, "/mnt/pmem (xfs on /dev/pmem0)");
}

TEST_F(EnvTree, AnAmdMachineTurnsBoostOffElsewhere) {
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "acpi-cpufreq");
  put("sys/devices/system/cpu/cpufreq/boost", "1");
  EXPECT_THAT(line_of("turbo").mend, HasSubstr("cpufreq/boost"));
  EXPECT_EQ(line_of("userfaultfd").fitness, Fitness::missing);
  EXPECT_EQ(line_of("tracefs").fitness, Fitness::missing);
}

}  // namespace
}  // namespace daxrace
