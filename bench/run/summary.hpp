#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/results/csv.hpp"

namespace daxrace {

/// What the rows of a run come to.
struct Summary {
  std::size_t episodes = 0;           ///< that ran, errors included
  std::vector<std::string> broken;    ///< `protocol H1+H4 (workload)`, each once
  std::vector<std::string> findings;  ///< the same, declared beside the promise
  std::size_t hangs = 0;              ///< episodes that ended so
  std::size_t errors = 0;
  std::size_t skipped = 0;                ///< configurations
  std::vector<std::string> skip_reasons;  ///< each once
};

/// Of the rows `all`.
Summary summarize(const std::vector<Row>& rows);
/// `280 episodes; promises broken: none; skipped: 7 (no remote node)`.
std::string summary_line(const Summary& summary);
/// The process's exit code if it was not interrupted.
Exit exit_code(const Summary& summary);

}  // namespace daxrace
