#pragma once

#include <cstddef>
#include <string>

#include "bench/compare/compare.hpp"

namespace daxrace {

/// How many rows of a comparison end in which way.
struct ChangeCounts {
  std::size_t rows = 0;
  std::size_t slower = 0;
  std::size_t faster = 0;
  std::size_t small = 0;
  std::size_t unchanged = 0;
  std::size_t undecided = 0;
  std::size_t decided() const { return rows - undecided; }
};
ChangeCounts counts_of(const ComparisonReport& report);
/// Outcomes that fail this comparison: of kinds of things only what is bad in itself.
bool counts_as_failure(const CompareResult& result, Outcome outcome);
std::size_t failures_of(const CompareResult& result);

/// What undecided rows lack: `5 repetitions, 7 needed`; empty if nothing is undecided.
std::string lacking_text(const CompareResult& result, const CompareOptions& options);
/// The command that makes as many as are needed, ready for a shell.
std::string remedy_command(const CompareResult& result, const CompareOptions& options);
/// What came out, in one sentence, the remedy included.
std::string conclusion_text(const CompareResult& result, const CompareOptions& options);

/// The recorded command of a run, with so many repetitions (0: as many as it had) and a new file of results;
/// `--preset=compare` if nothing is recorded.
std::string repeated_command(std::vector<std::string> recorded, std::size_t repetitions);

}  // namespace daxrace
