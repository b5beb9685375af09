#include "harness/results/run_info.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "harness/base/error.hpp"
#include "harness/platform/clock.hpp"
#include "harness/results/recorded_run.hpp"
#include "harness/results/run_json.hpp"
#include "harness/results/run_record.hpp"

namespace daxrace {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// A machine made of files, and DAXRACE_EMULATED out of the way.
class Machine : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* told = std::getenv("DAXRACE_EMULATED")) told_ = told;
    unsetenv("DAXRACE_EMULATED");
    std::string name = testing::TempDir() + "daxrace_machine_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override {
    std::filesystem::remove_all(root_);
    told_.empty() ? unsetenv("DAXRACE_EMULATED") : setenv("DAXRACE_EMULATED", told_.c_str(), 1);
  }
  void put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  void put_compressed(const std::string& path, const std::string& text) const {
    put(path, "");
    const gzFile file = gzopen((root_ + "/" + path).c_str(), "wb");
    ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    gzclose(file);
  }
  RunInfo gathered() const { return gather_run_info(root_); }

  std::string root_;
  std::string told_;
};

constexpr const char* kHardwareCpu = "processor\t: 0\nmodel name\t: Xeon Gold\nflags\t\t: fpu tsc\n";
constexpr const char* kGuestCpu = "processor\t: 0\nmodel name\t: EPYC\nflags\t\t: fpu hypervisor tsc\n";

