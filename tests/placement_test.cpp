#include "harness/platform/placement.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/cpu_kinds.hpp"

namespace daxrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A machine that hwloc makes up, for as long as this lives.
class MadeUpMachine {
 public:
  explicit MadeUpMachine(const char* description) { setenv("HWLOC_SYNTHETIC", description, 1); }
  ~MadeUpMachine() { unsetenv("HWLOC_SYNTHETIC"); }
};

/// Two sockets with a node each; four cores of two threads on each: CPUs 0 to 7 and 8 to 15.
constexpr const char* kTwoNodes = "pack:2 [numa(memory=1GB)] core:4 pu:2";
/// The same with one more node, without CPUs of its own, beside the whole machine.
constexpr const char* kWithMemoryOnlyNode = "[numa(memory=4GB)] pack:2 [numa(memory=1GB)] core:2 pu:2";

std::vector<int> nodes_of(const Topology& topology, const std::vector<int>& cpus) {
  std::vector<int> out;
  for (const int cpu : cpus) out.push_back(topology.node_of_cpu(cpu));
  return out;
}

TEST(Topology, SmtSiblingsComeLast) {
  const MadeUpMachine machine(kTwoNodes);
  EXPECT_THAT(Topology().cpus(), ElementsAre(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
}

TEST(Topology, LocalWorkersRunBesideThePmemOnDifferentCoresFirst) {
  const MadeUpMachine machine(kTwoNodes);
  const Topology topology;
  const PlacementPlan plan = topology.plan(Placement::local, 5, 1);
  EXPECT_THAT(plan.worker_cpus, ElementsAre(8, 10, 12, 14, 9));
  EXPECT_THAT(plan.worker_nodes, ElementsAre(1, 1, 1, 1, 1));
  EXPECT_FALSE(plan.overcommitted);
}

TEST(Topology, RemoteWorkersRunOnTheOtherNodeWithTheirBuffers) {
  const MadeUpMachine machine(kTwoNodes);
  const PlacementPlan plan = Topology().plan(Placement::remote, 3, 1);
  EXPECT_THAT(plan.worker_cpus, ElementsAre(0, 2, 4));
  EXPECT_THAT(plan.worker_nodes, ElementsAre(0, 0, 0));
}

TEST(Topology, RemoteIsTheNearestOtherNode) {
  const MadeUpMachine machine("pack:4 [numa(memory=1GB)] core:2 pu:1");
  const Topology topology;
  // A made-up machine has no distances: numbers near each other are near.
  EXPECT_THAT(nodes_of(topology, topology.plan(Placement::remote, 1, 3).worker_cpus), ElementsAre(2));
  EXPECT_THAT(nodes_of(topology, topology.plan(Placement::remote, 1, 0).worker_cpus), ElementsAre(1));
}

TEST(Topology, InterleavedWorkersAlternateBeginningBesideThePmem) {
  const MadeUpMachine machine(kTwoNodes);
  const Topology topology;
  const PlacementPlan plan = topology.plan(Placement::interleave, 6, 1);
  EXPECT_THAT(nodes_of(topology, plan.worker_cpus), ElementsAre(1, 0, 1, 0, 1, 0));
  EXPECT_THAT(plan.worker_nodes, ElementsAre(1, 0, 1, 0, 1, 0));
  EXPECT_EQ(std::set<int>(plan.worker_cpus.begin(), plan.worker_cpus.end()).size(), 6U);
}

TEST(Topology, InterleavingAlternatesEvenBetweenNodesOfUnequalSize) {
  const MadeUpMachine machine(kTwoNodes);
  const Topology topology;
  const PlacementPlan plan = topology.plan(Placement::interleave, 4, 0, {0, 2, 4, 8});
  EXPECT_THAT(nodes_of(topology, plan.worker_cpus), ElementsAre(0, 1, 0, 1));
  EXPECT_TRUE(plan.overcommitted);
}

TEST(Topology, UnboundWorkersHaveNoCpus) {
  const MadeUpMachine machine(kTwoNodes);
  const PlacementPlan plan = Topology().plan(Placement::none, 16, 0);
  EXPECT_TRUE(plan.worker_cpus.empty());
  EXPECT_TRUE(plan.worker_nodes.empty());
  EXPECT_FALSE(plan.overcommitted);
  EXPECT_TRUE(Topology().plan(Placement::none, 17, 0).overcommitted);
}

TEST(Topology, MoreWorkersThanCpusOfTheNodeAreOvercommitted) {
  const MadeUpMachine machine(kTwoNodes);
  EXPECT_FALSE(Topology().plan(Placement::local, 8, 0).overcommitted);
  const PlacementPlan plan = Topology().plan(Placement::local, 9, 0);
  EXPECT_TRUE(plan.overcommitted);
  EXPECT_EQ(plan.worker_cpus.size(), 9U);
  EXPECT_EQ(plan.worker_cpus[8], plan.worker_cpus[0]);
}

TEST(Topology, ListOfCpusLimitsTheChoice) {
  const MadeUpMachine machine(kTwoNodes);
  EXPECT_THAT(Topology().plan(Placement::local, 2, 0, {1, 4, 9}).worker_cpus, ElementsAre(4, 1));
  EXPECT_THAT(
      [] {
        (void)Topology().plan(Placement::local, 2, 1, {0, 1});
      },
      ThrowsMessage<Skipped>(HasSubstr("NUMA node 1")));
  EXPECT_THAT(
      [] {
        (void)Topology().plan(Placement::interleave, 2, 0, {0, 1});
      },
      ThrowsMessage<Skipped>(HasSubstr("one NUMA node")));
  EXPECT_THAT([] { (void)Topology().plan(Placement::local, 2, 0, {99}); },
              ThrowsMessage<Error>(HasSubstr("CPU 99")));
  EXPECT_THAT([] { (void)Topology().plan(Placement::none, 2, 0, {1}); },
              ThrowsMessage<Skipped>(HasSubstr("--cpus")));
}

TEST(Topology, OneNodeHasNoRemoteAndNothingToInterleave) {
  const MadeUpMachine machine("numa:1 core:2 pu:1");
  const Topology topology;
  EXPECT_THAT([&] { (void)topology.plan(Placement::remote, 1, 0); },
              ThrowsMessage<Skipped>(HasSubstr("one NUMA node")));
  EXPECT_THAT([&] { (void)topology.plan(Placement::interleave, 2, 0); },
              ThrowsMessage<Skipped>(HasSubstr("one NUMA node")));
  EXPECT_THAT(topology.plan(Placement::local, 2, 0).worker_cpus, ElementsAre(0, 1));
  // Where else could it be?
  EXPECT_THAT(topology.plan(Placement::local, 2, -1).worker_cpus, ElementsAre(0, 1));
}

TEST(Topology, UnknownPmemNodeIsSkippedWhereItMatters) {
  const MadeUpMachine machine(kTwoNodes);
  const Topology topology;
  EXPECT_THAT([&] { (void)topology.plan(Placement::local, 1, -1); },
              ThrowsMessage<Skipped>(HasSubstr("not known")));
  EXPECT_THAT([&] { (void)topology.plan(Placement::remote, 1, -1); },
              ThrowsMessage<Skipped>(HasSubstr("not known")));
  EXPECT_EQ(topology.plan(Placement::interleave, 2, -1).worker_cpus.size(), 2U);
}

TEST(Topology, NodeWithoutCpusHasTheNearestCpusAsItsLocalOnes) {
  const MadeUpMachine machine(kWithMemoryOnlyNode);
  const Topology topology;
  int memory_only = -1;
  std::set<int> with_cpus;
  for (const int cpu : topology.cpus()) with_cpus.insert(topology.node_of_cpu(cpu));
  EXPECT_EQ(with_cpus.size(), 2U);
  for (const int node : topology.nodes()) {
    if (!with_cpus.contains(node)) memory_only = node;
  }
  ASSERT_GE(memory_only, 0);
  const PlacementPlan local = topology.plan(Placement::local, 2, memory_only);
  const PlacementPlan remote = topology.plan(Placement::remote, 2, memory_only);
  EXPECT_NE(topology.node_of_cpu(local.worker_cpus[0]), topology.node_of_cpu(remote.worker_cpus[0]));
  for (const int node : local.worker_nodes) EXPECT_TRUE(with_cpus.contains(node));
}

TEST(Topology, SummaryCountsWhatThereIs) {
  const MadeUpMachine machine(kTwoNodes);
  EXPECT_EQ(Topology().summary(), "2 sockets, 2 NUMA nodes, 8 cores, 16 hardware threads (16 allowed)");
}

TEST(Topology, OnlyCpusThatThisProcessMayUseAreOffered) {
  const int last = Topology().cpus().back();
  std::vector<int> seen;
  std::thread([&] {
    bind_thread_to_cpu(last);
    seen = Topology().cpus();
  }).join();
  EXPECT_THAT(seen, ElementsAre(last));
}

TEST(Placement, BoundThreadRunsWhereTheKernelSaysItMay) {
  for (const int cpu : Topology().cpus()) {
    std::thread([&] {
      bind_thread_to_cpu(cpu);
      EXPECT_EQ(thread_affinity(), std::to_string(cpu));
      cpu_set_t set;
      CPU_ZERO(&set);
      ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
      EXPECT_EQ(CPU_COUNT(&set), 1);
      EXPECT_TRUE(CPU_ISSET(static_cast<unsigned>(cpu), &set));
      EXPECT_EQ(sched_getcpu(), cpu);
    }).join();
  }
}

TEST(Placement, AbsentCpuIsRefused) {
  EXPECT_THAT([] { bind_thread_to_cpu(100000); }, ThrowsMessage<Error>(HasSubstr("CPU 100000")));
  EXPECT_THAT([] { bind_thread_to_cpu(-1); }, ThrowsMessage<Error>(HasSubstr("CPU -1")));
}

TEST(NodeBuffer, IsZeroedAlignedPopulatedAndOnItsNode) {
  const int node = Topology().nodes().front();
  const NodeBuffer buffer(100'000, node);
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % page, 0U);
  EXPECT_GE(buffer.size(), 100'000U);
  EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + buffer.size(),
                          [](std::byte b) { return b == std::byte{0}; }));
  std::vector<unsigned char> present(buffer.size() / page);
  ASSERT_EQ(mincore(buffer.data(), buffer.size(), present.data()), 0);
  for (std::size_t i = 0; i < present.size(); ++i) {
    EXPECT_TRUE(present[i] & 1) << "page " << i;
    EXPECT_EQ(buffer.node_of(i * page), node);
  }
  EXPECT_EQ(buffer.node_of(buffer.size()), std::nullopt);
}

/// A made-up machine as an XML file, which can hold what a description cannot.
class MachineOfXml {
 public:
  template <class Change>
  MachineOfXml(const char* description, Change change) {
    hwloc_topology_t topology = nullptr;
    hwloc_topology_init(&topology);
    hwloc_topology_set_synthetic(topology, description);
    hwloc_topology_load(topology);
    change(topology);
    hwloc_topology_export_xml(topology, file_.c_str(), 0);
    hwloc_topology_destroy(topology);
    setenv("HWLOC_XMLFILE", file_.c_str(), 1);
  }
  ~MachineOfXml() {
    unsetenv("HWLOC_XMLFILE");
    unlink(file_.c_str());
  }

 private:
  std::string file_ = testing::TempDir() + "daxrace-machine-" + std::to_string(getpid()) + ".xml";
};

TEST(Topology, MemoryForACpuOnANodeWithoutMemoryComesFromTheNearestThatHasSome) {
  const MachineOfXml machine(kTwoNodes, [](hwloc_topology_t topology) {
    hwloc_get_obj_by_type(topology, HWLOC_OBJ_NUMANODE, 0)->attr->numanode.local_memory = 0;
  });
  const Topology topology;
  EXPECT_EQ(topology.node_of_cpu(0), 0);
  EXPECT_THAT(topology.plan(Placement::local, 1, 0).worker_nodes, ElementsAre(1));
  EXPECT_THAT(topology.nodes(), ElementsAre(1));
}

TEST(CpuKinds, OfPerformanceAndEfficiencyCoresAreTold) {
  const MachineOfXml machine("pack:1 [numa(memory=1GB)] core:6 pu:1", [](hwloc_topology_t topology) {
    const auto add = [&](const char* list, int efficiency) {
      hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
      hwloc_bitmap_list_sscanf(cpus, list);
      hwloc_cpukinds_register(topology, cpus, efficiency, 0, nullptr, 0);
      hwloc_bitmap_free(cpus);
    };
    add("0-3", 1);
    add("4-5", 0);
  });
  const auto kinds = cpus_by_kind();
  EXPECT_THAT(kinds, ElementsAre(ElementsAre(4, 5), ElementsAre(0, 1, 2, 3)));
  EXPECT_EQ(kinds_among(kinds, {0, 3}), 1U);
  EXPECT_EQ(kinds_among(kinds, {3, 4}), 2U);
}

TEST(CpuKinds, OfAMachineOfOneKindSayNothing) {
  const MadeUpMachine machine(kTwoNodes);
  EXPECT_LT(kinds_among(cpus_by_kind(), {0, 1, 8}), 2U);
}

TEST(NodeBuffer, AbsentNodeIsRefused) {
  EXPECT_THAT([] { (void)NodeBuffer(4096, 999); }, ThrowsMessage<Error>(HasSubstr("NUMA node 999")));
}

TEST(NodeBuffer, MovesWithoutCopying) {
  NodeBuffer one(4096, -1);
  std::byte* const data = one.data();
  NodeBuffer two(std::move(one));
  EXPECT_EQ(two.data(), data);
  EXPECT_EQ(one.data(), nullptr);
  one = std::move(two);
  EXPECT_EQ(one.data(), data);
  EXPECT_EQ(NodeBuffer().size(), 0U);
}

TEST(List, IsWrittenAsTheKernelWritesIt) {
  EXPECT_EQ(format_list({}), "");
  EXPECT_EQ(format_list({8, 0, 1, 3, 2}), "0-3,8");
  EXPECT_EQ(format_list({5, 5, 7}), "5,7");
}

TEST(List, IsReadBack) {
  EXPECT_THAT(parse_list("0-3,8\n"), ElementsAre(0, 1, 2, 3, 8));
  EXPECT_THAT(parse_list("7"), ElementsAre(7));
  EXPECT_THAT(parse_list("2,1,2"), ElementsAre(1, 2));
  EXPECT_TRUE(parse_list("").empty());
}

TEST(List, MistakesAreNamed) {
  for (const char* text :
       {"a", "1-", "-3", "1,,2", "1;2", "3-1", "0x3", "1.5", "99999999999", "0-2000000000", ","}) {
    EXPECT_THAT([&] { (void)parse_list(text); }, ThrowsMessage<Error>(HasSubstr("write it as 0-3,8")))
        << text;
  }
}

}  // namespace
}  // namespace daxrace
