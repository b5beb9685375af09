#include "bench/cli/options.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/base/error.hpp"
#include "harness/base/split.hpp"
#include "harness/load/workload.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace {
namespace {

using Values = std::vector<std::string>;

constexpr std::string_view kWhat = "What to run";
constexpr std::string_view kHow = "How it is set up";
constexpr std::string_view kLoad = "Load and time";
constexpr std::string_view kMachine = "Machine";
constexpr std::string_view kResults = "Results";

template <std::size_t N>
Values words_of(const std::array<std::string_view, N>& names) {
  return {names.begin(), names.end()};
}

template <class Out, class Parse>
void parse_list_into(std::vector<Out>& out, const Values& values, Parse parse) {
  out.clear();
  for (const std::string& value : values) {
    const Out parsed = parse(value);
    if (std::ranges::find(out, parsed) == out.end()) out.push_back(parsed);
  }
}

/// `all` stands for every name; a typo beside it is one all the same.
void parse_names(std::vector<std::string>& out, std::string_view what, const Values& values,
                 const Values& known) {
  parse_list_into(out, values, [&](const std::string& value) {
    return value == "all" ? value : known[position_of(what, value, known)];
  });
  if (std::ranges::find(out, "all") != out.end()) out = known;
}

unsigned parse_unsigned(std::string_view option, const std::string& text, std::uint64_t low,
                        std::uint64_t high) {
  return static_cast<unsigned>(parse_count(option, text, low, high));
}

std::uint64_t parse_seed(std::string_view option, const std::string& text) {
  return parse_count(option, text, 0, UINT64_MAX);
}

void append(OptionTable& table, OptionTable rows) {
  for (OptionSpec& row : rows) table.push_back(std::move(row));
}

/// Rows are written and locked as they come: a pipe cannot hold them.
std::string file_named(std::string_view option, const std::string& name) {
  if (name == "-") throw Error(fmt::format("--{}=-: a file is needed, not standard output", option));
  return name;
}

OptionSpec flag(std::string_view group, std::string_view name, bool& target, bool value,
                std::string_view help) {
  return {group, name, Takes::nothing, "", "", help, [&target, value](const Values&) { target = value; }};
}

OptionTable what_options(RunOptions& o) {
  return {
      {kWhat, "target", Takes::value, "engine|kernel", "engine",
       "whose protocols: the engine's, or the running kernel's on real files (protocol `kernel`)",
       [&o](const Values& v) { o.target = parse_target(v.front()); }},
      {kWhat, "dir", Takes::value, "DIR", "",
       "kernel: directory of the file system under test; all is made below it and removed",
       [&o](const Values& v) { o.dir = v.front(); }},
      {kWhat, "preset", Takes::value, "quick|compare", "quick: at most 60 s on 2 CPUs",
       "a ready-made matrix; compare: the rows that matter when commits are compared, as often as a decision "
       "needs and at least 12 times, below 5 min",
       [&o](const Values& v) { o.preset = word_to<Preset>("preset", kPresetNames, v.front()); }},
      {kWhat, "workload", Takes::list, "NAME,...", "those of the preset",
       "workloads to run, or 'all'; 'daxrace list' names them",
       [&o](const Values& v) { parse_names(o.workloads, "workload", v, workload_names()); }},
      {kWhat, "protocol", Takes::list, "NAME,...", "all; in the preset compare those that ship, and none",
       "protocols to run, or 'all'",
       [&o](const Values& v) { parse_names(o.protocols, "protocol", v, protocol_names()); }},
      {kWhat, "filter", Takes::value, "REGEX", "",
       "keep the configurations whose canonical name, such as mixed/ext4/memory/local/threads:2, matches",
       [&o](const Values& v) { o.filter = v.front(); }},
      flag(kWhat, "dry-run", o.dry_run, true,
           "print what would run, what stands in its way, and about how long it takes; run nothing"),
      {kWhat, "config", Takes::value, "FILE", "",
       "read options from FILE, one 'name = value' a line; those on the command line win",
       [&o](const Values& v) { o.config = v.front(); }},
  };
}

OptionTable setup_options(RunOptions& o) {
  return {
      {kHow, "backing", Takes::list, "KIND[:PATH],...", "memory",
       "memory, file:PATH, fsdax:DIR (a file made in DIR, which must be mounted with DAX) or "
       "devdax:/dev/daxX.Y",
       [&o](const Values& v) {
         parse_list_into(o.backings, v, [](const auto& text) { return parse_backing(text); });
       }},
      {kHow, "frame-bytes", Takes::list, "SIZE,...", "the device's alignment, else 4K",
       "size of a frame, such as 4K or 2M",
       [&o](const Values& v) {
         parse_list_into(o.frame_bytes, v, [](const auto& text) { return parse_bytes("frame-bytes", text); });
       }},
      {kHow, "entry-bytes", Takes::value, "SIZE", "one frame",
       "largest translation and DAX entry: 2M over 4K frames makes busy test and zap act on 512 pages at "
       "once where each of them has a block",
       [&o](const Values& v) { o.entry_bytes = parse_bytes("entry-bytes", v.front()); }},
      {kHow, "file-pages", Takes::list, "N,...", "64", "pages of the file under test",
       [&o](const Values& v) {
         parse_list_into(o.file_pages, v,
                         [](const auto& t) { return parse_unsigned("file-pages", t, 1, 1U << 28); });
       }},
      {kHow, "refcount", Takes::list, "ref1,ref0", "ref1",
       "which rule says that a page is idle: ref1 (kernels to 6.14) or ref0 (6.15 on)",
       [&o](const Values& v) {
         parse_list_into(o.refcounts, v, [](const auto& t) {
           return word_to<RefcountRegime>("refcount", kRefcountRegimeNames, t);
         });
       }},
      {kHow, "lock", Takes::list, "NAME,...", "rwsem",
       "lock behind IOLOCK and MMAPLOCK: rwsem (the kernel's rules) or pthread_rwlock",
       [&o](const Values& v) { parse_names(o.locks, "lock", v, words_of(kLockNames)); }},
      {kHow, "discard", Takes::value, "zap|punch", "zap",
       "what becomes of a freed frame's storage; punch: a real fallocate(PUNCH_HOLE), no verdict on fsdax",
       [&o](const Values& v) { o.discard = word_to<Discard>("discard", kDiscardNames, v.front()); }},
      {kHow, "oracle", Takes::value, "on|off", "on",
       "check every access; off only to measure the oracle itself",
       [&o](const Values& v) {
         constexpr std::array<std::string_view, 2> kSwitch = {"off", "on"};
         o.oracle = word_to<int>("oracle", kSwitch, v.front()) != 0;
       }},
      {kHow, "perturb", Takes::optional_value, "SEED", "off",
       "seeded delays between the steps of every path, so that narrow windows are hit; no latencies then",
       [&o](const Values& v) {
         o.perturb = true;
         if (!v.empty()) o.perturb_seed = parse_seed("perturb", v.front());
       }},
      flag(kHow, "durable", o.durable, true, "writes persist even where that takes an msync per write"),
  };
}

/// `decided`, `decided:2%`, `decided:2%:punch,fault`.
void parse_until(RunOptions& o, const std::string& text) {
  const auto parts = split_at(':', text);
  if (parts.front() != "decided" || parts.size() > 3)
    throw Error(fmt::format("--until={}: wanted decided[:N%[:PATH,...]]", text));
  constexpr double kUsualWidth = 0.05;
  o.until_width = parts.size() > 1 ? parse_percent("until", std::string(parts[1])) : kUsualWidth;
  if (*o.until_width <= 0) throw Error(fmt::format("--until={}: a percentage above 0", text));
  if (parts.size() < 3) return;
  const auto words = split_at(',', parts[2]);
  parse_names(o.until_paths, "until", Values(words.begin(), words.end()), words_of(kPathNames));
}

OptionTable load_options(RunOptions& o) {
  return {
      {kLoad, "load", Takes::list, "paced,closed", "paced",
       "paced: a fixed offered load, which makes costs comparable; closed: as fast as it goes, for stress. "
       "The quick matrix runs realloc closed",
       [&o](const Values& v) {
         parse_list_into(o.loads, v, [](const auto& t) { return word_to<Load>("load", kLoadNames, t); });
       }},
      {kLoad, "threads", Takes::list, "N,...", "1 for single-path workloads, else 2, at most one per CPU",
       "workers under paced load, each running the whole mix; under closed load the workload's roles decide",
       [&o](const Values& v) {
         parse_list_into(o.threads, v, [](const auto& t) { return parse_unsigned("threads", t, 1, 4096); });
       }},
      {kLoad, "rate", Takes::list, "FACTOR,...", "1", "multiplies every role's rate under paced load",
       [&o](const Values& v) {
         parse_list_into(o.rates, v, [](const auto& t) { return parse_positive("rate", t); });
       }},
      {kLoad, "sweep-rate", Takes::optional_list, "FACTOR,...", "",
       "throughput against offered load: the factors 0.25 to 16, doubling, or those given",
       [&o](const Values& v) {
         const Values sweep = v.empty() ? Values{"0.25", "0.5", "1", "2", "4", "8", "16"} : v;
         parse_list_into(o.rates, sweep, [](const auto& t) { return parse_positive("sweep-rate", t); });
       }},
      {kLoad, "queue-depth", Takes::list, "N,...", "1", "I/O in flight per worker",
       [&o](const Values& v) {
         parse_list_into(o.queue_depths, v,
                         [](const auto& t) { return parse_unsigned("queue-depth", t, 1, 1024); });
       }},
      {kLoad, "duration", Takes::value, "TIME", "250ms", "measured part of an episode",
       [&o](const Values& v) { o.duration_ns = parse_duration_ns("duration", v.front()); }},
      {kLoad, "warmup", Takes::value, "TIME", "50ms", "discarded part before it",
       [&o](const Values& v) { o.warmup_ns = parse_duration_ns("warmup", v.front()); }},
      {kLoad, "repetitions", Takes::value, "N", "5",
       "episodes per configuration, interleaved in seeded blocks",
       [&o](const Values& v) { o.repetitions = parse_unsigned("repetitions", v.front(), 1, 100'000); }},
      {kLoad, "time", Takes::value, "TIME", "", "as many repetitions as fit into this time, such as 10m",
       [&o](const Values& v) { o.time_budget_ns = parse_duration_ns("time", v.front()); }},
      {kLoad, "until", Takes::value, "decided[:N%[:PATH,...]]", "",
       "go on until the 95 % interval of each median (of the paths named, else of all) is narrower than N % "
       "of "
       "it (5 %), and a comparison could decide; at most --time (10m)",
       [&o](const Values& v) { parse_until(o, v.front()); }},
      {kLoad, "seed", Takes::value, "N", "1",
       "of the order of episodes, the schedules and the choices within them",
       [&o](const Values& v) { o.seed = parse_seed("seed", v.front()); }},
      {kLoad, "hang-bound", Takes::value, "TIME", "10s",
       "an operation that takes longer is reported as a hang",
       [&o](const Values& v) { o.hang_bound_ns = parse_duration_ns("hang-bound", v.front()); }},
  };
}

OptionTable machine_options(RunOptions& o) {
  return {
      {kMachine, "placement", Takes::list, "NAME,...", "local",
       "local, remote, interleave (relative to the pmem's NUMA node) or none (the scheduler decides)",
       [&o](const Values& v) {
         parse_list_into(o.placements, v,
                         [](const auto& t) { return word_to<Placement>("placement", kPlacementNames, t); });
       }},
      {kMachine, "cpus", Takes::value, "LIST", "all that this process may use", "CPUs to use, such as 0-3,8",
       [&o](const Values& v) {
         try {
           o.cpus = parse_list(v.front());
         } catch (const Error& error) {
           throw Error(fmt::format("--cpus={}: {}", v.front(), error.what()));
         }
       }},
      {kMachine, "peer-file", Takes::value, "PATH", "a temporary file of our own",
       "the file or scratch disk on the other side of O_DIRECT; it must complete asynchronously",
       [&o](const Values& v) { o.peer_file = v.front(); }},
      flag(kMachine, "destroy-data", o.destroy_data, true,
           "allow a devdax device, or a block device as the peer, to be overwritten"),
  };
}

OptionTable result_options(RunOptions& o) {
  return {
      {kResults, "out", Takes::value, "FILE", "a new file in results/local or the current directory",
       "CSV to write; the run itself is described beside it, in FILE with .run.json for .csv",
       [&o](const Values& v) { o.out = file_named("out", v.front()); }},
      flag(kResults, "append", o.append, true, "add to --out, which must have the same schema"),
      flag(kResults, "force", o.force, true, "replace --out"),
      {kResults, "resume", Takes::value, "FILE", "",
       "go on with the last run of FILE, as it was asked for: what is finished in it is kept and not run "
       "again",
       [&o](const Values& v) { o.resume = v.front(); }},
      flag(kResults, "tables", o.tables, true,
           "print every table at the end in place of one screen: each path of each workload with its "
           "intervals"),
      flag(kResults, "no-table", o.table, false, "print neither screen nor tables at the end"),
      color_option(kResults, o.color),
      flag(kResults, "quiet", o.quiet, true, "no progress, no table, only the summary line"),
  };
}

}  // namespace

std::string BackingChoice::text() const {
  const std::string word{name_in(kBackingNames, kind)};
  return path.empty() ? word : word + ":" + path;
}

OptionTable run_option_table(RunOptions& options) {
  OptionTable table = what_options(options);
  append(table, setup_options(options));
  append(table, load_options(options));
  append(table, machine_options(options));
  append(table, result_options(options));
  return table;
}

BackingChoice parse_backing(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string word{text.substr(0, colon)};
  const auto kind = word_to<Backing>("backing", kBackingNames, word);
  std::string path = colon == std::string_view::npos ? "" : std::string{text.substr(colon + 1)};
  if (kind == Backing::memory && colon != std::string_view::npos)
    throw Error(fmt::format("--backing={}: memory takes no path", text));
  if (kind != Backing::memory && path.empty())
    throw Error(fmt::format("--backing={}: give its path, such as {}", text,
                            kind == Backing::fsdax    ? "fsdax:/mnt/pmem"
                            : kind == Backing::devdax ? "devdax:/dev/dax0.0"
                                                      : "file:/var/tmp/frames"));
  return {kind, std::move(path)};
}

namespace {

/// What only the engine has.
void check_target(const RunOptions& o) {
  if (o.target == Target::engine) {
    if (!o.dir.empty()) throw Error("--dir: needs --target=kernel");
    return;
  }
  if (o.dir.empty())
    throw Error("--target=kernel: needs --dir=DIR, a directory of the file system under test");
  const std::vector<std::pair<std::string_view, bool>> engine_only = {
      {"protocol", !o.protocols.empty()},
      {"backing", !o.backings.empty()},
      {"frame-bytes", !o.frame_bytes.empty()},
      {"entry-bytes", o.entry_bytes.has_value()},
      {"refcount", !o.refcounts.empty()},
      {"lock", !o.locks.empty()},
      {"perturb", o.perturb},
      {"durable", o.durable},
      {"discard", o.discard != Discard::zap}};
  for (const auto& [name, given] : engine_only)
    if (given) throw Error(fmt::format("--{}: is the engine's; not with --target=kernel", name));
}

/// Perturbed episodes exist for one lock only, and are judged by the oracle or not at all.
void check_perturbed(const RunOptions& o) {
  if (!o.perturb) return;
  for (const std::string& lock : o.locks)
    if (lock != kLockNames[0])
      throw Error(fmt::format("--perturb and --lock={}: give one of them; only {} can be perturbed", lock,
                              kLockNames[0]));
  if (!o.oracle.value_or(true))
    throw Error("--perturb and --oracle=off: give one of them; nothing would be looked at");
}

bool is_given(const RunOptions& o, std::string_view option) {
  return std::ranges::any_of(o.given, [&](const auto& one) { return one.first == option; });
}

}  // namespace

void check_run_options(const RunOptions& o) {
  check_target(o);
  if (is_given(o, "rate") && is_given(o, "sweep-rate"))
    throw Error("--rate and --sweep-rate: give one of them; --sweep-rate=FACTOR,... takes factors, too");
  if (o.tables && !o.table) throw Error("--tables and --no-table: give one of them");
  if (o.time_budget_ns && o.repetitions)
    throw Error("--time and --repetitions: give one of them; --time fits the repetitions itself");
  if (o.until_width && o.repetitions)
    throw Error("--until and --repetitions: give one of them; --until ends when enough is known");
  if (o.preset != Preset::quick && !o.workloads.empty())
    throw Error("--preset and --workload: give one of them; a preset has its own workloads");
  if (o.append && o.force) throw Error("--append and --force: give one of them");
  if (!o.resume.empty() && !o.out.empty() && o.out != o.resume)
    throw Error("--resume and --out name different files; --resume=FILE goes on writing FILE");
  if (!o.resume.empty() && o.force) throw Error("--resume and --force: give one of them");
  if (o.append && o.out.empty()) throw Error("--append: name the file with --out=FILE");
  check_perturbed(o);
  if (o.duration_ns && *o.duration_ns < 1'000'000) throw Error("--duration: at least 1ms");
  if (o.hang_bound_ns < 100'000'000) throw Error("--hang-bound: at least 100ms");
}

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const ProtocolEntry& entry : protocols()) names.emplace_back(entry.info.name);
  return names;
}

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Workload& workload : workloads()) names.emplace_back(workload.name);
  return names;
}

}  // namespace daxrace
