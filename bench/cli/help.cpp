#include "bench/cli/help.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"
#include "harness/base/text.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {
namespace {

struct ExitText {
  Exit code;
  std::string_view meaning;
};
constexpr std::array<ExitText, 5> kExitTexts = {
    {{Exit::ok, "no promise broken"},
     {Exit::broken,
      "a promise was broken, an operation hung, an episode failed, or a comparison found a regression"},
     {Exit::usage, "bad option or input, or a target that must not be touched"},
     {Exit::skipped, "nothing that was asked for can run here, or what --require= asked for was not met"},
     {Exit::interrupted, "stopped by a signal; the rows of finished episodes are kept"}}};

}  // namespace

std::vector<std::pair<int, std::string_view>> exit_meanings() {
  std::vector<std::pair<int, std::string_view>> out;
  for (const ExitText& text : kExitTexts) out.emplace_back(static_cast<int>(text.code), text.meaning);
  return out;
}

namespace {

std::string exit_table() {
  std::string out = "\nExit codes:\n";
  for (const ExitText& text : kExitTexts)
    out +=
        wrapped_text(fmt::format("  {:>3}  ", static_cast<int>(text.code)), text.meaning, 7, kScreenColumns);
  return out;
}

/// A command that has no room in a line goes on in the next, as a shell reads it; what says why it is
/// there then stands above.
std::string examples_text(std::string_view text) {
  std::string out;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    if (line.size() + 2 <= kScreenColumns) {
      out += fmt::format("  {}\n", line);
      continue;
    }
    if (const std::size_t comment = line.find(" #"); comment != std::string::npos) {
      out += fmt::format("  {}\n", line.substr(comment + 1));
      line.resize(line.find_last_not_of(' ', comment) + 1);
    }
    std::string command = wrapped_text("  ", line, 6, kScreenColumns - 2);
    for (std::size_t at = 0; (at = command.find('\n', at)) + 1 < command.size(); at += 3)
      command.insert(at, " \\");
    out += command;
  }
  return out;
}

/// Paragraphs, as wide as a terminal is at least.
std::string details_text(std::string_view text) {
  std::string out;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) out += wrapped_text("", paragraph, 0, kScreenColumns);
    paragraph.clear();
  };
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      end_paragraph();
      out += '\n';
    } else {
      paragraph += (paragraph.empty() ? "" : " ") + line;
    }
  }
  end_paragraph();
  return out;
}

constexpr std::string_view kRunDetails =
    R"(Runs protocols under workloads with the oracle on and writes one CSV row per episode and path. An episode
is one protocol under one workload for a fraction of a second; episodes are interleaved in seeded blocks, so
that a drift of the machine hits all protocols alike. Without --workload it runs a preset: the quick
matrix unless another is named. Lists may be given with commas or by repeating the option.

Times take a unit (us, ms, s, m, h), sizes may take one (K, M, G). --benchmark_filter, --benchmark_out,
--benchmark_out_format, --benchmark_context and --benchmark_list_tests go to Google Benchmark, whose names are
the canonical names with /repetition:N/iterations:1/manual_time behind them.)";

constexpr std::string_view kRunExamples =
    R"(daxrace run                                             # the quick matrix on memory
daxrace run --preset=compare --out=before.csv           # what 'daxrace compare' needs
daxrace run --workload=gup_vs_punch --protocol=ext4,lease_break --repetitions=10
daxrace run --workload=realloc --load=closed --perturb  # catch what is unsafe
daxrace run --backing=fsdax:/mnt/pmem --placement=local,remote --time=10m --out=pmem.csv
daxrace run --until=decided:2%:punch --time=20m         # until punch is known to 2 %
daxrace run --filter='^punch/' --dry-run
daxrace run --resume=pmem.csv                           # go on where it was interrupted
daxrace run --target=kernel --dir=/mnt/pmem --workload=mixed,gup_vs_punch)";

constexpr std::string_view kLitmusDetails =
    R"(Decides for every protocol, layout change and access what happens when they meet: the access is stopped at
