// Releases are data: each row predicts what its kernel was recorded to do, and a wrong rule is told by its
// cells.
#include "harness/base/releases.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bench/check/agreement.hpp"
#include "bench/check/kernel_versus_engine.hpp"
#include "bench/list.hpp"
#include "harness/base/error.hpp"
#include "harness/litmus/finding_history.hpp"
#include "tests/kernel_tables.hpp"

namespace daxrace {
namespace {

using kernel::CellResult;
using kernel::Outcome;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

// --- the recorded tables

/// How an outcome is told in a table (bench/check/kernel_litmus.cpp).
const std::map<std::string, Outcome> kTold = {{"CHANGED", Outcome::content_changed},
                                              {"UNFLUSHED", Outcome::unflushed},
                                              {"HANG", Outcome::hang},
                                              {"SPIN", Outcome::spin},
                                              {"starved", Outcome::starved},
                                              {"unclear", Outcome::inconclusive},
                                              {"overlap", Outcome::overlapped},
                                              {"waited", Outcome::waited},
                                              {"flushed", Outcome::flushed},
                                              {"skipped", Outcome::skipped}};

template <class Enum, class Infos, class Name>
std::optional<Enum> named(const Infos& infos, Name name, const std::string& word) {
  const auto found = std::ranges::find(infos, word, name);
  if (found == infos.end()) return std::nullopt;
  return static_cast<Enum>(found - infos.begin());
}

std::string path_of(const std::string& table) {
  return fmt::format("{}/results/kernel/{}.txt", DAXRACE_SOURCE_DIR, table);
}

std::vector<CellResult> recorded(const std::string& table) {
  std::ifstream in(path_of(table));
  EXPECT_TRUE(in) << table;
  std::vector<kernel::Operation> operations;
  std::vector<CellResult> cells;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (operations.empty() && first != "access") continue;
    if (!operations.empty() && first.empty()) break;
    const auto access = named<kernel::Access>(kernel::kAccesses, &kernel::AccessInfo::name, first);
    std::size_t column = 0;
    for (std::string word; words >> word; ++column) {
      if (first == "access") {
        operations.push_back(
            *named<kernel::Operation>(kernel::kOperations, &kernel::OperationInfo::label, word));
      } else if (access && kTold.contains(word)) {
        cells.emplace_back();
        cells.back().operation = operations[column];
        cells.back().access = *access;
        cells.back().outcome = kTold.at(word);
      }
    }
  }
  return cells;
}

class RecordedTable : public testing::TestWithParam<KernelTable> {};

/// And leaves out no more than is declared, each with its reason.
TEST_P(RecordedTable, agrees_with_its_release_in_every_cell_that_both_decide) {
  const Agreement agreement = agreement_of(recorded(std::string(GetParam().name)),
                                           litmus::row_of(*release_named(GetParam().release)));
  EXPECT_THAT(complaints_of(GetParam(), agreement), IsEmpty());
  fmt::print("{}\n", summary_of(GetParam(), agreement));
}

/// The same as a guest's test reads it out of JSON: each way to fail is told, and by its cells.
TEST(AgreementOfATable, tells_what_is_wrong_with_it) {
  const KernelTable& table = *kernel_table_of("6.12", "ext4");
  const litmus::ReleaseRow row = litmus::row_of(*release_named(table.release));
  nlohmann::json litmus;
  for (const CellResult& cell : recorded(std::string(table.name)))
    litmus["cells"].push_back({{"operation", kernel::info_of(cell.operation).name},
                               {"access", kernel::info_of(cell.access).name},
                               {"outcome", name_in(kernel::kOutcomeNames, cell.outcome)},
                               {"what", "-"}});
  const auto complaints = [&](std::string_view access, std::string_view operation, const char* outcome) {
    nlohmann::json changed = litmus;
    for (auto& cell : changed["cells"])
      if (cell["access"] == access && cell["operation"] == operation) cell["outcome"] = outcome;
    return complaints_of(table, agreement_of(cells_of_json(changed), row));
  };
  EXPECT_THAT(complaints("pin", "punch", "waited"), IsEmpty());
  EXPECT_THAT(
      complaints("pin", "punch", "overlapped"),
      ElementsAre("6.12-ext4 and ext4@6.12.117 differ in pin: kernel harmless, engine waits (punch)"));
  EXPECT_THAT(complaints("pin", "punch", "inconclusive"),
              ElementsAre("6.12-ext4: punch against pin is not decided, and no reason is declared",
                          "6.12-ext4: 101 cells compared, not 102",
                          "6.12-ext4: 67 cells that the kernel does not decide, not at most 66"));
  // A race may miss, once in a while.
  EXPECT_THAT(complaints("zero_page_fault", "write_hole", "inconclusive"), IsEmpty());
  EXPECT_EQ(kernel_table_of("6.12", "btrfs"), nullptr);
  EXPECT_THROW(complaints("pin", "punch", "waitd"), Error);
}

/// So that no document repeats what an older engine said. DAXRACE_UPDATE_RECORDED=1 writes it.
TEST_P(RecordedTable, ends_with_what_the_engine_says_of_its_cells) {
  const std::string table{GetParam().name};
  const std::string name = path_of(table);
  std::ostringstream whole;
  whole << std::ifstream(name).rdbuf();
  const std::string said = kernel_versus_engine(recorded(table), *release_named(GetParam().release)).text;
  const auto at = whole.str().find("\nrelease ");
  if (std::getenv("DAXRACE_UPDATE_RECORDED") != nullptr) {
    std::ofstream(name) << whole.str().substr(0, at) << said;
  } else {
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(whole.str().substr(at), said);
  }
}
INSTANTIATE_TEST_SUITE_P(, RecordedTable, testing::ValuesIn(kernel_tables()));

// --- a rule that is wrong

using Change = void (*)(Release&);
struct WrongRule {
  std::string what, table, release;
  Change change;
  std::set<std::string> told_by;  ///< accesses in which the kernel then differs, and no others
};
void PrintTo(const WrongRule& one, std::ostream* out) { *out << one.what << " in " << one.release; }

const std::set<std::string> kUnmapped = {"pin_munmap", "dio_pin_munmap"};
const std::set<std::string> kFsync = {"fsync", "fsync_sync"};
const std::vector<WrongRule> kWrong = {
    {"unmapped files are looked at", "6.1-xfs", "xfs@6.1.75",
     [](Release& one) { one.rules.unmapped_is_idle = false; }, kUnmapped},
    {"unmapped files are looked at", "6.1-ext4", "ext4@6.1.75",
     [](Release& one) { one.rules.unmapped_is_idle = false; }, kUnmapped},
    {"unmapped files are looked at", "6.12-xfs", "xfs@6.12",
     [](Release& one) { one.rules.unmapped_is_idle = false; }, kUnmapped},
    {"unmapped files are idle",
     "7.x-ext4",
     "ext4@7.x",
     [](Release& one) { one.rules.unmapped_is_idle = true; },
     {"pin_munmap", "dio_pin_munmap", "pin_unlink"}},
    {"bios wake", "6.1-xfs", "xfs@6.1.75", [](Release& one) { one.rules.bio_puts_wake = true; }, {"dio_pin"}},
    {"bios wake",
     "6.1-ext4",
     "ext4@6.1.75",
     [](Release& one) { one.rules.bio_puts_wake = true; },
     {"dio_pin"}},
    {"bios do not wake",
     "6.12-ext4",
     "ext4@6.12.117",
     [](Release& one) { one.rules.bio_puts_wake = false; },
     {"dio_pin"}},
    {"zero range frees blocks", "6.12-ext4", "ext4@6.12.117",
     [](Release& one) { one.rules.zero_keeps_blocks = false; }, kUnmapped},
    {"zero range keeps blocks", "6.12-xfs", "xfs@6.12",
     [](Release& one) { one.rules.zero_keeps_blocks = true; }, kUnmapped},
    {"a break keeps entries", "7.x-xfs", "xfs@7.x",
     [](Release& one) { one.rules.break_removes_entries = false; }, kFsync},
    {"a break keeps entries", "7.x-ext4", "ext4@7.x",
     [](Release& one) { one.rules.break_removes_entries = false; }, kFsync},
    {"a break removes entries", "6.12-xfs", "xfs@6.12",
     [](Release& one) { one.rules.break_removes_entries = true; }, kFsync},
    {"idle at 1",
     "7.x-xfs",
     "xfs@7.x",
     [](Release& one) { one.refcount = RefcountRegime::ref1; },
     {"pin_refault", "pin_stream", "pin_unlink"}},
    {"idle at 0",
     "6.12-xfs",
     "xfs@6.12",
     [](Release& one) { one.refcount = RefcountRegime::ref0; },
     {"pin_refault", "pin_stream"}},
};

class Wrong : public testing::TestWithParam<WrongRule> {};

TEST_P(Wrong, rule_is_told_by_its_cells) {
  Release release = *release_named(GetParam().release);
  GetParam().change(release);
  const Agreement agreement = agreement_of(recorded(GetParam().table), litmus::row_of(release));
  EXPECT_FALSE(agreement.whole());
  std::set<std::string> told;
  for (const Compared& one : agreement.compared)
    if (!one.agrees()) told.emplace(kernel::info_of(one.access).name);
  EXPECT_THAT(told, UnorderedElementsAreArray(GetParam().told_by)) << fmt::format("{}", GetParam().what);
}
INSTANTIATE_TEST_SUITE_P(, Wrong, testing::ValuesIn(kWrong));

// --- rules that no live cell shows yet: what they change in the engine

struct Shown {
  std::string what, release;
  Change change;
  std::set<std::string> cells;  ///< OPERATION/ACCESS, or ACCESS for every operation
};
void PrintTo(const Shown& one, std::ostream* out) { *out << one.what; }

const std::vector<Shown> kShown = {
    {"the scan skips locked entries",
     "xfs@6.12",
     [](Release& one) { one.rules.scan_skips_locked = false; },
     {"pin_fsync"}},
    {"a lost error of the lease wait",
     "xfs@7.x",
     [](Release& one) { one.rules.lease_error_is_lost = false; },
     {"lease_interrupted"}},
    {"the size before the break",
     "ext4@4.19",
     [](Release& one) { one.rules.size_before_break = false; },
     {"pin_interrupted"}},
    {"an extension that waits",
     "ext4@6.12.117",
     [](Release& one) { one.rules.extension_waits_for_dio = true; },
     {"aio_read", "aio_write"}},
    {"the first page only",
     "fuse@5.10",
     [](Release& one) { one.rules.break_scope = BreakScope::range; },
     {"gup_fast", "gup_slow", "gup_two", "gup_again", "pin", "pin_2m", "pin_refault", "pin_and_aio",
      "lease_then_pin", "pin_then_read", "pin_interrupted", "pin_outside"}},
};

class Shows : public testing::TestWithParam<Shown> {};

std::vector<litmus::Cell> cells_of(const litmus::ReleaseRow& row) {
  litmus::Selection only;
  only.protocols = false;
  only.releases = {&row};
  return litmus::decide(litmus::scripts(), only);
}

TEST_P(Shows, the_rule_in_its_cells_and_in_no_others) {
  const litmus::ReleaseRow with = litmus::row_of(*release_named(GetParam().release));
  Release changed = *with.release;
  GetParam().change(changed);
  const litmus::ReleaseRow without = litmus::row_of(changed);
  const auto here = cells_of(with);
  const auto there = cells_of(without);
  std::set<std::string> differ;
  for (std::size_t i = 0; i < here.size(); ++i)
    if (litmus::describe(here[i]) != litmus::describe(there[i]))
      differ.emplace(litmus::info_of(here[i].access).name);
  EXPECT_THAT(differ, UnorderedElementsAreArray(GetParam().cells));
}
INSTANTIATE_TEST_SUITE_P(, Shows, testing::ValuesIn(kShown));

// --- the table itself

TEST(Releases, break_no_promise_but_where_it_is_declared) {
  litmus::Selection all;
  all.protocols = false;
  for (const litmus::ReleaseRow& row : litmus::release_rows()) all.releases.push_back(&row);
  std::map<std::string_view, std::set<std::string_view>> seen;
  for (const litmus::Cell& cell : litmus::decide(litmus::scripts(), all)) {
    EXPECT_NE(cell.verdict, Verdict::broken)
        << cell.protocol().name << ' ' << litmus::info_of(cell.operation).name << ' '
        << litmus::info_of(cell.access).name << ' ' << litmus::describe(cell);
    for (std::size_t i = 0; i < kHazardNames.size(); ++i)
      if (cell.verdict_of(static_cast<Hazard>(i)) == Verdict::finding)
        seen[cell.protocol().name].insert(cell.finding(static_cast<Hazard>(i))->id);
  }
  for (const litmus::ReleaseRow& row : litmus::release_rows())
    for (const Finding& finding : row.findings)
      // The window of the last is between two steps that litmus has no stop between: see the specimen of its
      // name, which explore catches.
      EXPECT_TRUE(finding.endless() || seen[row.info.name].contains(finding.id) ||
                  finding.id == "rescan-only-if-slept")
          << row.info.name << " shows no " << finding.id;
}

TEST(Releases, stand_for_every_version_of_their_file_system_once) {
  for (const Release& one : releases())
    for (const KernelVersions& range : one.versions) {
      if (range.first == range.end) continue;
      for (const Release& other : releases()) {
        if (&other == &one || other.fs() != one.fs()) continue;
        for (const KernelVersions& taken : other.versions)
          EXPECT_FALSE(taken.contains(range.first)) << one.name << ' ' << other.name;
      }
      EXPECT_EQ(release_of(one.fs(), range.first), &one) << one.name;
    }
  for (const Release& one : releases()) EXPECT_FALSE(one.source.empty()) << one.name;
}

std::string met_in(std::string_view id, std::string_view fs) {
  for (const litmus::FindingHistory& history : litmus::finding_histories()) {
    if (history.id != id || history.in(fs) == nullptr) continue;
    std::string text;
    for (const KernelVersions& range : history.in(fs)->versions)
      text += (text.empty() ? "" : ", ") + litmus::versions_text(range);
    return text;
  }
  return "-";
}

TEST(Findings, have_the_versions_in_which_they_are_met) {
  EXPECT_EQ(met_in("pin-outlives-munmap", "xfs"), "4.18 to 6.14");
  EXPECT_EQ(met_in("pin-outlives-munmap", "ext4"), "4.19 to 6.14") << "6.12.117 and 6.14 are one row";
  EXPECT_EQ(met_in("punch-under-direct-io", "xfs"), "6.1.75 to 6.1.y");
  EXPECT_EQ(met_in("fsync-after-layout-change", "ext4"), "6.15 on");
  EXPECT_EQ(met_in("rescan-only-if-slept", "xfs"), "4.18");
  EXPECT_EQ(met_in("lease-wait-spin", "xfs"), "all");
  EXPECT_EQ(met_in("lease-wait-spin", "ext4"), "-");
  EXPECT_EQ(met_in("first-page-only", "fuse"), "5.10 to 6.14");
  EXPECT_EQ(litmus::versions_text({{4, 0, 0}, {4, 18, 0}}), "to 4.17");
}

/// Releases and findings, without the rest of the list.
TEST(Findings, are_listed_with_the_releases_on_one_screen) {
  testing::internal::CaptureStdout();
  print_list(OutputFormat::text);
  std::istringstream lines(testing::internal::GetCapturedStdout());
  std::size_t shown = 0;
  std::set<std::string> first_words;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Releases")) inside = true;
    if (line.starts_with("Workloads")) inside = false;
    if (!inside) continue;
    ++shown;
    EXPECT_LE(line.size(), 80U) << line;
    std::istringstream(line) >> std::ws >> line;
    first_words.insert(line);
  }
  EXPECT_LE(shown, 48U);
  for (const Release& one : releases()) EXPECT_TRUE(first_words.contains(std::string(one.name))) << one.name;
  for (const litmus::FindingHistory& one : litmus::finding_histories())
    EXPECT_TRUE(first_words.contains(std::string(one.id))) << one.id;
}

