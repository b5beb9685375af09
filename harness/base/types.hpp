#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The words of daxrace. Each enumerator is also the CSV value, the command-line word and the benchmark name
/// segment, so the name tables stand beside the enumerations.
namespace daxrace {

/// Page offset within a file, in frames.
using PageOffset = std::uint32_t;
/// Index of a frame within a region.
using FrameNumber = std::uint32_t;

/// A half-open range of page offsets.
struct PageRange {
  PageOffset first = 0;
  PageOffset end = 0;

  constexpr bool contains(PageOffset page) const { return page >= first && page < end; }
  constexpr bool empty() const { return first >= end; }
  friend constexpr bool operator==(const PageRange&, const PageRange&) = default;
};

/// The kinds of access that a layout change can collide with, and two properties that it can break.
enum class Hazard : std::uint8_t { h1, h2, h3, h4, h5, h6, h7, h8 };
inline constexpr std::array<std::string_view, 8> kHazardNames = {"H1", "H2", "H3", "H4",
                                                                 "H5", "H6", "H7", "H8"};
inline constexpr std::array<std::string_view, 8> kHazardMeanings = {
    "fault, load, store", "read, write", "aio in flight", "pinned page",
    "leased access",      "liveness",    "persistence",   "zeros"};

/// A set of hazards, printed as `H1+H4`.
class Hazards {
 public:
  constexpr Hazards() = default;
  template <class... Rest>
  constexpr explicit Hazards(Hazard first, Rest... rest) : bits_(bit(first)) {
    ((bits_ = static_cast<std::uint8_t>(bits_ | bit(rest))), ...);
  }
  static constexpr Hazards from_bits(std::uint8_t bits) {
    Hazards set;
    set.bits_ = bits;
    return set;
  }
  constexpr bool has(Hazard hazard) const { return (bits_ & bit(hazard)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint8_t bits() const { return bits_; }
  constexpr void add(Hazard hazard) { bits_ = static_cast<std::uint8_t>(bits_ | bit(hazard)); }
  friend constexpr Hazards operator&(Hazards a, Hazards b) {
    return from_bits(static_cast<std::uint8_t>(a.bits_ & b.bits_));
  }
  friend constexpr bool operator==(Hazards, Hazards) = default;

  std::string text() const {
    std::string out;
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      if ((bits_ >> i & 1) == 0) continue;
      if (!out.empty()) out += '+';
      out += kHazardNames[i];
    }
    return out;
  }

 private:
  static constexpr std::uint8_t bit(Hazard hazard) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(hazard));
  }
  std::uint8_t bits_ = 0;
};

/// What the oracle can see. One CSV column each, in this order.
enum class Detector : std::uint8_t {
  freed_busy,    ///< a block was freed while its page's refcount was not idle
  stale_access,  ///< the frame was freed between lookup or pin and the end of the access
  corruption,    ///< another inode's stamp was read back
  misplaced,     ///< the right inode's stamp at the wrong offset
  stale_data,    ///< data older than a punch, or zero after a finished write
  unflushed,     ///< fsync returned and a page stored before it had not been flushed
  leak           ///< at the end: a count not idle, a lease left, or frames missing
};
inline constexpr std::array<std::string_view, 7> kDetectorNames = {
    "freed_busy", "stale_access", "corruption", "misplaced", "stale_data", "unflushed", "leak"};

/// How the safety of an episode is judged against the protocol's promises.
enum class Verdict : std::uint8_t {
  kept,      ///< promises were made and none was violated
  broken,    ///< a promise was violated
  finding,   ///< a promise was violated by a faithful model, in the way that is declared beside the promise
  expected,  ///< only hazards that are not promised were seen
  unseen,    ///< unsafe by declaration, not caught this time
  none       ///< no verdict can be given
};
inline constexpr std::array<std::string_view, 6> kVerdictNames = {"kept",     "broken", "finding",
                                                                  "expected", "unseen", "none"};

/// How an episode ended.
enum class Status : std::uint8_t { ok, hang, starved, inconclusive, skipped, error };
inline constexpr std::array<std::string_view, 6> kStatusNames = {"ok",           "hang",    "starved",
                                                                 "inconclusive", "skipped", "error"};

/// A latency row's path: an operation by its *outcome*, so that one row never mixes two kinds of work.
enum class Path : std::uint8_t {
  fault,          ///< installed a translation
  load,           ///< through an installed translation
  store,          ///< through an installed translation
  read,           ///< DAX read: copy from frames
  write,          ///< DAX write: copy to frames
  aio_read,       ///< direct I/O of the file, frames to device, counted in i_dio_count
  aio_write,      ///< direct I/O of the file, device to frames, counted in i_dio_count
  gup_fast,       ///< O_DIRECT of another file whose buffer is our mapping; pinned without a fault
  gup_slow,       ///< the same, pinned after a fault
  munmap,         ///< removed a mapping's translations
  evict,          ///< last unlink and close: freed the file's blocks
  punch,          ///< freed at least one block
  punch_hole,     ///< found only holes
  zero,           ///< zeroed a range that held at least one block
  collapse,       ///< took a range out of the file: what lies behind it moved down
  insert,         ///< put a hole into the file: what lies behind it moved up
  truncate_down,  ///< shrank the file and freed at least one block
  truncate_up,    ///< extended the file
  fsync,          ///< flushed the entries tagged dirty
  lease           ///< acquired a layout lease, accessed the frames, returned it
};
inline constexpr std::array<std::string_view, 20> kPathNames = {
    "fault",    "load",     "store",         "read",        "write", "aio_read",   "aio_write",
    "gup_fast", "gup_slow", "munmap",        "evict",       "punch", "punch_hole", "zero",
    "collapse", "insert",   "truncate_down", "truncate_up", "fsync", "lease"};
inline constexpr std::size_t kPathCount = kPathNames.size();

/// Where the time of an operation goes; what is in none of these is "the rest".
enum class Phase : std::uint8_t { lock_wait, break_wait, dio_wait, lease_wait, shootdown, zap };
inline constexpr std::array<std::string_view, 6> kPhaseNames = {"lock_wait",  "break_wait", "dio_wait",
                                                                "lease_wait", "shootdown",  "zap"};
inline constexpr std::size_t kPhaseCount = kPhaseNames.size();

/// Which rule says that a page is idle.
enum class RefcountRegime : std::uint8_t {
  ref1,  ///< to 6.14: idle at 1, mappings hold no reference
  ref0   ///< from 6.15: idle at 0, every mapping holds a reference
};
inline constexpr std::array<std::string_view, 2> kRefcountRegimeNames = {"ref1", "ref0"};

enum class Backing : std::uint8_t { memory, file, fsdax, devdax };
inline constexpr std::array<std::string_view, 4> kBackingNames = {"memory", "file", "fsdax", "devdax"};

enum class Placement : std::uint8_t { local, remote, interleave, none };
inline constexpr std::array<std::string_view, 4> kPlacementNames = {"local", "remote", "interleave", "none"};

enum class Load : std::uint8_t {
  paced,  ///< a schedule of intended starts, the same for every protocol
  closed  ///< as fast as it goes: stress and throughput, never latency ratios
};
inline constexpr std::array<std::string_view, 2> kLoadNames = {"paced", "closed"};

/// The name of an enumerator out of its table.
template <class Enum, std::size_t N>
constexpr std::string_view name_in(const std::array<std::string_view, N>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

}  // namespace daxrace
