#include "bench/check/kernel_litmus.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/check/kernel_reproducer.hpp"
#include "bench/check/kernel_versus_engine.hpp"
#include "bench/cli/signals.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "harness/live/staging/freeze.hpp"
#include "harness/platform/clock.hpp"
#include "harness/results/render/table.hpp"

namespace daxrace {
namespace {

using kernel::Access;
using kernel::CellResult;
using kernel::FsFacts;
using kernel::Operation;
using kernel::Outcome;

std::string_view outcome_of(const CellResult& cell) { return name_in(kernel::kOutcomeNames, cell.outcome); }

/// What stands in the table: capitals for what is wrong.
constexpr std::array<std::string_view, 10> kShort = {"CHANGED", "UNFLUSHED", "HANG",   "SPIN",    "starved",
                                                     "unclear", "overlap",   "waited", "flushed", "skipped"};

std::string_view dax_text(const FsFacts& facts) {
  if (!facts.dax) return " without DAX";
  return facts.sync_mapping ? " with DAX" : " with DAX without MAP_SYNC";
}

/// What is stopped for a table is undone behind our back after so long.
constexpr std::uint64_t kLongestTable = 3'600'000'000'000;

std::string head_line(const FsFacts& facts) {
  std::string out = fmt::format("kernel {}, {}{} on {}{}\n{}\n", facts.kernel, facts.fs, dax_text(facts),
                                facts.device, facts.reflink ? ", reflink" : "", facts.mount_options);
  if (facts.dax && !facts.block.write_cache.value_or(true))
    out += fmt::format(
        "write_cache of {} is off: fsync flushes nothing, \"flushed\" means only that it was traced\n",
        facts.device);
  return out + '\n';
}

std::vector<Operation> operations_of(const std::vector<CellResult>& cells) {
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < kernel::kOperations.size(); ++i) {
    const auto operation = static_cast<Operation>(i);
    const auto here = [&](const CellResult& cell) { return cell.operation == operation; };
    if (std::ranges::any_of(cells, here)) operations.push_back(operation);
  }
  return operations;
}

std::string table(const std::vector<CellResult>& cells) {
  const auto operations = operations_of(cells);
  std::string out = fmt::format("{:<15}", "access");
  for (const Operation operation : operations) out += fmt::format(" {:<9}", kernel::info_of(operation).label);
  std::map<Access, std::map<Operation, std::string_view>> rows;
  for (const CellResult& cell : cells)
    rows[cell.access][cell.operation] = kShort[static_cast<std::size_t>(cell.outcome)];
  for (auto& [access, row] : rows) {
    out += fmt::format("\n{:<15}", kernel::info_of(access).name);
    for (const Operation operation : operations)
      out += fmt::format(" {:<9}", row.contains(operation) ? row[operation] : "-");
  }
  return out + '\n';
}

/// Cells that came out alike are told once.
std::string remarks(const std::vector<CellResult>& cells) {
  struct Group {
    const CellResult* first;
    std::vector<std::string> operations;
  };
  std::vector<Group> groups;
  for (const CellResult& cell : cells) {
    const auto alike = [&](const Group& group) {
      return group.first->access == cell.access && group.first->outcome == cell.outcome &&
             group.first->what == cell.what && group.first->where == cell.where &&
             group.first->freed_by == cell.freed_by && group.first->log == cell.log;
    };
    auto found = std::ranges::find_if(groups, alike);
    if (found == groups.end()) found = groups.insert(groups.end(), {&cell, {}});
    found->operations.emplace_back(kernel::info_of(cell.operation).name);
  }
  std::string out;
  for (const Group& group : groups) {
    const CellResult& cell = *group.first;
    out += fmt::format("\n{} against {}: {}\n    {}", kernel::info_of(cell.access).name,
                       join(group.operations), outcome_of(cell), cell.what);
    if (!cell.where.empty()) out += fmt::format("\n    slept in {}", cell.where);
    if (!cell.freed_by.empty()) out += fmt::format("\n    freed by {}", cell.freed_by);
    for (const std::string& line : cell.report) out += "\n      " + line;
    for (const std::string& line : cell.log) out += "\n    kernel log: " + line;
  }
  return out + '\n';
}

bool is_undecided(const CellResult& cell) {
  return cell.outcome == Outcome::skipped || cell.outcome == Outcome::inconclusive;
}

/// `3 not decided (2 skipped, 1 inconclusive)`, or `all decided`.
std::string decided_text(const std::vector<CellResult>& cells) {
  std::map<std::string_view, unsigned> counts;
  unsigned all = 0;
  for (const CellResult& cell : cells) {
    if (!is_undecided(cell)) continue;
    ++counts[outcome_of(cell)];
    ++all;
  }
  if (all == 0) return "all decided";
  std::vector<std::string> parts;
  for (const auto& [outcome, count] : counts) parts.push_back(fmt::format("{} {}", count, outcome));
  return fmt::format("{} not decided ({})", all, join(parts));
}

/// From the beginning of the first to the end of the last: some are decided at once.
std::uint64_t duration_ns(const std::vector<CellResult>& cells) {
  std::uint64_t first = UINT64_MAX;
  std::uint64_t last = 0;
  for (const CellResult& cell : cells) {
    if (cell.duration_ns == 0) continue;
    first = std::min(first, cell.began_ns);
    last = std::max(last, cell.began_ns + cell.duration_ns);
  }
  return last > first ? last - first : 0;
}

nlohmann::ordered_json told(const std::optional<bool>& fact) {
  return fact ? nlohmann::ordered_json(*fact) : nullptr;
}

/// Positions of words in a table of names; empty for none or `all`.
template <class Enum, class Infos>
std::vector<Enum> picked(std::string_view option, const std::vector<std::string>& words, const Infos& infos) {
  std::vector<std::string> names;
  for (const auto& info : infos) names.emplace_back(info.name);
  std::vector<Enum> found;
  for (const std::string& word : words) {
    if (word == "all") return {};
    const auto at = std::ranges::find(names, word);
    if (at == names.end())
      throw Error(
          fmt::format("--{}: {}", option, unknown_word(fmt::format("kernel {}", option), word, names)));
    found.push_back(static_cast<Enum>(at - names.begin()));
  }
  return found;
}

/// Throws Error for a word that is none, and for a file system that we or the machine stand on.
kernel::Allowed allowed_of(const LitmusOptions& options) {
  kernel::Allowed allowed;
  for (const std::string& word : options.allowed) {
    if (word != "freeze" && word != "umount")
      throw Error("--allow: " + unknown_word("intrusion", word, {"freeze", "umount"}));
    (word == "freeze" ? allowed.freeze : allowed.umount) = true;
  }
  if (!allowed.freeze && !allowed.umount) return allowed;
  if (const std::string needed = kernel::needed_on(options.dir); !needed.empty())
    throw Error(fmt::format("--allow: {} lies on the file system of {}", needed, options.dir));
  return allowed;
}

kernel::Selection selection_of(const LitmusOptions& options) {
  return {picked<Operation>("operation", options.operations, kernel::kOperations),
          picked<Access>("access", options.accesses, kernel::kAccesses), allowed_of(options)};
}

void check_options(const LitmusOptions& options) {
  if (options.dir.empty())
    throw Error("--target=kernel: needs --dir=DIR, a directory of the file system under test");
  if (!options.protocols.empty()) throw Error("--protocol: the kernel has its own; use --target=engine");
  if (!options.refcounts.empty()) throw Error("--refcount: the kernel has its own; use --target=engine");
  if (options.releases.size() > 1 || (!options.releases.empty() && !options.versus_engine))
    throw Error("--release: of the kernel one, to hold it against with --versus-engine");
  if (options.explain)
    throw Error("--explain: only the engine's interleavings can be told; use --target=engine");
  if (options.hang_bound_ns != 0 && options.hang_bound_ns < 100'000'000)
    throw Error("--hang-bound: at least 100ms");
  if (options.time_bound_ns > kLongestTable) throw Error("--time-bound: at most 1h");
  if (options.threads != 0)
    throw Error("--threads: the kernel's cells hardly use a CPU; use --target=engine");
}

/// Throws Error where DAX is required and files are not on it; without the requirement says what would bring
/// it.
void look_for_dax(const LitmusOptions& options, const FsFacts& facts) {
  if (facts.dax) return;
  const std::string remedy = kernel::unused_dax(facts, options.dir);
  if (options.require_dax)
    throw Error("--require=dax: " +
                    (remedy.empty() ? fmt::format("{} on {} has no DAX", facts.fs, facts.device) : remedy),
                Exit::skipped);
  if (!remedy.empty()) fmt::print(stderr, "daxrace: litmus: {}\n", remedy);
}

/// Which complaints this kernel can make at all.
std::string canary_line(const std::vector<kernel::Sighting>& canaries) {
  std::vector<std::string> here, absent, unknown;
  std::string why;
  for (const kernel::Sighting& seen : canaries) {
    const std::string name{seen.canary->name};
    if (!seen.here) {
      unknown.push_back(name);
      why = seen.why_unknown;
    } else if (*seen.here) {
      here.push_back(seen.where.empty() ? name : fmt::format("{} ({})", name, seen.where));
    } else {
      absent.push_back(name);
    }
  }
  std::string out;
  const auto add = [&](std::string_view what, const std::vector<std::string>& names) {
    if (!names.empty()) out += fmt::format("canaries {}: {}\n", what, join(names));
  };
  add("in this kernel", here);
  add("not in this kernel", absent);
  add(fmt::format("that could not be looked for ({})", why), unknown);
  return out;
}

std::string rendered(LitmusFormat format, const FsFacts& facts, const std::vector<CellResult>& cells,
                     const std::vector<kernel::Sighting>& canaries) {
  switch (format) {
    case LitmusFormat::csv:
      return kernel_litmus_csv(facts, cells);
    case LitmusFormat::json:
      return kernel_litmus_json(facts, cells, canaries);
    case LitmusFormat::markdown:
      return kernel_litmus_markdown(facts, cells);
    case LitmusFormat::text:
      break;
  }
  return kernel_litmus_text(facts, cells, canaries);
}

/// Compares outcomes only: threads may sleep in a different function of the same wait.
bool same_outcomes(const std::vector<CellResult>& a, const std::vector<CellResult>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i].outcome == b[i].outcome) continue;
    same = false;
    fmt::print(stderr, "daxrace: litmus: {} against {} was {} ({}), then {} ({})\n",
               kernel::info_of(a[i].operation).name, kernel::info_of(a[i].access).name, outcome_of(a[i]),
               a[i].what, outcome_of(b[i]), b[i].what);
  }
  return same;
}

}  // namespace

