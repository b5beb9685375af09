#include "harness/platform/region.hpp"

#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "tests/pretend_dax.hpp"
#include "tests/region_checks.hpp"

namespace daxrace {
namespace {

using region_checks::open_error;
using ::testing::HasSubstr;

constexpr std::size_t kHugeBytes = std::size_t{2} << 20;

/// A directory that is gone afterwards, and a file name in it.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& where = "/var/tmp") : path_(where + "/daxrace-test-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

RegionSpec memory_spec(std::size_t frames, std::size_t frame_bytes = 0) {
  RegionSpec spec;
  spec.frame_bytes = frame_bytes;
  spec.bytes = frames * (frame_bytes == 0 ? 4096 : frame_bytes);
  return spec;
}

RegionSpec file_spec(const std::string& path, std::size_t frames) {
  RegionSpec spec = memory_spec(frames);
  spec.backing = Backing::file;
  spec.path = path;
  return spec;
}

RegionSpec fsdax_spec(const std::string& directory) {
  RegionSpec spec = memory_spec(16);
  spec.backing = Backing::fsdax;
  spec.path = directory;
  return spec;
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Region, MemoryFramesBehave) {
  const auto region = Region::open(memory_spec(1500));
  EXPECT_EQ(region->facts().frames, 1500U);
  EXPECT_EQ(region->facts().frame_bytes, 4096U);
  EXPECT_EQ(region->facts().granularity, "page");
  EXPECT_FALSE(region->facts().durable);
  region_checks::expect_frames_behave(*region);
  region_checks::expect_discard_gives_zeros_back(*region);
}

TEST(Region, MemoryFramesOf64KiBBehave) {
  const auto region = Region::open(memory_spec(40, 65536));
  region_checks::expect_both_mappings_show_the_same_frames(*region);
  region_checks::expect_one_fault_per_zapped_frame(*region);
  region_checks::expect_discard_gives_zeros_back(*region);
}

TEST(Region, MemoryFramesOf2MiBBehave) {
  const auto region = Region::open(memory_spec(8, kHugeBytes));
  EXPECT_EQ(region->facts().frame_bytes, kHugeBytes);
  region_checks::expect_frames_behave(*region);
  region_checks::expect_discard_gives_zeros_back(*region);
}

TEST(Region, NoSmallFrameLiesUnderAHugeTranslationEvenIfTheSystemPrefersThem) {
  const auto region = Region::open(memory_spec(2048));
  for (FrameNumber frame = 0; frame < 2048; ++frame) region_checks::touch(region->user(frame));
  EXPECT_EQ(region_checks::huge_kib(region->user(0)), 0U);
  EXPECT_EQ(region_checks::huge_kib(region->direct(0)), 0U);
  // The layout alone forbids them: no huge page can be at the same place of the file and of the addresses.
  const auto distance =
      reinterpret_cast<std::uintptr_t>(region->user(0)) - reinterpret_cast<std::uintptr_t>(region->direct(0));
  EXPECT_NE(distance % kHugeBytes, 0U);
}

TEST(Region, UserTranslationsAreAbsentAtFirstAndDirectOnesPresent) {
  const auto region = Region::open(memory_spec(64));
  const std::uint64_t start = region_checks::thread_faults();
  for (FrameNumber frame = 0; frame < 64; ++frame) region_checks::touch(region->direct(frame));
  const std::uint64_t direct = region_checks::thread_faults();
  for (FrameNumber frame = 0; frame < 64; ++frame) region_checks::touch(region->user(frame));
  EXPECT_EQ(direct - start, 0U);
  EXPECT_EQ(region_checks::thread_faults() - direct, 64U);
}

TEST(Region, SizeIsRoundedUpToWholeFrames) {
  RegionSpec spec;
  spec.bytes = 4096 * 3 + 1;
  EXPECT_EQ(Region::open(spec)->facts().frames, 4U);
}

TEST(Region, ZeroBytesAreRefused) {
  EXPECT_THAT(open_error(memory_spec(0)), HasSubstr("0 bytes holds no frame"));
}

TEST(Region, OddFrameSizeIsRefusedNamingTheUnit) {
  EXPECT_THAT(open_error(memory_spec(4, 6000)), HasSubstr("multiple of 4096 bytes, not 6000"));
}

TEST(Region, MoreMemoryThanThereIsIsRefused) {
  EXPECT_THAT(open_error(memory_spec(std::size_t{1} << 31)), HasSubstr("are available"));
}

TEST(Region, AbsurdSizesAreRefusedWithoutOverflow) {
  RegionSpec spec;
  spec.bytes = ~std::size_t{0};
  EXPECT_THAT(open_error(spec), HasSubstr("too large"));
  spec.bytes = std::size_t{1} << 62;
  spec.sparse = true;
  EXPECT_THAT(open_error(spec), HasSubstr("too many"));
}

TEST(Region, SparseRegionCostsNoMemory) {
  RegionSpec spec = memory_spec(std::size_t{1} << 20);
  spec.sparse = true;
  const auto resident_pages = [] {
    std::size_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident;
  };
  const std::size_t before = resident_pages();
  const auto region = Region::open(spec);
  EXPECT_EQ(region->facts().frames, std::size_t{1} << 20);
  EXPECT_LT(resident_pages(), before + 2048);
}

TEST(Region, MemoryBoundToANodeLiesThere) {
  RegionSpec spec = memory_spec(256);
  spec.numa_node = 0;
  const auto region = Region::open(spec);
  EXPECT_EQ(region->facts().pmem_node, 0);
  for (const FrameNumber frame : {0U, 100U, 255U}) {
    int node = -1;
    if (syscall(SYS_get_mempolicy, &node, nullptr, 0UL, region->direct(frame), MPOL_F_NODE | MPOL_F_ADDR) !=
        0) {
      GTEST_SKIP() << "the kernel does not tell the node of a page: " << std::strerror(errno);
    }
    EXPECT_EQ(node, 0);
  }
}

TEST(Region, AbsentNumaNodeIsRefused) {
  RegionSpec spec = memory_spec(4);
  spec.numa_node = 999;
  EXPECT_THAT(open_error(spec), HasSubstr("NUMA node 999 does not exist"));
}

TEST(Region, ForcedGranularityIsRefused) {
  setenv("PMEM2_FORCE_GRANULARITY", "CACHE_LINE", 1);
  EXPECT_THAT(open_error(memory_spec(4)), HasSubstr("PMEM2_FORCE_GRANULARITY"));
  unsetenv("PMEM2_FORCE_GRANULARITY");
}

TEST(FileRegion, FramesBehaveAndTheFileIsGoneAfterwards) {
  const TemporaryDirectory directory;
  const std::string path = directory / "frames";
  {
    const auto region = Region::open(file_spec(path, 600));
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_FALSE(region->facts().fs.empty());
    EXPECT_FALSE(region->facts().mount_options.empty());
    region_checks::expect_frames_behave(*region);
    region_checks::expect_discard_gives_zeros_back(*region);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(FileRegion, EveryBlockIsWrittenBeforeTheFirstFault) {
  const TemporaryDirectory directory;
  const std::string path = directory / "frames";
  const auto region = Region::open(file_spec(path, 600));
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 601 * 4096);
}

TEST(FileRegion, OnTmpfsFramesBehave) {
  struct statfs info {};
  if (statfs("/dev/shm", &info) != 0 || info.f_type != TMPFS_MAGIC)
    GTEST_SKIP() << "/dev/shm is no tmpfs here";
  const TemporaryDirectory directory("/dev/shm");
  const auto region = Region::open(file_spec(directory / "frames", 600));
  EXPECT_EQ(region->facts().fs, "tmpfs");
  EXPECT_EQ(region->facts().device, "");
  region_checks::expect_frames_behave(*region);
}

TEST(FileRegion, DurableWritesAreAskedForAndReported) {
  const TemporaryDirectory directory;
  RegionSpec spec = file_spec(directory / "frames", 16);
  EXPECT_FALSE(Region::open(spec)->facts().durable);
  spec.durable = true;
  const auto region = Region::open(spec);
  EXPECT_TRUE(region->facts().durable);
  region_checks::expect_zero_frame_zeroes_that_frame_alone(*region);
}

TEST(FileRegion, SomebodysFileIsRefusedAndNotTouched) {
  const TemporaryDirectory directory;
  const std::string path = directory / "precious";
  write_text(path, std::string(10000, 'x'));
  EXPECT_THAT(open_error(file_spec(path, 16)), HasSubstr("exists and is not daxrace's"));
  EXPECT_EQ(read_text(path), std::string(10000, 'x'));
}

TEST(FileRegion, EmptyFileOfSomebodyIsRefused) {
  const TemporaryDirectory directory;
  write_text(directory / "empty", "");
  EXPECT_THAT(open_error(file_spec(directory / "empty", 16)), HasSubstr("exists and is not daxrace's"));
  EXPECT_TRUE(std::filesystem::exists(directory / "empty"));
}

TEST(FileRegion, LeftoverOfAKilledRunIsTakenOver) {
  const TemporaryDirectory directory;
  const std::string path = directory / "frames";
  {
    const auto region = Region::open(file_spec(path, 16));
    std::filesystem::copy_file(path, directory / "leftover");
  }
  const auto region = Region::open(file_spec(directory / "leftover", 64));
  EXPECT_EQ(region->facts().frames, 64U);
  std::vector<std::byte> seen(4096, std::byte{1});
  region->read_frame(3, 0, seen.data(), seen.size());
  EXPECT_EQ(seen, std::vector<std::byte>(4096));
}

TEST(FileRegion, SecondHardLinkOfOurFileIsRefused) {
  const TemporaryDirectory directory;
  {
    const auto region = Region::open(file_spec(directory / "frames", 16));
    std::filesystem::copy_file(directory / "frames", directory / "leftover");
  }
  std::filesystem::create_hard_link(directory / "leftover", directory / "other name");
  EXPECT_THAT(open_error(file_spec(directory / "leftover", 16)), HasSubstr("not daxrace's"));
}

TEST(FileRegion, SymbolicLinkIsRefused) {
  const TemporaryDirectory directory;
  write_text(directory / "precious", "data");
  std::filesystem::create_symlink(directory / "precious", directory / "link");
  EXPECT_THAT(open_error(file_spec(directory / "link", 16)), HasSubstr("symbolic link"));
  std::filesystem::create_symlink(directory / "nowhere", directory / "dangling");
  EXPECT_THAT(open_error(file_spec(directory / "dangling", 16)), HasSubstr("symbolic link"));
  EXPECT_FALSE(std::filesystem::exists(directory / "nowhere"));
}

TEST(FileRegion, DirectoryPipeAndDeviceAreRefused) {
  const TemporaryDirectory directory;
  EXPECT_THAT(open_error(file_spec(directory.path(), 16)), HasSubstr("is a directory"));
  ASSERT_EQ(mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(open_error(file_spec(directory / "pipe", 16)), HasSubstr("not a regular file"));
  EXPECT_THAT(open_error(file_spec("/dev/null", 16)), HasSubstr("not a regular file"));
}

TEST(FileRegion, BlockDeviceIsRefusedAsEveryBackingAlways) {
  const TemporaryDirectory directory;
  const std::string path = directory / "disk";
  // A device number that no driver serves: nothing could be harmed.
  if (mknod(path.c_str(), S_IFBLK | 0600, makedev(120, 0)) != 0) {
    GTEST_SKIP() << "cannot make a device node: " << std::strerror(errno);
  }
  for (const bool destroy_data : {false, true}) {
    RegionSpec spec = file_spec(path, 16);
    spec.destroy_data = destroy_data;
    EXPECT_THAT(open_error(spec), HasSubstr("raw block device is never used"));
    spec.backing = Backing::devdax;
    EXPECT_THAT(open_error(spec), HasSubstr("raw block device is never used"));
  }
}

TEST(FileRegion, SecondRegionOnTheSameFileIsRefused) {
  const TemporaryDirectory directory;
  const auto region = Region::open(file_spec(directory / "frames", 16));
  EXPECT_THAT(open_error(file_spec(directory / "frames", 16)), HasSubstr("in use by another daxrace"));
  EXPECT_TRUE(std::filesystem::exists(directory / "frames"));
}

TEST(FileRegion, FileThatTookOurNameIsNotRemoved) {
  const TemporaryDirectory directory;
  const std::string path = directory / "frames";
  {
    const auto region = Region::open(file_spec(path, 16));
    std::filesystem::remove(path);
    write_text(path, "somebody's");
  }
  EXPECT_EQ(read_text(path), "somebody's");
}

TEST(FileRegion, MoreThanTheFileSystemHoldsIsRefusedAndNothingIsLeft) {
  const TemporaryDirectory directory;
  EXPECT_THAT(open_error(file_spec(directory / "frames", std::size_t{1} << 31)), HasSubstr("has room for"));
  EXPECT_FALSE(std::filesystem::exists(directory / "frames"));
}

TEST(FileRegion, MissingDirectoryIsNamed) {
  EXPECT_THAT(open_error(file_spec("/nonexistent/frames", 16)),
              ::testing::AllOf(HasSubstr("/nonexistent/frames"), HasSubstr("No such file")));
}

TEST(FsdaxRegion, DirectoryWithoutDaxIsRefusedAndLeftEmpty) {
  const TemporaryDirectory directory;
  EXPECT_THAT(open_error(fsdax_spec(directory.path())),
              ::testing::AllOf(HasSubstr("is not mounted with DAX"), HasSubstr("mount -o dax=always")));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

/// On a device that flushes asynchronously mounting differently would not help.
TEST(FsdaxRegion, WithoutMapSyncIsRefusedForWhatItIsAndTakenWhereDaxIsEnough) {
  const TemporaryDirectory directory;
  const PretendDax pretend;
  RegionSpec spec = fsdax_spec(directory.path());
  const std::string said = open_error(spec);
  if (said.find("neither ext4 nor xfs") != std::string::npos) GTEST_SKIP() << said;
  EXPECT_THAT(said, HasSubstr("is on DAX, but its device flushes asynchronously"));
  EXPECT_THAT(said, ::testing::Not(HasSubstr("mount -o")));
  spec.sync_mapping = false;
  EXPECT_EQ(Region::open(spec)->facts().granularity, "page");
}

TEST(FsdaxRegion, TmpfsIsRefused) {
  struct statfs info {};
  if (statfs("/dev/shm", &info) != 0 || info.f_type != TMPFS_MAGIC)
    GTEST_SKIP() << "/dev/shm is no tmpfs here";
  const TemporaryDirectory directory("/dev/shm");
  EXPECT_THAT(open_error(fsdax_spec(directory.path())), HasSubstr("tmpfs is neither ext4 nor xfs"));
}

TEST(FsdaxRegion, MissingDirectoryIsNamed) {
  EXPECT_THAT(open_error(fsdax_spec("/nonexistent")), HasSubstr("cannot open directory /nonexistent"));
}

TEST(DevdaxRegion, WhatIsNoDevdaxDeviceIsRefused) {
  RegionSpec spec = memory_spec(16);
  spec.backing = Backing::devdax;
  spec.destroy_data = true;
  for (const char* path : {"/dev/null", "/etc/hostname", "/tmp"}) {
    spec.path = path;
    EXPECT_THAT(open_error(spec), HasSubstr("is not a devdax device")) << path;
  }
  spec.path = "/dev/dax99.9";
  EXPECT_THAT(open_error(spec), HasSubstr("No such file"));
  spec.path = "";
  EXPECT_THAT(open_error(spec), HasSubstr("needs a path (devdax:PATH)"));
}

}  // namespace
}  // namespace daxrace