TEST(Releases, are_found_by_what_uname_says) {
  const auto row = [](std::string_view fs, std::string_view release, std::string_view version) {
    return release_of(fs, kernel_version_of(release, version))->name;
  };
  EXPECT_EQ(row("xfs", "6.1.0-50-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-09-13)"),
            "xfs@6.1.75");
  EXPECT_EQ(row("xfs", "6.1.0-16-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.67-1 (2023-12-12)"),
            "xfs@6.1.74");
  EXPECT_EQ(row("xfs", "6.1.80", "#1 SMP"), "xfs@6.1.75");
  EXPECT_EQ(row("ext4", "6.12.117+deb13-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1 (2026-10-02)"),
            "ext4@6.12.117");
  EXPECT_EQ(row("ext4", "6.12.20", "#1"), "ext4@6.12");
  EXPECT_EQ(row("ext4", "6.14.2", "#1"), "ext4@6.12.117");
  EXPECT_EQ(row("ext4", "7.3.4+deb13-amd64", "#1"), "ext4@7.x");
  EXPECT_EQ(row("xfs", "4.18.0", "#1"), "xfs@4.18");
  EXPECT_EQ(release_of("btrfs", {6, 1, 0}), nullptr);
  EXPECT_EQ(release_named("xfs@6.13"), nullptr);
}

}  // namespace
}  // namespace daxrace