std::string kernel_litmus_text(const FsFacts& facts, const std::vector<CellResult>& cells,
                               const std::vector<kernel::Sighting>& canaries) {
  const bool overlaps =
      std::ranges::any_of(cells, [](const CellResult& cell) { return outcome_of(cell) == "overlap"; });
  std::string out = head_line(facts);
  if (!facts.dax && overlaps)
    out += "no DAX here: overlap is harmless, the page cache outlives the block of its page\n";
  out += table(cells) + '\n';
  for (const auto& info : kernel::kAccesses) {
    const auto here = [&](const CellResult& cell) { return kernel::info_of(cell.access).name == info.name; };
    if (std::ranges::any_of(cells, here))
      out += fmt::format("{:<15} {} {}\n", info.name, kHazardNames[static_cast<std::size_t>(info.hazard)],
                         info.what);
  }
  return out + remarks(cells) + canary_line(canaries) +
         fmt::format("\n{} in {}, {}\n", counted(cells.size(), "cell"), duration_text(duration_ns(cells)),
                     decided_text(cells));
}

std::string kernel_litmus_csv(const FsFacts& facts, const std::vector<CellResult>& cells) {
  render::Table table;
  for (const char* name : {"kernel", "fs", "dax", "mount_options", "operation", "access", "hazard", "outcome",
                           "slept_in", "freed_by", "what", "duration_ns"})
    table.columns.push_back({name});
  for (const CellResult& cell : cells)
    table.add({facts.kernel, facts.fs, facts.dax ? "1" : "0", facts.mount_options,
               kernel::info_of(cell.operation).name, kernel::info_of(cell.access).name,
               name_in(kHazardNames, kernel::info_of(cell.access).hazard), outcome_of(cell), cell.where,
               cell.freed_by, cell.what, cell.duration_ns});
  return render::csv(table);
}

