#pragma once

#include <string>
#include <vector>

#include "harness/base/parallel.hpp"
#include "harness/litmus/director.hpp"
#include "harness/litmus/release_rows.hpp"

namespace daxrace::litmus {

/// Every protocol of protocols/CMakeLists.txt, in that order.
const std::vector<Script>& scripts();

/// One cell of the safety table: what happens when this operation meets this access under this protocol, or
/// under this release's.
struct Cell {
  const Script* script = nullptr;
  const ReleaseRow* release = nullptr;
  RefcountRegime regime = RefcountRegime::ref1;
  Operation operation = Operation::punch;
  AccessKind access = AccessKind::fault;
  CellResult result;
  Verdict verdict = Verdict::none;

  const ProtocolInfo& protocol() const { return release == nullptr ? script->info : release->info; }
  const KernelRules& rules() const;
  /// The declared finding that covers a violated promise, or null.
  const Finding* finding(Hazard hazard) const;
  /// How one hazard came out: broken, finding, expected, or kept where nothing was violated.
  Verdict verdict_of(Hazard hazard) const;
  /// False: no schedule had the access in flight when the change began.
  bool decided() const { return result.stops != 0; }
  /// The schedule that shows best what happens here; where several waits have to be shown, it may take
  /// several.
  std::vector<Schedule> telling_schedules() const;
};

/// Which cells are wanted; empty lists mean all, but for releases: of those none is in the table by itself.
struct Selection {
  bool protocols = true;
  std::vector<const ReleaseRow*> releases;
  std::vector<const Script*> scripts;
  std::vector<RefcountRegime> regimes;
  std::vector<Operation> operations;
  std::vector<AccessKind> accesses;
};

/// Decides every cell of the selection, in the order of the tables; each thread stages on a machine of its
/// own, so that their number changes nothing. The cells point into `scripts`.
std::vector<Cell> decide(const std::vector<Script>& scripts, const Selection& selection,
                         unsigned threads = thread_per_cpu());

/// How a cell came out, in one of a few words, worst first.
enum class Happening : std::uint8_t {
  breaks,    ///< a block was touched, freed or read that should not have been, or a promise of another kind
             ///< broke
  hangs,     ///< not all came to an end
  fails,     ///< the change gave up with an error
  fences,    ///< the lessee was fenced and touched nothing
  waits,     ///< the change waited for the access
  harmless,  ///< it went ahead while the access was in flight, and nothing came of it
  nothing    ///< it found nothing to do that could matter
};
inline constexpr std::array<std::string_view, 7> kHappeningNames = {"breaks", "hangs",    "fails",  "fences",
                                                                    "waits",  "harmless", "nothing"};
Happening happening(const Cell& cell);
/// The same with what was seen, how it ended or what was waited for.
std::string describe(const Cell& cell);
/// `ETXTBSY` and such.
std::string error_name(int error);

/// What a schedule forced, step by step, a column for each task, with the locks held at each line; the last
/// lines say what came of it.
std::vector<std::string> explain(const Cell& cell);

}  // namespace daxrace::litmus
