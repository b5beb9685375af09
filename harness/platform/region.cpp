#include "harness/platform/region.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/backing.hpp"
#include "harness/platform/numa.hpp"
#include "harness/platform/pmem2.hpp"

namespace daxrace {
namespace {

constexpr std::array<std::string_view, 3> kGranularityNames = {"byte", "cache_line", "page"};

/// A write fault that changes nothing. (A read fault may map the neighbours too.)
void touch(std::byte* at) {
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at))
      .fetch_add(0, std::memory_order_relaxed);
}

std::uint64_t thread_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

/// How far the user mapping's addresses are off its file offsets, modulo 2 MiB. Translations of frames below
/// 2 MiB must be small ones, or zapping a frame would take its neighbours along and their faults would bring
/// it back.
std::size_t user_phase(const OpenBacking& backing) {
  const std::size_t alignment = backing.source->alignment();
  return backing.facts.frame_bytes % kHugeBytes == 0 || alignment >= kHugeBytes ? 0 : alignment;
}

class MappedRegion final : public Region {
 public:
  explicit MappedRegion(const RegionSpec& spec);

  void zap(FrameNumber first, std::size_t count) noexcept override {
    madvise(user(first), count * facts_.frame_bytes, MADV_DONTNEED);
  }
  bool discard(FrameNumber frame) noexcept override {
    if (facts_.backing == Backing::devdax) return false;
    return fallocate(backing_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                     static_cast<off_t>(backing_.offset + std::size_t{frame} * facts_.frame_bytes),
                     static_cast<off_t>(facts_.frame_bytes)) == 0;
  }
  void write_frame(FrameNumber frame, std::size_t offset, const void* from,
                   std::size_t bytes) noexcept override {
    copy_(direct(frame) + offset, from, bytes, write_flags_);
  }
  void read_frame(FrameNumber frame, std::size_t offset, void* to,
                  std::size_t bytes) const noexcept override {
    copy_(to, direct(frame) + offset, bytes, Pmem2Mapping::no_flush());
  }
  void zero_frame(FrameNumber frame) noexcept override {
    fill_(direct(frame), 0, facts_.frame_bytes, write_flags_);
  }
  void flush_frame(FrameNumber frame) noexcept override {
    if (flushes_) persist_(direct(frame), facts_.frame_bytes);
  }

 private:
  void advise_small_pages() noexcept;
  void bind_and_populate(const RegionSpec& spec);
  void populate();
  std::optional<int> read_back_node() const;
  void check_faults();
  bool faults_are_exact() noexcept;

  OpenBacking backing_;
  Pmem2Mapping direct_map_;
  Pmem2Mapping user_map_;
  Pmem2Mapping::Copy copy_;
  Pmem2Mapping::Fill fill_;
  Pmem2Mapping::Flush persist_;
  unsigned write_flags_ = 0;
  bool flushes_ = false;
};

MappedRegion::MappedRegion(const RegionSpec& spec)
    : backing_(open_backing(spec)),
      direct_map_(*backing_.source, backing_.offset, backing_.bytes(), 0),
      user_map_(*backing_.source, backing_.offset, backing_.bytes(), user_phase(backing_)),
      copy_(direct_map_.copy()),
      fill_(direct_map_.fill()),
      persist_(direct_map_.persist()) {
  using Granularity = Pmem2Mapping::Granularity;
  facts_ = backing_.facts;
  direct_ = direct_map_.data();
  user_ = user_map_.data();
  const Granularity granularity = direct_map_.granularity();
  if (spec.backing == Backing::fsdax && spec.sync_mapping && granularity == Granularity::page) {
    throw Error(fmt::format(
        "{} is not mounted with DAX (libpmem2 sees granularity page): mount -o dax=always", spec.path));
  }
  facts_.granularity = kGranularityNames[static_cast<std::size_t>(granularity)];
  // On granularity page libpmem2 makes every durable copy an msync.
  flushes_ = granularity != Granularity::page || spec.durable;
  write_flags_ = flushes_ ? 0 : Pmem2Mapping::no_flush();
  facts_.durable = flushes_ && spec.backing != Backing::memory;
  advise_small_pages();
  bind_and_populate(spec);
  if (!spec.sparse || spec.backing != Backing::memory) check_faults();
}

