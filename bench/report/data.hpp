#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/report/run_records.hpp"
#include "harness/results/answer/answer.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/histogram.hpp"
#include "harness/results/result_summary.hpp"

namespace daxrace {

/// The repetitions of one protocol on one path whose latencies count, together.
struct PathSample {
  Histogram latencies;
  MeanParts mean;  ///< nanoseconds per operation
};

/// How long a layout change waited for locks, busy pages, direct I/O and leases.
struct WaitSample {
  std::uint64_t ops = 0;
  std::vector<double> p99_ns;  ///< one per repetition that has it
  std::uint64_t max_ns = 0;    ///< of all repetitions
};

template <class Value>
using ByPathAndProtocol = std::map<std::string, std::map<std::string, Value>>;

struct DetectorCounts {
  std::uint64_t hang = 0;
  std::array<std::uint64_t, kDetectorNames.size()> seen{};
  bool any() const;
};

/// A scenario of the summary with what the page shows beyond it.
struct ReportScenario {
  Scenario scenario;
  std::string title;  ///< workload, and what tells it from the others
  std::string load;   ///< kind of load, rate and threads, in words
  ByPathAndProtocol<PathSample> samples;
  ByPathAndProtocol<WaitSample> waits;
  ByPathAndProtocol<std::vector<double>> throughput;  ///< operations per second, one per repetition
  std::map<std::string, DetectorCounts> detected;     ///< by protocol
};

/// Rows of one machine, kernel and commit: never merged with those of another.
struct Origin {
  std::string text;  ///< which
  ResultSummary summary;
  Answer answer;
  std::vector<ReportScenario> scenarios;
};

struct ReportData {
  std::vector<Origin> origins;
  std::vector<std::string> protocols;  ///< of the rows, in the order in which they are shown
  std::vector<std::string> coloured;   ///< all that are known: a protocol looks alike in every page
  std::size_t episodes = 0;
  std::size_t index_of(const std::string& protocol) const;
};

/// Sorts the rows of all files into what the page shows. Throws Error for a damaged lat_hist.
ReportData sort_rows(const std::vector<Row>& rows, const RunRecords& records, const TableOptions& options);

/// Whether a path frees or moves blocks.
bool is_layout_change(const std::string& path);

}  // namespace daxrace