TEST_F(Machine, FactsComeFromProcAndSys) {
  put("proc/cpuinfo", kHardwareCpu);
  put("proc/cmdline", "root=UUID=1234 mitigations=off quiet isolcpus=2,3 -- secret=1\n");
  put("proc/loadavg", "0.10 0.20 0.30 1/2 3\n");
  put("proc/sys/kernel/numa_balancing", "1\n");
  put("proc/sys/kernel/io_uring_disabled", "2\n");
  put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  put("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  put("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
  put("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
  put("sys/devices/system/cpu/smt/control", "on\n");
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "intel_pstate\n");
  put("sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n");
  put("sys/kernel/mm/transparent_hugepage/defrag", "always defer [never]\n");
  put("proc/sys/kernel/randomize_va_space", "2\n");
  put("proc/sys/vm/unprivileged_userfaultfd", "0\n");
  put("proc/self/mountinfo", "30 25 0:12 / /sys/kernel/tracing rw - tracefs tracefs rw\n");
  put("sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n");
  const RunInfo info = gathered();
  EXPECT_EQ(info.cpu, "Xeon Gold");
  EXPECT_EQ(info.kernel_parameters, "mitigations=off isolcpus=2,3");
  EXPECT_EQ(info.loadavg, "0.10 0.20 0.30 1/2 3");
  EXPECT_EQ(info.numa_balancing, "1");
  EXPECT_EQ(info.io_uring_disabled, "2");
  EXPECT_EQ(info.thp, "madvise");
  EXPECT_EQ(info.clocksource, "hpet");
  EXPECT_EQ(info.governor, "performance");
  EXPECT_EQ(info.turbo, "off");
  EXPECT_EQ(info.smt, "on");
  EXPECT_EQ(info.scaling_driver, "intel_pstate");
  EXPECT_EQ(info.idle_driver, "intel_idle");
  EXPECT_EQ(info.thp_defrag, "never");
  EXPECT_EQ(info.aslr, "2");
  EXPECT_EQ(info.userfaultfd, "privileged");
  EXPECT_EQ(info.tracefs, "/sys/kernel/tracing");
  EXPECT_EQ(info.mitigations, (std::map<std::string, std::string>{{"meltdown", "Mitigation: PTI"}}));
  EXPECT_EQ(info.emulated, "");
}

TEST_F(Machine, WithoutAnyOfTheFilesFactsAreEmpty) {
  const RunInfo info = gathered();
  EXPECT_EQ(info.governor, "");
  EXPECT_EQ(info.turbo, "");
  EXPECT_EQ(info.io_uring_disabled, "");
  EXPECT_EQ(info.userfaultfd, "");
  EXPECT_EQ(info.tracefs, "");
  EXPECT_EQ(info.kernel_debug, "unknown");
  EXPECT_FALSE(info.cpu.empty());  // at least the architecture
}

TEST_F(Machine, GovernorsThatDifferAreAllNamed) {
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  put("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
  put("sys/devices/system/cpu/cpufreq/boost", "1\n");
  const RunInfo info = gathered();
  EXPECT_EQ(info.governor, "performance+powersave");
  EXPECT_EQ(info.turbo, "on");
}

TEST_F(Machine, KernelDebugIsReadFromACompressedOrAPlainConfig) {
  utsname name{};
  uname(&name);
  put(std::string("boot/config-") + name.release, "CONFIG_X86=y\nCONFIG_KASAN=y\n");
  EXPECT_EQ(gathered().kernel_debug, "KASAN");
  put_compressed("proc/config.gz", "CONFIG_X86=y\nCONFIG_PROVE_LOCKING=y\nCONFIG_LOCKDEP=y\n");
  EXPECT_EQ(gathered().kernel_debug, "LOCKDEP+PROVE_LOCKING");
  put_compressed("proc/config.gz", "CONFIG_X86=y\n");
  EXPECT_EQ(gathered().kernel_debug, "none");
}

TEST(KernelDebug, OnlyOptionsThatAreOnCount) {
  EXPECT_EQ(debug_options_of("# CONFIG_KASAN is not set\nCONFIG_HAVE_ARCH_KCSAN=y\nCONFIG_DEBUG_VM=y\n"),
            "DEBUG_VM");
  EXPECT_EQ(debug_options_of("CONFIG_LOCKDEP=y\n"), "LOCKDEP");
  EXPECT_EQ(debug_options_of("CONFIG_LOCKDEP=y"), "LOCKDEP");
  EXPECT_EQ(debug_options_of("# CONFIG_KASAN=y\n"), "");
  EXPECT_EQ(debug_options_of("CONFIG_LOCKDEP_SUPPORT=y\nCONFIG_KASAN=m\n"), "");
}

TEST(Hypervisor, IsToldFromFlagsAndSignature) {
  EXPECT_EQ(hypervisor_of(kHardwareCpu, "TCGTCGTCGTCG"), "");  // no flag: the leaf means nothing
  EXPECT_EQ(hypervisor_of(kGuestCpu, "TCGTCGTCGTCG"), "tcg");
  EXPECT_EQ(hypervisor_of(kGuestCpu, std::string("KVMKVMKVM\0\0\0", 12)), "kvm");
  EXPECT_EQ(hypervisor_of(kGuestCpu, "VMwareVMware"), "vm");
  EXPECT_EQ(hypervisor_of("model name\t: QEMU TCG CPU version 2.5+\nflags\t: fpu\n", ""), "tcg");
  EXPECT_EQ(hypervisor_of("", ""), "");
}

TEST_F(Machine, EmulatedPmemIsToldApartFromReservedMemory) {
  put("proc/cpuinfo", kHardwareCpu);
  put("proc/cmdline", "memmap=64K$0x18690000\n");
  EXPECT_EQ(gathered().emulated, "");
  put("proc/cmdline", "quiet memmap=64K$0x18690000 memmap=512M!2G\n");
  EXPECT_EQ(gathered().emulated, "memmap");
  put("proc/cpuinfo", kGuestCpu);
  EXPECT_EQ(gathered().emulated, "vm+memmap");
}

TEST_F(Machine, WhatTheGuestScriptSaysWins) {
  put("proc/cpuinfo", kGuestCpu);
  put("proc/cmdline", "memmap=512M!2G\n");
  setenv("DAXRACE_EMULATED", "tcg", 1);
  EXPECT_EQ(gathered().emulated, "tcg+memmap");
  setenv("DAXRACE_EMULATED", "tcg+memmap", 1);
  EXPECT_EQ(gathered().emulated, "tcg+memmap");
  setenv("DAXRACE_EMULATED", "", 1);
  EXPECT_EQ(gathered().emulated, "vm+memmap");
}

TEST(RunInfo, OfThisMachineIsWhatTheKernelSays) {
  utsname name{};
  uname(&name);
  const RunInfo info = gather_run_info();
  EXPECT_EQ(info.kernel, name.release);
  EXPECT_EQ(info.kernel_version, name.version);
  EXPECT_EQ(info.host, name.nodename);
  EXPECT_EQ(info.clock, Clock::source());
  EXPECT_GT(info.clock_read_cost_ns, 0);
  EXPECT_THAT(info.time_utc,
              ::testing::MatchesRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"))
      << info.time_utc;
  EXPECT_THAT(info.run_id, ::testing::MatchesRegex("20[0-9]{6}T[0-9]{6}Z-[0-9a-f]{8}")) << info.run_id;
  EXPECT_NE(info.run_id, gather_run_info().run_id);
}

TEST(RunInfo, FillsTheColumnsOfARow) {
  const RunInfo info = gather_run_info();
  Row row;
  set_run_columns(row, info);
  EXPECT_EQ(row.run_id, info.run_id);
  EXPECT_EQ(row.git_commit, info.git_commit);
  EXPECT_EQ(row.time_utc, info.time_utc);
  EXPECT_EQ(row.host, info.host);
  EXPECT_EQ(row.cpu, info.cpu);
  EXPECT_EQ(row.kernel, info.kernel);
  EXPECT_EQ(row.emulated, info.emulated);
}

TEST(BuildInfo, NamesACommitOrSaysUnknown) {
  const BuildInfo build = build_info();
  const std::string commit(build.git_commit);
  EXPECT_THAT(commit, ::testing::MatchesRegex("unknown|[0-9a-f]{12}(-dirty)?")) << commit;
  EXPECT_THAT(std::string(build.compiler), HasSubstr("."));
  EXPECT_FALSE(build.version.empty());
}

class Report : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "daxrace_report_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    info_.run_id = "first";
    info_.host = "pmem1";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string csv() const { return directory_ + "/x.csv"; }
  std::string csv_beside(const std::string& end) const { return directory_ + "/x.run.json." + end; }
  json read() const { return json::parse(std::ifstream(directory_ + "/x.run.json")); }
  void put(const std::string& text) const { std::ofstream(directory_ + "/x.run.json") << text; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }

  std::string directory_;
  RunInfo info_;
};

Violation stale_access() {
  return {.detector = Detector::stale_access,
          .hazard = Hazard::h3,
          .what = "aio read of page 3 finished in a freed frame",
          .timeline = {"aio: lookup page 3 -> frame 7", "punch: free frame 7"}};
}

TEST(RunJsonPath, StandsBesideTheCsv) {
  EXPECT_EQ(run_json_path("results/x.csv"), "results/x.run.json");
  EXPECT_EQ(run_json_path("x.csv.old"), "x.csv.old.run.json");
  EXPECT_EQ(run_json_path("dir/.csv"), "dir/.run.json");
}

TEST_F(Report, HoldsCommandOptionsEnvironmentAndViolations) {
  RunReport report(csv(), OpenMode::create_new, info_);
  report.set_command_line({"daxrace", "run", "--threads=2"});
  report.set_option("threads", "2");
  report.set_protocols({"none", "ext4"});
  report.set_topology("1 socket");
  report.set_environment("durability", "none");
  report.add_violations("realloc/none", 4, 99, {stale_access()});
  report.add_hang("mixed/iolock", 1, 7, {"worker 0: punch waits for IOLOCK"});
  report.set_outcome("broken");
  report.write();
  const json run = read()["runs"][0];
  EXPECT_EQ(read()["schema"], 1);
  EXPECT_EQ(run["run_id"], "first");
  EXPECT_EQ(run["outcome"], "broken");
  EXPECT_THAT(run["command_line"].get<std::vector<std::string>>(),
              ElementsAre("daxrace", "run", "--threads=2"));
  EXPECT_EQ(run["options"]["threads"], "2");
  EXPECT_EQ(run["protocols"].get<std::vector<std::string>>(), (std::vector<std::string>{"none", "ext4"}));
  EXPECT_EQ(run["environment"]["topology"], "1 socket");
  EXPECT_EQ(run["environment"]["durability"], "none");
  EXPECT_EQ(run["environment"]["host"], "pmem1");
  const json violation = run["violations"][0];
  EXPECT_EQ(violation["configuration"], "realloc/none");
  EXPECT_EQ(violation["repetition"], 4);
  EXPECT_EQ(violation["seed"], 99);
  EXPECT_EQ(violation["detector"], "stale_access");
  EXPECT_EQ(violation["hazard"], "H3");
  EXPECT_EQ(violation["timeline"][1], "punch: free frame 7");
  EXPECT_EQ(run["hangs"][0]["report"][0], "worker 0: punch waits for IOLOCK");
}

TEST_F(Report, IsReadAsItWasWritten) {
  EXPECT_FALSE(read_run_json(csv()));
  RunReport report(csv(), OpenMode::create_new, info_);
  report.set_command_line({"daxrace", "run", "--out=with space"});
  report.set_protocols({"kernel"});
  report.set_environment("durability", "none");
  for (std::uint64_t i = 1; i <= 5; ++i) report.add_violations("realloc/none", i, 99, {stale_access()});
  report.add_hang("mixed/iolock", 1, 7, {"worker 0: punch waits for IOLOCK"});
  report.set_outcome("broken");
  report.write();
  const auto runs = read_run_json(csv());
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1U);
  const RunRecord& run = runs->front();
  EXPECT_EQ(run.run_id, "first");
  EXPECT_EQ(run.outcome, "broken");
  EXPECT_THAT(run.command_line, ElementsAre("daxrace", "run", "--out=with space"));
  EXPECT_THAT(run.protocols, ElementsAre("kernel"));
  EXPECT_THAT(run.environment, Contains(std::pair<std::string, std::string>("durability", "none")));
  EXPECT_THAT(run.environment, Contains(std::pair<std::string, std::string>("host", "pmem1")));
  ASSERT_EQ(run.violations.size(), 3U);
  EXPECT_EQ(run.violations_not_shown, 2U);
  EXPECT_EQ(run.violations[0].timeline[1], "punch: free frame 7");
  ASSERT_EQ(run.hangs.size(), 1U);
  EXPECT_THAT(run.hangs[0].timeline, ElementsAre("worker 0: punch waits for IOLOCK"));
}

TEST_F(Report, WrittenInMidRunHoldsWhatIsKnownSoFar) {
  RunReport report(csv(), OpenMode::create_new, info_);
  report.add_violations("realloc/none", 1, 1, {stale_access()});
  report.write();
  EXPECT_EQ(read()["runs"][0]["outcome"], "running");
  EXPECT_EQ(read()["runs"][0]["violations"].size(), 1U);
  report.add_violations("realloc/none", 2, 2, {stale_access()});
  report.write();
  EXPECT_EQ(read()["runs"].size(), 1U);
  EXPECT_EQ(read()["runs"][0]["violations"].size(), 2U);
  EXPECT_EQ(files(), 1U) << "a temporary file was left";
}

TEST_F(Report, AppendKeepsTheEarlierRunsAndForceDropsThem) {
  RunReport(csv(), OpenMode::create_new, info_).write();
  info_.run_id = "second";
  RunReport(csv(), OpenMode::append, info_).write();
  ASSERT_EQ(read()["runs"].size(), 2U);
  EXPECT_EQ(read()["runs"][0]["run_id"], "first");
  EXPECT_EQ(read()["runs"][1]["run_id"], "second");
  info_.run_id = "third";
  RunReport(csv(), OpenMode::replace, info_).write();
  ASSERT_EQ(read()["runs"].size(), 1U);
  EXPECT_EQ(read()["runs"][0]["run_id"], "third");
}

TEST_F(Report, OfAKilledRunSaysSoOnceAnotherWrites) {
  RunReport(csv(), OpenMode::create_new, info_).write();
  std::ofstream(csv_beside("4711.tmp")) << "{";
  std::ofstream(csv_beside("mine.tmp")) << "{";
  info_.run_id = "second";
  RunReport(csv(), OpenMode::append, info_).write();
  EXPECT_EQ(read()["runs"][0]["outcome"], "killed");
  EXPECT_EQ(read()["runs"][1]["outcome"], "running");
  EXPECT_EQ(files(), 2U) << "what the killed run had half written stays, or somebody's file went";
}

TEST_F(Report, OfAResumedRunIsOneEntryThatGoesOn) {
  {
    RunReport report(csv(), OpenMode::create_new, info_);
    report.set_command_line({"daxrace", "run", "--seed=7"});
    report.set_option("seed", "7");
    report.set_protocols({"none", "ext4"});
    report.add_violations("realloc/none", 1, 1, {stale_access(), stale_access(), stale_access()});
    report.write();
  }
  info_.resumed_utc = "2026-11-29T00:00:00Z";
  RunReport report(csv(), OpenMode::append, info_);
  report.set_command_line({"daxrace", "run", "--resume=x.csv"});
  report.set_option("resume", "x.csv");
  report.set_protocols({"ext4"});
  report.add_violations("realloc/none", 2, 2, {stale_access()});
  report.set_outcome("ok");
  report.write();
  ASSERT_EQ(read()["runs"].size(), 1U);
  const json run = read()["runs"][0];
  EXPECT_EQ(run["outcome"], "ok");
  EXPECT_EQ(run["command_line"][2], "--seed=7");
  EXPECT_FALSE(run["options"].contains("resume"));
  EXPECT_EQ(run["protocols"].size(), 2U) << "what is left to do may be a part";
  EXPECT_EQ(run["resumed"][0]["time_utc"], "2026-11-29T00:00:00Z");
  EXPECT_EQ(run["resumed"][0]["command_line"][2], "--resume=x.csv");
  EXPECT_EQ(run["violations"].size(), 3U) << "the limit on timelines holds for all pieces together";
  const auto recorded = last_recorded_run(csv());
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->run_id, "first");
  EXPECT_EQ(recorded->options, (std::vector<std::pair<std::string, std::string>>{{"seed", "7"}}));
}

