#include "bench/check/litmus.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "bench/check/kernel_litmus.hpp"
#include "bench/check/litmus_letters.hpp"
#include "bench/check/litmus_text.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace {
namespace {

using Values = std::vector<std::string>;

constexpr std::size_t kMostExplained = 64;
constexpr std::size_t kMostListed = 400;

Values protocol_words() {
  Values names;
  for (const litmus::Script& script : litmus::scripts()) names.emplace_back(script.info.name);
  return names;
}

template <class Infos>
Values words_of(const Infos& infos) {
  Values names;
  for (const auto& info : infos) names.emplace_back(info.name);
  return names;
}

/// `all` is every one of them here: without the option there is none.
std::vector<const litmus::ReleaseRow*> releases_of(const LitmusOptions& options) {
  const auto rows = litmus::release_rows();
  Values names;
  for (const litmus::ReleaseRow& row : rows) names.emplace_back(row.release->name);
  std::vector<const litmus::ReleaseRow*> found;
  for (const std::size_t i : positions_of("release", options.releases, names)) found.push_back(&rows[i]);
  if (found.empty() && !options.releases.empty())
    for (const litmus::ReleaseRow& row : rows) found.push_back(&row);
  return found;
}

litmus::Selection selection_of(const LitmusOptions& options) {
  litmus::Selection selection;
  for (const std::size_t i : positions_of("protocol", options.protocols, protocol_words()))
    selection.scripts.push_back(&litmus::scripts()[i]);
  selection.releases = releases_of(options);
  selection.protocols = options.releases.empty() || !options.protocols.empty();
  for (const std::size_t i : positions_of("operation", options.operations, words_of(litmus::kOperations)))
    selection.operations.push_back(static_cast<litmus::Operation>(i));
  for (const std::size_t i : positions_of("access", options.accesses, words_of(litmus::kAccesses)))
    selection.accesses.push_back(static_cast<litmus::AccessKind>(i));
  const Values regimes(kRefcountRegimeNames.begin(), kRefcountRegimeNames.end());
  for (const std::size_t i : positions_of("refcount", options.refcounts, regimes))
    selection.regimes.push_back(static_cast<RefcountRegime>(i));
  return selection;
}

LitmusFormat format_of(const std::string& word) { return parse_format(word, kTableFormats); }

void require(LitmusOptions& options, const Values& words) {
  for (const std::string& word : words) {
    const bool dax = position_of("require", word, {"decided", "dax"}, "requirement") == 1;
    (dax ? options.require_dax : options.require_decided) = true;
  }
}

std::string explained(const std::vector<litmus::Cell>& cells) {
  if (cells.size() > kMostExplained)
    throw Error(
        fmt::format("--explain: {} cells are selected, at most {} are told; choose with --protocol, "
                    "--operation, --access, --refcount",
                    cells.size(), kMostExplained));
  std::string out;
  for (const litmus::Cell& cell : cells) {
    out += '\n';
    for (const std::string& line : litmus::explain(cell)) out += line + '\n';
  }
  return out;
}

std::string rendered(const LitmusOptions& options, const std::vector<litmus::Cell>& cells, bool colour) {
  switch (options.format) {
    case LitmusFormat::csv:
      return litmus_csv(cells);
    case LitmusFormat::json:
      return litmus_json(cells);
    case LitmusFormat::markdown:
      return litmus_markdown(cells);
    case LitmusFormat::text:
      break;
  }
  std::string out = litmus_table(cells, Paint(colour)) + '\n' + litmus_legend();
  const bool narrowed = !options.operations.empty() || !options.accesses.empty() ||
                        !options.protocols.empty() || !options.releases.empty();
  if (narrowed && cells.size() <= kMostListed) out += '\n' + litmus_lines(cells);
  return out + litmus_remarks(cells);
}

}  // namespace

