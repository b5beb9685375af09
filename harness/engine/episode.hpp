#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/protocol_info.hpp"
#include "harness/base/types.hpp"
#include "harness/base/verdict.hpp"
#include "harness/platform/placement.hpp"
#include "harness/results/histogram.hpp"

namespace daxrace {

class Region;
class Peer;
struct Workload;

/// What happens to a freed frame's storage.
enum class Discard : std::uint8_t { zap, punch };
inline constexpr std::array<std::string_view, 2> kDiscardNames = {"zap", "punch"};

/// One episode: one protocol under one workload for a few seconds. Everything that can change its result.
struct EpisodeConfig {
  const Workload* workload = nullptr;
  Load load = Load::paced;
  RefcountRegime refcount_regime = RefcountRegime::ref1;
  unsigned threads = 2;      ///< paced: workers that each run the whole mix; closed: see Workload
  double rate_scale = 1.0;   ///< multiplies every role's rate (--rate, --sweep-rate)
  unsigned file_pages = 64;  ///< pages of the file under test
  unsigned pages_per_entry =
      1;  ///< translations and DAX entries that cover several frames (2 MiB over 4 KiB: 512)
  unsigned queue_depth = 1;  ///< I/O in flight per worker
  Discard discard = Discard::zap;
  bool oracle = true;
  bool perturb = false;  ///< seeded yields and delays between the steps; no latencies then
  bool record = true;    ///< false: closed loop without a clock read (to measure the recorder itself)
  std::string lock = "rwsem";
  std::uint64_t seed = 1;
  std::uint64_t warmup_ns = 50'000'000;
  std::uint64_t measure_ns = 250'000'000;
  std::uint64_t hang_bound_ns = 10'000'000'000;  ///< an operation that takes longer is a hang
  std::uint64_t lease_hold_ns = 200'000;         ///< how long a lessee keeps a layout before it returns it
  std::string directory;                         ///< --target=kernel: where the real files are made
  PlacementPlan placement;
  const std::atomic<bool>* stop =
      nullptr;  ///< set from a signal handler: end early, keep nothing of this episode
};

/// Latencies of one path, merged over the workers.
struct PathStats {
  std::uint64_t ops = 0;
  std::uint64_t retries = 0;  ///< times that an operation started over (a fault that lost a race, a rescan)
  std::uint64_t faults_real = 0;  ///< page faults that the kernel counted during these; paced load only
  Histogram service_ns;           ///< start to end
  Histogram response_ns;          ///< intended start to end; empty in closed loop
  Histogram wait_ns;              ///< per operation: lock, break, dio and lease waits together
  std::array<std::uint64_t, kPhaseCount> phase_sum_ns{};
};

/// One thing that the oracle saw.
struct Violation {
  Detector detector = Detector::stale_access;
  Hazard hazard = Hazard::h1;
  std::string what;                   ///< one line, in a kernel developer's words
  std::vector<std::string> timeline;  ///< the events that led to it, oldest first
};

struct EpisodeResult {
  Status status = Status::ok;
  std::string reason;  ///< of a status other than ok; else empty
  std::string remark;  ///< whatever else is worth knowing (`saturated: ...`, `no verdict: ...`)
  Verdict verdict = Verdict::none;
  Hazards promises;
  Hazards violated;
  std::array<std::uint64_t, kDetectorNames.size()> detected{};
  Seen seen;  ///< what the verdict is made of
  std::uint64_t hangs = 0;
  std::uint64_t duration_ns = 0;  ///< of the measured part
  double offered_per_s = 0;       ///< 0 in closed loop
  std::optional<double>
      served_share;  ///< of the offered load, 0 to 1; none: closed load, or a worker never came back
  std::uint64_t effective_ops =
      0;  ///< faults that installed a translation, I/O completed, punches that freed
  std::uint64_t faults_real =
      0;  ///< page faults that the kernel counted for the workers (ru_minflt + ru_majflt)
  std::uint64_t faults_engine = 0;  ///< translations that the engine installed
  std::uint64_t worker_run_ns = 0;  ///< from first to last operation, warm-up included, of all workers
  std::uint64_t worker_cpu_ns = 0;  ///< user and system time that they used meanwhile
  std::vector<std::string> worker_affinity;  ///< read back from the kernel, one per worker
  std::map<Path, PathStats> paths;
  std::array<bool, kPhaseCount> phases_known = {true, true, true, true, true, true};
  std::optional<std::uint64_t> entry_bytes;  ///< where the kernel decides it, and was seen to
  std::vector<Violation> violations;         ///< at most a few per detector; the counts are complete
  std::vector<std::string> hang_report;
};

/// A protocol as the verbs see it: the one type erasure between the command line and the templates.
struct ProtocolEntry {
  ProtocolInfo info;
  /// Runs one episode on frames of `region`. `peer` may be null where the workload does no I/O.
  EpisodeResult (*run)(const EpisodeConfig& config, Region& region, Peer* peer);
};

/// Frames and peer slots that an episode uses; a region or peer with fewer cannot run it.
std::uint32_t frames_needed(const EpisodeConfig& config);
std::size_t peer_slots_needed(const EpisodeConfig& config);

/// Every protocol of protocols/CMakeLists.txt, in that order.
const std::vector<ProtocolEntry>& protocols();

}  // namespace daxrace