TEST_F(Report, PiecesOfOldAreOneRecordedRun) {
  for (const std::string id : {"another", "begun", "piece"}) {
    info_.run_id = id;
    RunReport report(csv(), OpenMode::append, info_);
    if (id == "piece") report.set_option("resume", "x.csv");
    report.write();
  }
  const auto recorded = last_recorded_run(csv());
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->run_id, "begun");
  EXPECT_FALSE(recorded->owns("another"));
  EXPECT_TRUE(recorded->owns("piece"));
  EXPECT_TRUE(recorded->owns("killed before it was recorded"));
}

TEST_F(Report, TakenBackLeavesWhatWasThere) {
  {
    RunReport report(csv(), OpenMode::create_new, info_);
    report.write();
    report.withdraw();
  }
  EXPECT_EQ(files(), 0U);
  RunReport(csv(), OpenMode::create_new, info_).write();
  info_.run_id = "second";
  RunReport report(csv(), OpenMode::append, info_);
  report.write();
  report.withdraw();
  ASSERT_EQ(read()["runs"].size(), 1U);
  EXPECT_EQ(read()["runs"][0]["run_id"], "first");
}

TEST_F(Report, NothingIsTouchedBeforeTheFirstWrite) {
  RunReport(csv(), OpenMode::create_new, info_).write();
  const json before = read();
  { const RunReport report(csv(), OpenMode::replace, info_); }
  EXPECT_EQ(read(), before);
}

