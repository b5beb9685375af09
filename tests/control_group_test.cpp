#include "harness/platform/control_group.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace daxrace {
namespace {

/// A machine made of files.
class ControlGroup : public testing::Test {
 protected:
  ControlGroup() : root_(testing::TempDir() + "daxrace-groups-" + std::to_string(getpid())) {}
  ~ControlGroup() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  void version_2() const {
    put("proc/self/cgroup", "0::/user.slice/job");
    put("proc/self/mountinfo",
        "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate");
  }
  void version_1() const {
    put("proc/self/cgroup", "12:cpuset:/\n4:memory:/docker/1a\n3:cpu,cpuacct:/docker/1a\n0::/");
    put("proc/self/mountinfo",
        "33 24 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "34 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "35 24 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
  }
  std::string root_;
};

TEST_F(ControlGroup, LimitsOfAnyGroupOnTheWayUpCountLessWhatIsUsed) {
  version_2();
  put("sys/fs/cgroup/user.slice/memory.max", "1000000");
  put("sys/fs/cgroup/user.slice/memory.current", "600000");
  put("sys/fs/cgroup/user.slice/memory.stat", "anon 100000\ninactive_file 500000");
  put("sys/fs/cgroup/user.slice/job/memory.max", "2000000");
  put("sys/fs/cgroup/user.slice/job/memory.current", "600000");
  put("sys/fs/cgroup/user.slice/cpu.max", "max 100000");
  put("sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000");
  const GroupLimits limits = group_limits(root_);
  EXPECT_EQ(limits.memory_left_bytes, 900'000U) << "page cache is dropped before anybody is killed";
  EXPECT_EQ(limits.memory_group, "/user.slice");
  EXPECT_EQ(limits.cpus, 1.5);
  EXPECT_EQ(limits.cpu_group, "/user.slice/job");
}

TEST_F(ControlGroup, AGroupThatHasUsedMoreThanItsLimitLeavesNothing) {
  version_2();
  put("sys/fs/cgroup/user.slice/job/memory.max", "1000");
  put("sys/fs/cgroup/user.slice/job/memory.current", "2000");
  EXPECT_EQ(group_limits(root_).memory_left_bytes, 0U);
}

TEST_F(ControlGroup, InAContainerTheGroupsOwnFilesLieAtTheTop) {
  version_2();
  put("sys/fs/cgroup/memory.max", "4096");
  put("sys/fs/cgroup/cpu.max", "50000 100000");
  EXPECT_EQ(group_limits(root_).memory_left_bytes, 4096U);
  EXPECT_EQ(group_limits(root_).cpus, 0.5);
}

TEST_F(ControlGroup, OfVersionOneAreFoundByController) {
  version_1();
  put("sys/fs/cgroup/memory/docker/1a/memory.limit_in_bytes", "33554432");
  put("sys/fs/cgroup/memory/docker/1a/memory.usage_in_bytes", "1048576");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  put("sys/fs/cgroup/cpu,cpuacct/docker/1a/cpu.cfs_quota_us", "200000");
  put("sys/fs/cgroup/cpu,cpuacct/docker/1a/cpu.cfs_period_us", "100000");
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  const GroupLimits limits = group_limits(root_);
  EXPECT_EQ(limits.memory_left_bytes, 32505856U);
  EXPECT_EQ(limits.memory_group, "/docker/1a");
  EXPECT_EQ(limits.cpus, 2.0);
}

TEST_F(ControlGroup, ThrottledPeriodsOfAllGroupsCount) {
  version_2();
  put("sys/fs/cgroup/user.slice/cpu.stat", "usage_usec 5\nnr_periods 10\nnr_throttled 3\nthrottled_usec 7");
  put("sys/fs/cgroup/user.slice/job/cpu.stat", "usage_usec 5\nnr_throttled 4");
  EXPECT_EQ(times_throttled(root_), 7U);
}

TEST_F(ControlGroup, AMachineWithoutThemLimitsNothing) {
  const GroupLimits limits = group_limits(root_);
  EXPECT_FALSE(limits.memory_left_bytes);
  EXPECT_FALSE(limits.cpus);
  EXPECT_EQ(times_throttled(root_), 0U);
}

}  // namespace
}  // namespace daxrace