std::string kernel_litmus_json(const FsFacts& facts, const std::vector<CellResult>& cells,
                               const std::vector<kernel::Sighting>& canaries) {
  nlohmann::ordered_json out = {{"target", "kernel"},
                                {"kernel", facts.kernel},
                                {"fs", facts.fs},
                                {"device", facts.device},
                                {"mount_options", facts.mount_options},
                                {"dax", facts.dax},
                                {"sync_mapping", facts.sync_mapping},
                                {"device_dax", facts.block.dax},
                                {"write_cache", told(facts.block.write_cache)},
                                {"reflink", facts.reflink},
                                {"canaries", nlohmann::ordered_json::array()},
                                {"duration_ns", duration_ns(cells)},
                                {"cells", nlohmann::ordered_json::array()}};
  for (const kernel::Sighting& seen : canaries)
    out["canaries"].push_back({{"name", seen.canary->name},
                               {"expected", seen.canary->in(kernel::version_of(facts.kernel))},
                               {"here", told(seen.here)},
                               {"where", seen.where}});
  for (const CellResult& cell : cells)
    out["cells"].push_back({{"operation", kernel::info_of(cell.operation).name},
                            {"access", kernel::info_of(cell.access).name},
                            {"hazard", name_in(kHazardNames, kernel::info_of(cell.access).hazard)},
                            {"outcome", outcome_of(cell)},
                            {"what", cell.what},
                            {"slept_in", cell.where},
                            {"freed_by", cell.freed_by},
                            {"report", cell.report},
                            {"kernel_log", cell.log},
                            {"duration_ns", cell.duration_ns}});
  return out.dump(2) + '\n';
}