void MappedRegion::advise_small_pages() noexcept {
  // A kernel without huge pages refuses these, and needs none.
  const int advice = facts_.frame_bytes % kHugeBytes == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  madvise(user_, user_map_.bytes(), advice);
  if (backing_.dax) return;
  madvise(direct_, direct_map_.bytes(), advice);
  // Read-ahead would bring large folios into a page cache.
  madvise(user_, user_map_.bytes(), MADV_RANDOM);
  madvise(direct_, direct_map_.bytes(), MADV_RANDOM);
}

void MappedRegion::bind_and_populate(const RegionSpec& spec) {
  int refused = 0;
  const bool bound = spec.backing == Backing::memory && spec.numa_node >= 0;
  if (bound) {
    const std::vector<int> nodes = memory_nodes();
    if (std::find(nodes.begin(), nodes.end(), spec.numa_node) == nodes.end()) {
      throw Error(fmt::format("memory: NUMA node {} does not exist or has no memory", spec.numa_node));
    }
    refused = bind_pages(direct_, direct_map_.bytes(), spec.numa_node);
  }
  if (!spec.sparse || spec.backing != Backing::memory) populate();
  facts_.pmem_node = read_back_node().value_or(refused == 0 && bound ? spec.numa_node : -1);
  if (bound && facts_.pmem_node != spec.numa_node) {
    throw Skipped(
        refused != 0
            ? system_error_line("bind memory to", fmt::format("NUMA node {}", spec.numa_node), refused)
            : fmt::format("the kernel put memory that was bound to NUMA node {} elsewhere", spec.numa_node));
  }
}

void MappedRegion::populate() {
  const std::size_t bytes = direct_map_.bytes();
  if (madvise(direct_, bytes, MADV_POPULATE_WRITE) == 0) return;
  const bool unknown = errno == EINVAL;
  if (!unknown) throw Error(system_error_line("populate", backing_.source->name(), errno));
  // Kernels before 5.14, and mappings of device pages.
  const auto step = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t at = 0; at < bytes; at += step) touch(direct_ + at);
}

/// The pmem's node as its driver says, else the node of the pages, if a sample of them lies on one.
std::optional<int> MappedRegion::read_back_node() const {
  if (backing_.dax) return backing_.source->node();
  if (const std::vector<int> nodes = memory_nodes(); nodes.size() == 1) return nodes.front();
  constexpr std::size_t kSamples = 256;
  const std::size_t count = std::min(facts_.frames, kSamples);
  std::optional<int> node;
  for (std::size_t i = 0; i < count; ++i) {
    const auto here = node_of_page(direct(static_cast<FrameNumber>(i * facts_.frames / count)));
    if (!here || (node && *node != *here)) return std::nullopt;
    node = here;
  }
  return node;
}

/// The figures rest on one fault per zapped frame, so this is tried before any of them is taken.
void MappedRegion::check_faults() {
  constexpr int kTries = 5;  // a fault of this thread's stack or code would be counted too
  for (int i = 0; i < kTries; ++i) {
    if (faults_are_exact()) return;
  }
  throw Error(
      fmt::format("{}: a zapped frame of {} bytes does not come back with exactly one page fault of its own; "
                  "this kernel maps more than a frame at a time",
                  backing_.source->name(), facts_.frame_bytes));
}

bool MappedRegion::faults_are_exact() noexcept {
  const auto middle = static_cast<FrameNumber>(facts_.frames / 2);
  const FrameNumber neighbour = facts_.frames > 1 ? middle - 1 : middle;
  const std::size_t both = middle - neighbour + 1;
  touch(user(neighbour));
  touch(user(middle));
  zap(neighbour, both);
  const std::uint64_t start = thread_faults();
  touch(user(neighbour));
  touch(user(middle));
  const std::uint64_t two = thread_faults();
  zap(middle, 1);
  if (both == 2) touch(user(neighbour));
  const std::uint64_t kept = thread_faults();
  touch(user(middle));
  const std::uint64_t end = thread_faults();
  zap(neighbour, both);
  return two - start == both && kept == two && end - kept == 1;
}

}  // namespace

std::unique_ptr<Region> Region::open(const RegionSpec& spec) {
  if (std::getenv("PMEM2_FORCE_GRANULARITY") != nullptr) {
    throw Error("PMEM2_FORCE_GRANULARITY is set: libpmem2 would not say what the memory is; unset it");
  }
  return std::make_unique<MappedRegion>(spec);
}

}  // namespace daxrace
