#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/types.hpp"
#include "harness/results/result_summary.hpp"

/// What a run has to say, before anybody words it: which promises were broken, what got through where nothing
/// was promised, and what a punch costs.
namespace daxrace {

/// How a hazard came out under a protocol, worst first.
enum class HazardOutcome : std::uint8_t {
  broken,   ///< promised, and seen
  finding,  ///< the same, as declared beside the promise
  harm,     ///< not promised, and seen
  kept,     ///< promised, put to the test, not seen
  unseen,   ///< not promised, put to the test, not seen this time
  untested  ///< the run had no such access beside a layout change
};
inline constexpr std::string_view kOutcomeLetters = "!FXk.-";
using HazardOutcomes = std::array<HazardOutcome, kHazardNames.size()>;

/// A path of a workload whose cost is shown; at most two.
struct CostColumn {
  std::string workload;
  std::string path;
  std::string reference;
  bool alone = false;        ///< nothing else goes on
  std::size_t scenario = 0;  ///< of the summary: whose figures are shown
};

/// One protocol in such a column. What is added is the difference of the two medians as they are printed, and
/// there only if its interval leaves out 0 on the same side.
struct CostCell {
  enum class Added : std::uint8_t { missing, reference, differs, alike, too_few };
  std::optional<std::uint64_t> p50_ns;
  Added added = Added::missing;
  double added_ns = 0;
};

struct ProtocolAnswer {
  std::string protocol;
  HazardOutcomes outcomes{};
  std::size_t harmed = 0;  ///< episodes in which anything was violated
  std::size_t episodes = 0;
  std::array<CostCell, 2> costs;
  std::optional<std::uint64_t> worst_wait_ns;  ///< of a layout change for locks, pages, I/O and leases
  bool nothing_seen() const { return harmed == 0; }
};

/// What must be said before anything else.
struct Problem {
  enum class Kind : std::uint8_t { broken, hang, error, finding };
  Kind kind = Kind::broken;
  std::string protocol;
  std::string workload;
  std::string refcount;
  std::string hazards;  ///< promised and violated
  std::string reason;   ///< of a hang or error
  std::size_t episodes = 0;
};

/// A violation as the run tells it.
struct RunStory {
  std::string protocol;
  std::string workload;
  std::string what;
};

/// The smallest and largest p99 of the response times of a path.
struct ResponseRange {
  CostColumn of;
  std::size_t protocols = 0;  ///< of which there is one
  double low_ns = 0, high_ns = 0;
  std::string lowest, highest;
};

/// `cheaper` is told from each of `dearer`.
struct ToldApart {
  std::string cheaper;
  std::vector<std::string> dearer;
};

struct Answer {
  std::string machine;   ///< host, CPU, kernel, commit
  std::string settings;  ///< backing, frames and refcount rule
  std::vector<std::string>
      shown_settings;  ///< where a workload was run in several: which one the costs are of
  std::size_t episodes = 0;
  std::size_t workloads = 0;
  std::size_t repetitions = 0;    ///< most of any configuration
  std::size_t harmed = 0;         ///< episodes with harm where nothing was promised
  std::vector<Problem> problems;  ///< gravest first
  std::vector<CostColumn> columns;
  std::vector<ProtocolAnswer> protocols;
  /// Among those under which nothing was seen, in the last column.
  std::vector<ToldApart> told_apart;
  std::size_t pairs_told = 0, pairs = 0;
  /// Where the time of the last column's path goes under the reference, and its zap without any protocol.
  std::optional<MeanParts> where;
  std::optional<double> zap_of_none_ns;
  std::vector<ResponseRange> responses;
  std::optional<RunStory> story;
  std::map<std::string, std::size_t> left_out;
  std::map<std::string, std::size_t> skipped;
};

/// Rows of one machine, kernel and commit. `stories`: what the run's report tells; without them the story
/// comes from the counts of the rows.
Answer answer_of(const std::vector<Row>& rows, const TableOptions& options,
                 const std::vector<RunStory>& stories);
/// The same for whoever has them summarized.
Answer answer_of(const std::vector<Row>& rows, const ResultSummary& summary, const TableOptions& options,
                 const std::vector<RunStory>& stories);

/// Host, CPU, kernel and commit: what rows that are merged must have in common.
std::string machine_of(const Row& row);

}  // namespace daxrace