std::string kernel_litmus_markdown(const FsFacts& facts, const std::vector<CellResult>& cells) {
  return "```\n" + head_line(facts) + table(cells) + "```\n\n```" + remarks(cells) +
         fmt::format("\n{}, {}\n```\n", counted(cells.size(), "cell"), decided_text(cells));
}

Exit kernel_litmus_exit(const std::vector<CellResult>& cells, bool require_decided) {
  const auto any = [&](auto... outcomes) {
    return std::ranges::any_of(cells,
                               [&](const CellResult& cell) { return ((cell.outcome == outcomes) || ...); });
  };
  if (any(Outcome::content_changed, Outcome::unflushed, Outcome::hang, Outcome::spin)) return Exit::broken;
  const bool all_skipped =
      std::ranges::all_of(cells, [](const CellResult& cell) { return cell.outcome == Outcome::skipped; });
  const bool unmet = require_decided && std::ranges::any_of(cells, is_undecided);
  return all_skipped || unmet ? Exit::skipped : Exit::ok;
}

namespace {

/// By a process that may be left behind: a file of a thread that hangs cannot be unlinked.
struct Removed {
  void operator()(const kernel::Directory* directory) const {
    constexpr std::uint64_t kBound = 10'000'000'000;
    if (kernel::ends_apart([&] { delete directory; }, kBound)) {
      delete directory;  // nothing is left of it but what is open
    } else {
      fmt::print(stderr, "daxrace: litmus: {} stays: a file in it cannot be removed\n", directory->path());
    }
  }
};

kernel::Course course_of(const LitmusOptions& options) {
  kernel::Course course;
  if (options.time_bound_ns != 0) course.table_bound_ns = options.time_bound_ns;
  course.stop = &stop_requested();
  return course;
}

/// A line for each cell as soon as it is done, on a terminal in one place: whoever ends us keeps what he has
/// seen.
class CellsOnTheWay {
 public:
  void operator()(const CellResult& cell, std::size_t done, std::size_t of) {
    const bool in_place = isatty(STDERR_FILENO) != 0;
    fmt::print(stderr, "{}[{}/{}] {} against {}: {}{}", in_place ? "\r\033[K" : "", done, of,
               kernel::info_of(cell.operation).name, kernel::info_of(cell.access).name, outcome_of(cell),
               in_place && done < of ? "" : "\n");
    std::fflush(stderr);
  }
};

}  // namespace

Exit print_kernel_litmus(const LitmusOptions& options) {
  if (!options.reproducers.empty()) return write_reproducers(options.reproducers, options.into);
  check_options(options);
  Clock::calibrate();
  const kernel::Selection selection = selection_of(options);
  kernel::Patience patience(options.hang_bound_ns == 0 ? kernel::kHangBoundNs : options.hang_bound_ns);
  kernel::Course course = course_of(options);
  install_stop_handlers();
  const std::unique_ptr<const kernel::Directory, Removed> directory(new kernel::Directory(options.dir));
  look_for_dax(options, directory->facts());
  kernel::KernelLog log;
  const Release* release =
      options.versus_engine
          ? &release_to_compare(directory->facts(), options.releases.empty() ? "" : options.releases.front())
          : nullptr;
  course.on_cell = CellsOnTheWay{};
  const auto cells = kernel::decide(*directory, selection, log, patience, course);
  if (cells.empty() && !stop_requested().load())
    throw Error("litmus: no such operation and access ever meet", Exit::skipped);
  // Not by a thread beside the cells: their processes are forked.
  std::vector<kernel::Sighting> canaries;
  if (options.format == LitmusFormat::text || options.format == LitmusFormat::json)
    canaries = kernel::canaries_here();
  fmt::print("{}", rendered(options.format, directory->facts(), cells, canaries));
  bool agrees = true;
  if (release != nullptr) {
    const VersusEngine versus = kernel_versus_engine(cells, *release);
    fmt::print("{}", versus.text);
    agrees = versus.agrees;
  }
  std::fflush(stdout);  // whatever comes of the rest
  course.on_cell = nullptr;
  for (unsigned i = 1; i < options.repeat && !stop_requested().load(); ++i) {
    const auto again = kernel::decide(*directory, selection, log, patience, course);
    if (!stop_requested().load() && !same_outcomes(cells, again)) return Exit::broken;
  }
  if (stop_requested().load()) {
    fmt::print(stderr, "interrupted: {} cells were done\n", cells.size());
    return Exit::interrupted;
  }
  if (options.repeat > 1) fmt::print(stderr, "{} repetitions, all the same\n", options.repeat);
  if (release != nullptr) return agrees ? Exit::ok : Exit::broken;
  const Exit code = kernel_litmus_exit(cells, options.require_decided);
  if (options.require_decided && code == Exit::skipped)
    fmt::print(stderr, "daxrace: litmus: --require=decided: {} cells, {}\n", cells.size(),
               decided_text(cells));
  return code;
}

}  // namespace daxrace