OptionTable litmus_option_table(LitmusOptions& o) {
  constexpr std::string_view kWhat = "What to decide";
  constexpr std::string_view kHow = "How to show it";
  return {
      {kWhat, "target", Takes::value, "engine|kernel", "engine",
       "whose protocols: the engine's, or the running kernel's",
       [&o](const Values& values) { o.target = parse_target(values.front()); }},
      {kWhat, "dir", Takes::value, "DIR", "",
       "kernel: directory of the file system under test; all is made below DIR/daxrace-kernel",
       [&o](const Values& values) { o.dir = values.front(); }},
      {kWhat, "protocol", Takes::list, "NAME,...", "all", "protocols; 'daxrace list' names them",
       [&o](const Values& values) { o.protocols = values; }},
      {kWhat, "release", Takes::list, "FS@VERSION,...", "none",
       "kernel releases beside the protocols, or instead where no --protocol is given: xfs@6.12, ext4@7.x, "
       "...; 'daxrace list' names them",
       [&o](const Values& values) { o.releases = values; }},
      {kWhat, "operation", Takes::list, "NAME,...", "all",
       "layout changes: punch, truncate_down, truncate_up, collapse, insert, zero, evict; and write_hole",
       [&o](const Values& values) { o.operations = values; }},
      {kWhat, "access", Takes::list, "NAME,...", "all",
       "what is in flight: fault, load, read, aio_write, gup_fast, lease_slow, ...; a wrong word names them "
       "all",
       [&o](const Values& values) { o.accesses = values; }},
      {kWhat, "refcount", Takes::list, "ref1,ref0", "both", "which count says that a page is idle",
       [&o](const Values& values) { o.refcounts = values; }},
      {kWhat, "allow", Takes::list, "freeze,umount", "",
       "kernel: what may be done to the whole file system of DIR while a change waits; without it these "
       "cells are "
       "skipped",
       [&o](const Values& values) { o.allowed = values; }},
      {kWhat, "require", Takes::list, "decided,dax", "",
       "exit status 77 if this is not so. decided: every cell was decided (a broken promise still gives 1); "
       "dax: kernel: the files are on DAX, else no cell is run",
       [&o](const Values& values) { require(o, values); }},
      {kWhat, "hang-bound", Takes::value, "TIME", "5s",
       "kernel: a change that has not ended so long after its access hangs; less is enough in a wait where "
       "somebody has slept so long before",
       [&o](const Values& values) { o.hang_bound_ns = parse_duration_ns("hang-bound", values.front()); }},
      {kWhat, "time-bound", Takes::value, "TIME", "10m",
       "kernel: no cell is begun so long after the table was; those that are left are skipped",
       [&o](const Values& values) { o.time_bound_ns = parse_duration_ns("time-bound", values.front()); }},
      {kHow, "explain", Takes::nothing, "", "",
       "tell the interleaving that was forced, for each selected cell",
       [&o](const Values&) { o.explain = true; }},
      {kHow, "versus-engine", Takes::nothing, "", "",
       "kernel, text: holds each cell against the release that stands for this kernel, or --release=; exit "
       "status 1 where one differs, 0 where all agree",
       [&o](const Values&) { o.versus_engine = true; }},
      {kHow, "reproducer", Takes::list, "NAME,...", "",
       "kernel: write the stand-alone C program that shows a finding, and the same as a case of fstests, and "
       "decide nothing; a wrong word names them",
       [&o](const Values& values) { o.reproducers = values; }},
      {kHow, "into", Takes::value, "DIR", ".",
       "where --reproducer writes src/ and tests/generic/; no file is replaced",
       [&o](const Values& values) { o.into = values.front(); }},
      {kHow, "format", Takes::value, "text|csv|json|markdown", "text", "how to print it",
       [&o](const Values& values) { o.format = format_of(values.front()); }},
      color_option(kHow, o.color),
      {kHow, "repeat", Takes::value, "N", "1", "decide everything N times and compare, byte for byte",
       [&o](const Values& values) {
         o.repeat = static_cast<unsigned>(parse_count("repeat", values.front(), 1, 1'000'000));
       }},
      {kHow, "threads", Takes::value, "N", "CPUs", "engine: cells decided at a time; the answer is the same",
       [&o](const Values& values) {
         o.threads = static_cast<unsigned>(parse_count("threads", values.front(), 1, 1024));
       }},
  };
}

LitmusReport litmus_report(const LitmusOptions& options, bool colour) {
  const unsigned threads = options.threads != 0 ? options.threads : thread_per_cpu();
  const std::vector<litmus::Cell> cells = litmus::decide(litmus::scripts(), selection_of(options), threads);
  if (cells.empty()) throw Error("litmus: no such operation and access ever meet", Exit::skipped);
  LitmusReport report{rendered(options, cells, colour), Exit::ok};
  if (options.explain) report.text += explained(cells);
  if (std::ranges::find(cells, Verdict::broken, &litmus::Cell::verdict) != cells.end())
    report.code = Exit::broken;
  const std::string missing = litmus_undecided(cells);
  if (options.require_decided && report.code == Exit::ok && !missing.empty()) {
    report.code = Exit::skipped;
    report.unmet = "--require=decided: " + missing;
  }
  return report;
}

Exit print_litmus(const LitmusOptions& options) {
  if (options.target == Target::kernel) return print_kernel_litmus(options);
  const std::vector<std::pair<std::string_view, bool>> kernel_only = {
      {"dir", !options.dir.empty()},
      {"allow", !options.allowed.empty()},
      {"hang-bound", options.hang_bound_ns != 0},
      {"time-bound", options.time_bound_ns != 0},
      {"versus-engine", options.versus_engine},
      {"reproducer", !options.reproducers.empty()},
      {"require=dax", options.require_dax}};
  for (const auto& [name, given] : kernel_only)
    if (given) throw Error(fmt::format("--{}: needs --target=kernel", name));
  const bool colour = options.format == LitmusFormat::text && paint_for(options.color).on();
  const LitmusReport report = litmus_report(options, colour);
  fmt::print("{}", report.text);
  if (!report.unmet.empty()) fmt::print(stderr, "daxrace: litmus: {}\n", report.unmet);
  for (unsigned i = 1; i < options.repeat; ++i) {
    if (litmus_report(options, colour).text == report.text) continue;
    fmt::print(stderr, "daxrace: litmus: repetition {} of {} came out differently\n", i + 1, options.repeat);
    return Exit::broken;
  }
  if (options.repeat > 1) fmt::print(stderr, "{} repetitions, all the same\n", options.repeat);
  return report.code;
}

}  // namespace daxrace
