// usage: check_kernel_target DIRECTORY KERNEL xfs|ext4: do the results of the kernel target on DAX tell what
// they must? What is asked is truthfulness: a planted wait, overlap and hang, evidence beside every finding,
// that the stand-alone reproducers say what the litmus cells say, and that the release that stands for the
// kernel predicts its table in every cell that both decide. The directory holds litmus.json, uname.txt,
// run.csv and reproducers.txt. What failed is told at the end, where a log that is cut still has it.
#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"
#include "harness/base/releases.hpp"
#include "harness/litmus/release_rows.hpp"
#include "harness/results/csv.hpp"
#include "tests/kernel_tables.hpp"

namespace daxrace {
namespace {

using nlohmann::json;

std::vector<std::string> failures;

void check(bool good, const std::string& what) {
  if (!good) failures.push_back(what);
}

/// `7` of `7.x`.
std::string version_in(const std::string& kernel) {
  return kernel.ends_with(".x") ? kernel.substr(0, kernel.size() - 2) : kernel;
}

std::string text(const json& cell, const char* key) { return cell.at(key).get<std::string>(); }

std::string name_of(const json& cell) { return text(cell, "operation") + " against " + text(cell, "access"); }

/// Every outcome brings what it rests on.
void check_evidence(const json& cell) {
  const std::string outcome = text(cell, "outcome");
  const std::string name = name_of(cell);
  check(!text(cell, "what").empty(), name + ": nothing said");
  // A race of many rounds may miss; whatever is staged must be decided.
  if (text(cell, "access") != "zero_page_fault")
    check(outcome != "inconclusive", name + ": inconclusive: " + text(cell, "what"));
  check(outcome != "spin", name + ": spin");
  if (outcome == "waited" || outcome == "hang")
    check(!text(cell, "slept_in").empty(), name + ": slept nowhere");
  if (outcome == "hang") {
    check(text(cell, "freed_by").find("nothing") == std::string::npos, name + ": threads were left behind");
    check(text(cell, "freed_by") != "a signal", name + ": freed by a signal, not by its cause");
    check(cell.at("report").size() >= 3, name + ": a hang without a report");
  }
}

/// What the design of every DAX file system implies: the wait, the overlap and the hang that are planted.
void check_planted(const json& cell) {
  const std::string access = text(cell, "access");
  const std::string outcome = text(cell, "outcome");
  const std::string line = name_of(cell) + ": " + outcome;
  static const std::set<std::string> reflink = {"clone", "dedupe", "unshare"};
  if (reflink.contains(text(cell, "operation"))) return check(outcome == "skipped", line);
  if (access == "read" || access == "write" || access == "nested_fault") check(outcome == "waited", line);
  if (access == "pin" || access == "pin_outside") {
    check(outcome == "waited", line);
    check(text(cell, "slept_in").find("break") != std::string::npos, line + " in " + text(cell, "slept_in"));
  }
  if (access == "dio_pin") check(outcome == "waited" || outcome == "hang", line);
  if (access == "pin_freeze" || access == "frozen_store" || access == "pin_umount")
    check(outcome == "waited", line);
  if (access == "pin_freeze")
    check(text(cell, "what").find("the freeze waited for it") != std::string::npos, line + ": the freeze");
  if (access == "pin_umount")
    check(text(cell, "what").find("umount meanwhile: done") == std::string::npos,
          line + ": umount of a busy one");
  if (access == "mapped") check(outcome == "overlapped", line);
  if (access == "pin_then_read" || access == "crosswise") check(outcome == "hang", line);
  if (access == "dio_read") check(outcome == "skipped", line);
  if (access == "fsync" || access == "fsync_sync")
    check(outcome == "flushed" || outcome == "unflushed", line);
  if (access == "zero_page_fault") check(outcome == "content_changed" || outcome == "inconclusive", line);
}

/// The canary that warns once per boot is heard in every cell that provokes it: it is armed anew each time.
void check_armed(const json& cell) {
  bool heard = false;
  for (const json& line : cell.at("kernel_log"))
    heard = heard || line.get<std::string>().find("dax_disassociate_entry") != std::string::npos;
  check(heard, name_of(cell) + ": a page was freed while it was pinned, and no warning was heard");
}

/// The table of canaries is right for this kernel, and has those of the file system's module.
void check_canaries(const json& litmus) {
  check(litmus.at("canaries").size() >= 8, "canaries are missing");
  const std::string of_module = text(litmus, "fs") + "_break_layouts";
  const auto is_that = [&](const json& canary) { return text(canary, "name") == of_module; };
  check(std::ranges::any_of(litmus.at("canaries"), is_that), "no canary " + of_module);
  for (const json& canary : litmus.at("canaries"))
    check(canary.at("here") == canary.at("expected"),
          "the table of canaries is wrong for this kernel: " + canary.dump());
}

/// What uname said in the guest: its -r and its -v, a line each.
const Release* release_in(const std::string& file, const std::string& fs) {
  std::ifstream in(file);
  std::string release, version;
  std::getline(in, release);
  std::getline(in, version);
  return release_of(fs, kernel_version_of(release, version));
}

/// The release that uname named in the guest is the one recorded for it, and agrees.
void check_agreement(const json& litmus, const Release* named, const std::string& kernel,
                     const std::string& fs) {
  const KernelTable* table = kernel_table_of(kernel, fs);
  if (table == nullptr) return check(false, fmt::format("no table is recorded of {} on {}", kernel, fs));
  if (named == nullptr || named->name != table->release)
    return check(false, fmt::format("uname names release {}, not {}", named == nullptr ? "none" : named->name,
                                    table->release));
  const Agreement agreement = agreement_of(cells_of_json(litmus), litmus::row_of(*named));
  for (const std::string& line : complaints_of(*table, agreement)) check(false, line);
  fmt::print("{}\n", summary_of(*table, agreement));
}

json check_litmus(const std::string& file, const std::string& kernel, const std::string& fs) {
  std::ifstream in(file);
  json litmus = json::parse(in);
  const std::string version = version_in(kernel);
  check(text(litmus, "kernel").starts_with(version + "."), "kernel " + text(litmus, "kernel"));
  check(text(litmus, "fs") == fs, "fs " + text(litmus, "fs"));
  check(litmus.at("dax").get<bool>(), "not on DAX");
  check_canaries(litmus);
  for (const json& cell : litmus.at("cells")) {
    check_evidence(cell);
    check_planted(cell);
    const std::string access = text(cell, "access");
    if ((access == "pin_munmap" || access == "dio_pin_munmap" || access == "pin_unlink") &&
        text(cell, "outcome") == "content_changed")
      check_armed(cell);
  }
  check(litmus.at("cells").size() == 182, fmt::format("{} cells", litmus.at("cells").size()));
  // How long it takes is the machine's business too, and nobody's who shares it with other guests.
  const auto ns = litmus.at("duration_ns").get<std::uint64_t>();
  fmt::print("{}: {} cells in {} s\n", file, litmus.at("cells").size(), ns / 1'000'000'000);
  return litmus;
}

/// The cell that stages what a reproducer shows.
struct Counterpart {
  std::string_view reproducer, operation, access;
};
constexpr std::array<Counterpart, 7> kCounterparts = {{{"clone_spin", "clone", "pin"},
                                                       {"fsync_after_punch", "punch", "fsync"},
                                                       {"pin_munmap", "punch", "pin_munmap"},
                                                       {"pin_refault", "punch", "pin_refault"},
                                                       {"pin_unlink", "evict", "pin_unlink"},
                                                       {"punch_under_dio", "punch", "dio_pin"},
                                                       {"zero_page", "write_hole", "zero_page_fault"}}};

std::string outcome_of(const json& litmus, const Counterpart& counterpart) {
  for (const json& cell : litmus.at("cells"))
    if (text(cell, "operation") == counterpart.operation && text(cell, "access") == counterpart.access)
      return text(cell, "outcome");
  return "missing";
}

/// 1: shown, 0: not shown, else not decided.
int decision_of(const std::string& outcome) {
  static const std::set<std::string> wrong = {"content_changed", "unflushed", "hang", "spin"};
  if (wrong.contains(outcome)) return 1;
  return outcome == "inconclusive" || outcome == "skipped" ? 2 : 0;
}

/// Status and words must say the same, and the same as the litmus cell where both decide.
void check_reproducer(const std::string& name, int status, const std::string& said, const json& litmus) {
  static const std::array<std::string_view, 3> starts = {"not shown: ", "shown: ", "cannot run: "};
  const std::string line = fmt::format("{} ended with {}: {}", name, status, said);
  const auto* counterpart = std::ranges::find(kCounterparts, name, &Counterpart::reproducer);
  if (counterpart == kCounterparts.end()) return check(false, line + ": which cell is that?");
  if (status < 0 || status > 2) return check(false, line);
  check(said.starts_with(starts[static_cast<std::size_t>(status)]), line);
  // A race that was not met, and a block that nobody came to have, decide nothing.
  const bool missed = status == 0 && (name == "zero_page" || name == "punch_under_dio" ||
                                      said.find("no other file") != std::string::npos);
  const std::string outcome = outcome_of(litmus, *counterpart);
  const int decision = decision_of(outcome);
  if (status != 2 && decision != 2 && !missed)
    check(status == decision, fmt::format("{}, but litmus says {}", line, outcome));
}

void check_reproducers(const std::string& file, const json& litmus) {
  std::ifstream in(file);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    std::istringstream words(line);
    std::string name, said;
    int status = -1;
    words >> name >> status >> std::ws;
    std::getline(words, said);
    check_reproducer(name, status, said, litmus);
  }
  check(count == kCounterparts.size(), fmt::format("{} reproducers in {}", count, file));
}

/// What the trace of the kernel adds: layout changes break layouts, faults do not.
void check_waits(const Row& row, const std::string& name) {
  check(row.entry_bytes == 4096U, name + ": entry_bytes");
  check(row.lock_wait_sum_ns.has_value() && row.break_wait_sum_ns.has_value(),
        name + ": no waits: " + row.reason);
  check(!row.dio_wait_sum_ns && !row.lease_wait_sum_ns && !row.shootdown_sum_ns,
        name + ": an engine's column is filled");
  static const std::set<std::string> changes = {"punch", "zero", "collapse", "insert"};
  if (changes.contains(row.path))
    check(row.break_wait_sum_ns.value_or(0) > 0, name + ": a layout change that breaks no layouts");
  if (row.path == "fault") check(row.break_wait_sum_ns == 0U, name + ": a fault that breaks layouts");
}

void check_run(const std::string& file, const std::string& kernel, const std::string& fs) {
  std::set<std::string> ran;
  std::set<std::string> skipped;
  std::set<std::string> changed;
  for (const Row& row : read_csv(file).rows) {
    const std::string name = fmt::format("{}/{}", row.workload, row.path);
    check(row.target == "kernel" && row.protocol == "kernel", name + ": target or protocol");
    check(row.kernel.starts_with(version_in(kernel) + ".") && row.fs == fs, name + ": kernel or fs");
    check(row.mount_options.find("dax=always") != std::string::npos, name + ": " + row.mount_options);
    check(row.lock.empty() && row.refcount_regime.empty(), name + ": an engine's column is filled");
    if (row.path != kAllPaths) {
      check_waits(row, name);
      if (row.workload == row.path) changed.insert(row.path);
      continue;
    }
    if (row.status == "skipped") {
      skipped.insert(row.workload);
      check(!row.reason.empty(), name + ": skipped without a reason");
      continue;
    }
    ran.insert(row.workload);
    check(row.status == "ok" || row.status == "hang" || row.status == "starved",
          name + ": " + row.status + ": " + row.reason);
    check(row.verdict != "broken" || row.status == "hang", name + ": broken: " + row.violated);
    if (row.status == "ok") check(row.ops.value_or(0) > 0, name + ": nothing happened");
    if (row.status == "ok" && row.workload == "fault")
      check(row.faults_real.value_or(0) > 0, name + ": no real faults");
  }
  check(ran == std::set<std::string>{"collapse", "fault", "gup_vs_punch", "insert", "realloc", "reshape",
                                     "zero"},
        "workloads that ran");
  check(changed == std::set<std::string>{"collapse", "fault", "insert", "zero"},
        "presets named after a path have it");
  check(skipped == std::set<std::string>{"aio_read"}, "aio_read is skipped on DAX");
}

}  // namespace
}  // namespace daxrace

int main(int argc, char** argv) try {
  if (argc != 4) {
    fmt::print(stderr, "usage: {} DIRECTORY KERNEL xfs|ext4\n", argv[0]);
    return 2;
  }
  const std::string directory = argv[1];
  const auto litmus = daxrace::check_litmus(directory + "/litmus.json", argv[2], argv[3]);
  daxrace::check_agreement(litmus, daxrace::release_in(directory + "/uname.txt", argv[3]), argv[2], argv[3]);
  daxrace::check_reproducers(directory + "/reproducers.txt", litmus);
  daxrace::check_run(directory + "/run.csv", argv[2], argv[3]);
  for (const std::string& what : daxrace::failures) fmt::print("FAILED: {}\n", what);
  return daxrace::failures.empty() ? 0 : 1;
} catch (const std::exception& error) {
  fmt::print("FAILED: check_kernel_target: {}\n", error.what());
  return 1;
}
