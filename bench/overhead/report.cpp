#include "bench/overhead/report.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/platform/device_guard.hpp"
#include "harness/results/render/table.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace::overhead {
namespace {

using Cells = std::vector<render::Cell>;
constexpr std::array<const char*, 10> kHeads = {"comparison", "figure", "pairs", "without", "with",
                                                "effect",     "95 %",   "A/A",   "bar",     "met"};

std::string value(double number, const Figure& figure) {
  return fmt::format("{:.{}f} {}", number, number < 1000 ? 1 : 0, figure.unit);
}

std::string effect(double number, const Figure& figure) {
  return figure.effect == Effect::ratio ? fmt::format("{:.3f}", number)
                                        : fmt::format("{:+.1f} {}", number, figure.unit);
}

std::string interval(const Interval& bounds, const Figure& figure) {
  if (!bounds.bounded()) return "too few";
  const int digits = figure.effect == Effect::ratio ? 3 : 1;
  return fmt::format("{:.{}f} to {:.{}f}", bounds.low, digits, bounds.high, digits);
}

std::string bar(const Row& row) {
  const double limit = row.figure.bar.limit_for(row.reference);
  const std::string number =
      row.figure.effect == Effect::ratio ? fmt::format("{:.2f}", limit) : fmt::format("{:.0f}", limit);
  switch (row.figure.bar.kind) {
    case Bar::Kind::none:
      return "-";
    case Bar::Kind::at_most:
      return "<= " + number;
    case Bar::Kind::at_least:
      return ">= " + number;
  }
  return "";
}

Cells cells_of(const Row& row) {
  const std::string name = row.group + ": " + row.name;
  if (!row.skip_reason.empty()) return {name, row.figure.name, "0", "", "", "skipped", "", "", bar(row), "-"};
  return {name,
          row.figure.name,
          fmt::format("{}", row.pairs),
          value(row.reference, row.figure),
          value(row.changed, row.figure),
          effect(row.effect.mid, row.figure),
          interval(row.effect, row.figure),
          interval(row.control, row.figure),
          bar(row),
          !row.met   ? "-"
          : *row.met ? "yes"
                     : "no"};
}

render::Table table_of(const std::vector<Row>& rows) {
  render::Table table;
  for (const char* name : kHeads) table.columns.push_back({.name = name, .gap = 2});
  for (const Row& row : rows) table.add(cells_of(row));
  return table;
}

std::vector<std::string> skip_lines(const std::vector<Row>& rows) {
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    if (row.skip_reason.empty()) continue;
    std::string line = fmt::format("{}: {}: skipped: {}", row.group, row.name, row.skip_reason);
    if (lines.empty() || lines.back() != line) lines.push_back(std::move(line));
  }
  return lines;
}

std::string summary(const std::vector<Row>& rows) {
  const auto held = std::ranges::count_if(rows, [](const Row& row) { return row.met.has_value(); });
  const auto missed = std::ranges::count_if(rows, [](const Row& row) { return row.met && !*row.met; });
  return fmt::format("{} bars, {} met, {} missed", held, held - missed, missed);
}

std::string machine_facts(const RunInfo& info) {
  return fmt::format(
      "- machine: {}, kernel {}{}\n"
      "- kernel: {}; debug options: {}; parameters: {}\n"
      "- governor: {}; turbo: {}; SMT: {}; THP: {}; load average at the end: {}\n"
      "- clock: {}, {:.1f} ns a read\n",
      info.cpu, info.kernel, info.emulated.empty() ? "" : " (" + info.emulated + ")", info.kernel_version,
      info.kernel_debug, info.kernel_parameters.empty() ? "none of note" : info.kernel_parameters,
      info.governor.empty() ? "unknown" : info.governor, info.turbo.empty() ? "unknown" : info.turbo,
      info.smt.empty() ? "unknown" : info.smt, info.thp, info.loadavg, info.clock, info.clock_read_cost_ns);
}

constexpr std::string_view kReading =
    "Every comparison runs as quads A B B A, two pairs each, and every quad is followed by A A A A: that is "
    "the\n"
    "control. `effect` is the median over the pairs of with / without (or of the difference), with its 95 %\n"
    "bootstrap interval; `A/A` is the same interval between two runs of `without`: what the machine does by\n"
    "itself. A bar is met if the *upper end* of the interval is (`<=`: at most it; `>=`: at least it). All "
    "with\n"
    "one worker on one CPU, closed load, because it gives more samples than paced load.\n\n"
    "- oracle: protocol iolock_mmaplock, service time of the path that the preset is named after (mean of "
    "the\n"
    "  middle half), oracle on against off. 1.05 for paths of 2 us and more, 1.10 below. Leases are returned "
    "at\n"
    "  once.\n"
    "- recorder: the same with every operation timed and recorded, against no clock read at all.\n"
    "- O_DIRECT: the preset aio_read (writes of 4 KiB from frames) with protocol none and the oracle on, "
    "against\n"
    "  fio's io_uring engine on the same blocks of the same file with registered files, one latency and\n"
    "  unscrambled buffers. CPU time is getrusage of the worker thread on both sides; fio rounds its down to "
    "1 ms.\n"
    "- zap + fault: the preset fault with the oracle on, against MADV_DONTNEED and an atomic touch of the "
    "same\n"
    "  frames with two clock reads around the touch.\n"
    "- hand-inlined: a path through protocol and core, as a worker's templates have it, against the same "
    "steps written\n"
    "  down by hand in one function; without oracle and recorder.\n";

}  // namespace

std::string text_table(const std::vector<Row>& rows) {
  std::string text = render::text(table_of(rows));
  for (const std::string& line : skip_lines(rows)) text += line + '\n';
  return text + summary(rows) + '\n';
}

std::string markdown(const std::vector<Row>& rows, const Context& context) {
  const RunInfo info = gather_run_info();
  const BuildInfo build = build_info();
  std::string text = fmt::format(
      "# What the harness itself costs\n\n"
      "Written by `scripts/overhead.sh`.\n\n"
      "- commit: {}\n- time: {}\n- command: `{}`\n- built by {} with `{}` ({})\n",
      build.git_commit, info.time_utc, context.command, build.compiler, build.flags, build.build_type);
  text += machine_facts(info);
  text += fmt::format("- set up: {}\n- runs: {}\n- fio: {}\n\n**{}**\n\n", context.rig, context.setup,
                      context.fio.empty() ? "none" : context.fio, summary(rows));
  text += render::markdown(table_of(rows));
  for (const std::string& line : skip_lines(rows)) text += fmt::format("\n{}\n", line);
  return text + "\n" + std::string(kReading);
}

void write_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(fresh.c_str());
    throw Error(system_error_line("write", path, error));
  }
}

}  // namespace daxrace::overhead