each of its steps, the change is started and run until it sleeps or ends, freed blocks are given to another
file, and all are run to the end; and again with the change stopped at each of its own steps. One thread,
fibers, no clock: the same table every time. The protocol source is the one that 'daxrace run' measures.

With --target=kernel --dir=DIR the running kernel is looked at, on real files of the file system of DIR: an
access is held in flight by a userfaultfd page or a pipe, and whether the change waits is decided by the state
of its thread. Operations and accesses are other ones then; see docs/kernel-target.md.)";

constexpr std::string_view kLitmusExamples =
    R"(daxrace litmus                                          # the whole safety table
daxrace litmus --protocol=ext4 --operation=punch        # cell by cell
daxrace litmus --protocol=mmaplock --operation=punch --access=aio_write --refcount=ref1 --explain
daxrace litmus --format=csv > safety.csv
daxrace litmus --target=kernel --dir=/mnt/pmem --access=pin,pin_munmap
daxrace litmus --target=kernel --reproducer=zero_page   # src/zero_page.c, and a case of fstests)";

constexpr std::string_view kCompareDetails =
    R"(Matches the rows of two sides by the key of the CSV and reports what became worse: first promises broken, hangs,
errors, configurations that vanished or cannot run any more, then changes of the median service time that are
significant and beyond the threshold. What too few repetitions leave open is undecided, not the same, and the
command that makes enough of them is named. One screen, a line a path; --tables has every row.

A side is a result file, a directory of them or a quoted pattern; with --base and --new any number. Rows that are
saturated, overcommitted, perturbed or emulated are kept out of costs, as in the table of a run. Another machine,
kernel or kernel debugging is refused unless --by or --allow-different names it.)";

constexpr std::string_view kCompareExamples =
    R"(daxrace compare before.csv after.csv
daxrace compare --base='a-*.csv' --new=b-1.csv,b-2.csv --threshold=3
daxrace compare unpatched.csv patched.csv --by=kernel --mail
daxrace compare run.csv --by=protocol:iolock_mmaplock,ext4 --tables
daxrace compare old/ new/ --metric=p50,p99,throughput --format=json)";

constexpr std::string_view kReportDetails =
    R"(Writes one self-contained HTML page from result files and the .run.json beside each: the answer on top, then
verdicts, cost against the reference with intervals and where the time goes, latencies, scaling, local against
remote, waits of layout changes, violations with their timelines, environment and command. A directory stands
for all result files in it, each row once. Rows of different machines, kernels or commits are never merged.
Plots need gnuplot; without it the tables stand alone. --format=text prints the screen with which a run ends.)";

constexpr std::string_view kReportExamples =
    R"(daxrace report results/reference/memory.csv             # report.html
daxrace report local.csv remote.csv --out=numa.html --title="pmem0"
daxrace report results/nightly --out=- > nightly.html
daxrace report --format=text results/reference/memory.csv)";

constexpr std::string_view kHistoryDetails =
    R"(Puts the runs of many result files into the order in which they started and marks, for every path of every
configuration, the run from which on it is slower or faster. One value a run, from the merged histograms of its
repetitions; binary segmentation on ranks with a permutation test, corrected for the rows of a path. Exit status 1
only if a promise was broken, or something hung or failed, in the latest run.)";

constexpr std::string_view kHistoryExamples =
    R"(daxrace history results/nightly
daxrace history results/nightly --metric=p99 --mail
daxrace history results/nightly --format=csv > history.csv)";

constexpr std::string_view kExploreDetails =
    R"(Runs every interleaving of a few tasks under every protocol: layout changes against faults, reads, direct I/O,
pins and leases, on the protocol source that 'daxrace run' measures. Tasks change places at the named steps, at
locks and around waits; freed blocks are given to another file at once. Says for each scenario whether it is
safe (all interleavings were seen), and where not, tells the way there with the fewest preemptions. Memory is
sequentially consistent here: what weak memory does is the business of the thread sanitizer build.)";

