#include "harness/live/staging/zero_page.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

constexpr unsigned kRounds = 400;
/// The store unmaps the zero page from one mapping after the other: many of them keep it busy for a while.
constexpr unsigned kMappings = 100;
constexpr std::uint64_t kLongestDelayNs = 400'000;
constexpr std::uint64_t kBound = 3'000'000'000;

using Word = std::atomic_ref<std::uint64_t>;

[[noreturn]] void fail(const char* what) {
  throw Error(fmt::format("litmus: {}: {}", what, std::strerror(errno)));
}

/// A file of one page, mapped many times. Mappings made later are unmapped later.
class Hole {
 public:
  explicit Hole(const Directory& directory)
      : directory_(directory), name_(fresh_name("hole")), fd_(directory.create(name_)) {
    if (ftruncate(fd_.get(), kPageBytes) != 0) fail("ftruncate");
    for (void*& mapping : mappings_) {
      mapping = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
      if (mapping == MAP_FAILED) fail("mmap");
    }
  }
  ~Hole() {
    for (void* mapping : mappings_)
      if (mapping != nullptr && mapping != MAP_FAILED) munmap(mapping, kPageBytes);
    directory_.unlink(name_);
  }
  Hole(const Hole&) = delete;
  Hole& operator=(const Hole&) = delete;

  void punch() const {
    if (fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageBytes) == 0) return;
    if (errno == EOPNOTSUPP) throw Skipped("no punch here");
    fail("punch");
  }
  void write(std::uint64_t word) const {
    if (pwrite(fd_.get(), &word, sizeof word, 0) != ssize_t{sizeof word}) fail("write");
  }
  std::uint64_t load() const { return Word(*static_cast<std::uint64_t*>(mappings_[kMappings - 1])).load(); }
  /// To another word than write()'s.
  void store() const { Word(static_cast<std::uint64_t*>(mappings_[0])[1]).store(1); }

 private:
  const Directory& directory_;
  std::string name_;
  FileDescriptor fd_;
  std::array<void*, kMappings> mappings_{};
};

/// Whoever stores in every round once he is told to.
struct Storer {
  explicit Storer(const Directory& directory) : hole(directory) {}
  Hole hole;
  std::atomic<unsigned> round{0};
  std::atomic<unsigned> stored{0};
  std::atomic<bool> stop{false};

  long run() {
    for (unsigned i = 1; !stop.load(); ++i) {
      while (round.load() < i && !stop.load()) continue;
      hole.store();
      stored.store(i);
    }
    return 0;
  }
  bool has_stored(unsigned i) const {
    const std::uint64_t start = Clock::monotonic_ns();
    while (stored.load() < i)
      if (Clock::monotonic_ns() - start > kBound) return false;
    return true;
  }
};

void spin_until(std::uint64_t ns) {
  while (Clock::monotonic_ns() < ns) continue;
}

/// What the load found right after a write that met the store; nothing if the store does not come back.
std::optional<std::uint64_t> one_round(Storer& storer, unsigned i) {
  storer.hole.punch();
  if (storer.hole.load() != 0) throw Error("litmus: a punched page is not zero");  // maps the zero page
  storer.round.store(i);
  spin_until(Clock::monotonic_ns() + kLongestDelayNs * (i % 16) / 16);
  storer.hole.write(i);
  const std::uint64_t seen = storer.hole.load();
  if (!storer.has_stored(i)) return std::nullopt;
  return seen;
}

/// Ends the rounds however they are left: a thread that waits for the next one would never end.
struct Stopping {
  Storer& storer;
  ~Stopping() { storer.stop.store(true); }
};

CellResult raced(Storer& storer, const Helper& thread) {
  CellResult cell;
  cell.what = fmt::format("in {} rounds every load found what write() had written", kRounds);
  for (unsigned i = 1; i <= kRounds; ++i) {
    const auto seen = one_round(storer, i);
    if (!seen)
      return report_hang("a store to the hole does not come back", {&thread},
                         {{"ending the rounds", [&storer] { storer.stop.store(true); }}});
    if (*seen == i) continue;
    cell.outcome = Outcome::content_changed;
    cell.what = fmt::format("a load found zero after write() had returned; afterwards it {}",
                            storer.hole.load() == i ? "was right" : "was wrong too");
    break;
  }
  return cell;
}

}  // namespace

CellResult decide_zero_page(const Directory& directory, Operation operation, Access access) {
  if (!directory.facts().dax) throw Skipped("not on DAX: the page cache maps no zero page");
  const std::uint64_t start = Clock::monotonic_ns();
  const auto storer = std::make_shared<Storer>(directory);
  const Helper thread("stores to a hole", [storer] { return storer->run(); });
  const Stopping stopping{*storer};
  CellResult cell = raced(*storer, thread);
  cell.operation = operation;
  cell.access = access;
  cell.duration_ns = Clock::monotonic_ns() - start;
  return cell;
}

}  // namespace daxrace::kernel
