#pragma once

#include <string>
#include <vector>

#include "bench/cli/option_table.hpp"
#include "bench/cli/terminal.hpp"
#include "harness/base/error.hpp"

namespace daxrace {

/// What `daxrace report` was asked for.
struct ReportOptions {
  std::vector<std::string> files;
  std::string out = "report.html";
  std::string title;
  bool plots = true;
  bool text = false;     ///< on stdout, in place of the page
  bool tables = false;   ///< of the text: every table
  bool explain = false;  ///< of the text: every violation
  ColorWhen color = ColorWhen::automatic;
};

OptionTable report_option_table(ReportOptions& options);

/// The page as text. `why_no_plots` is set if there are none; `gnuplot`: the program.
std::string report_page(const ReportOptions& options, const std::string& gnuplot, std::string& why_no_plots);

/// `daxrace report FILE...`. Throws Error.
Exit write_report(const ReportOptions& options);

}  // namespace daxrace