constexpr std::string_view kExploreExamples =
    R"(daxrace explore                                         # every protocol, every scenario
daxrace explore --protocol=ext4 --scenario=pin_refault_punch --explain
daxrace explore --scenario=cells --protocol=lease_break  # the cells of the litmus table
daxrace explore --replay=none:pin_punch:ref1:a3b9a       # one interleaving, told)";

}  // namespace

const std::vector<VerbText>& verb_texts() {
  static const std::vector<VerbText> texts = {
      {"run", "what each protocol costs, and whether it holds under stress", kRunDetails, kRunExamples},
      {"litmus", "which hazards each protocol stops: staged one by one, without luck", kLitmusDetails,
       kLitmusExamples},
      {"explore", "whether any interleaving breaks a protocol: all of them, to a bound", kExploreDetails,
       kExploreExamples},
      {"compare", "what changed between results, and whether it can be told from chance", kCompareDetails,
       kCompareExamples, "BASE NEW"},
      {"report", "what results look like: one HTML page with plots", kReportDetails, kReportExamples,
       "DIR|FILE..."},
      {"history", "when it changed, over a folder of results", kHistoryDetails, kHistoryExamples,
       "DIR|FILE..."},
      {"list", "protocols, workloads, and what this machine can run them on",
       "Names everything that 'daxrace run' takes: protocols with what they promise and stand for, "
       "workloads\n"
       "with their roles, backings that were found here, placements and locks.",
       "daxrace list\ndaxrace list --format=json"},
      {"env", "whether this machine is fit, and the command that mends what is not",
       "Looks at CPUs, NUMA nodes, clock, frequency governor, io_uring, persistent memory and DAX mounts. "
       "Each\n"
       "line says ok, note (it runs, but mind this) or missing (something cannot run), with what mends it.",
       "daxrace env\ndaxrace env --format=json"},
  };
  return texts;
}

const VerbText& verb_text(std::string_view name) {
  const auto& texts = verb_texts();
  const auto found = std::ranges::find(texts, name, &VerbText::name);
  if (found != texts.end()) return *found;
  std::vector<std::string> names;
  for (const VerbText& text : texts) names.emplace_back(text.name);
  const std::string unknown = unknown_word("verb", name, names);
  throw Error(unknown + (unknown.ends_with('?') ? " " : ". ") + "See 'daxrace help'.");
}

std::string first_help() {
  std::string out = "Which locks make it safe to free the blocks of a DAX file? What do they cost?\n";
  for (const VerbText& verb : verb_texts()) out += fmt::format("  {:<9}{}\n", verb.name, verb.summary);
  return out + "First: daxrace litmus, then daxrace run. More: daxrace help, daxrace help VERB\n";
}

std::string program_help() {
  std::string out =
      "daxrace: lock protocols for DAX truncate and hole punch, run under load: are\n"
      "they safe, do they end, what do they cost?\n\nusage: daxrace VERB [options]\n\nVerbs ('daxrace VERB "
      "--help' says more):\n";
  for (const VerbText& verb : verb_texts()) out += fmt::format("  {:<9}{}\n", verb.name, verb.summary);
  out +=
      "\nOptions:\n  --help        this text\n  --version     commit, compiler, flags and build type\n  "
      "--man         the manual page, for man -l -\n  --completion  the completion for bash, to be sourced\n";
  return out + exit_table();
}

std::string verb_help(const VerbText& verb, const OptionTable& table) {
  std::string out = fmt::format("usage: daxrace {} [options]{}{}\n\n{}", verb.name,
                                verb.operands.empty() ? "" : " ", verb.operands, details_text(verb.details));
  out += render_options(table);
  out += fmt::format("\nExamples:\n{}", examples_text(verb.examples));
  return out + exit_table();
}

std::string version_text() {
  const BuildInfo build = build_info();
  return fmt::format("daxrace {}\ncommit      {}\ncompiler    {}\nflags       {}\nbuild type  {}\n",
                     build.version, build.git_commit, build.compiler, build.flags, build.build_type);
}

}  // namespace daxrace