TEST_F(Report, AFileThatIsNotAReportIsRefusedAndKept) {
  for (const std::string text :
       {"my notes", "[1]", "{\"schema\": 2, \"runs\": []}", "{\"schema\": \"1\"}", "{\"schema\": 1}"}) {
    put(text);
    for (const OpenMode mode : {OpenMode::create_new, OpenMode::append, OpenMode::replace}) {
      EXPECT_THROW(RunReport(csv(), mode, info_), Error) << text;
    }
    std::ostringstream kept;
    kept << std::ifstream(directory_ + "/x.run.json").rdbuf();
    EXPECT_EQ(kept.str(), text);
  }
}

TEST_F(Report, TimelinesPerConfigurationAndDetectorAreLimitedAndTheRestCounted) {
  RunReport report(csv(), OpenMode::create_new, info_);
  for (unsigned i = 0; i < 10; ++i) report.add_violations("realloc/none", i, i, {stale_access()});
  report.add_violations("realloc/iolock", 0, 0, {stale_access()});
  report.write();
  const json run = read()["runs"][0];
  EXPECT_EQ(run["violations"].size(), 4U);
  EXPECT_EQ(run["violations_not_shown"]["realloc/none"]["stale_access"], 7);
}

TEST_F(Report, BytesThatAreNotTextDoNotStopIt) {
  RunReport report(csv(), OpenMode::create_new, info_);
  report.set_command_line({"daxrace", "--out=\xff\xfe.csv"});
  EXPECT_NO_THROW(report.write());
  EXPECT_EQ(read()["runs"][0]["command_line"].size(), 2U);
}

TEST_F(Report, DirectoryThatIsNotThereIsOneClearLine) {
  RunReport report(directory_ + "/none/x.csv", OpenMode::create_new, info_);
  EXPECT_THAT([&] { report.write(); }, testing::ThrowsMessage<Error>(HasSubstr("No such file or directory")));
}

}  // namespace
}  // namespace daxrace
