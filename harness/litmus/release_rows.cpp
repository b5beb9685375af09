#include "harness/litmus/release_rows.hpp"

#include <algorithm>
#include <array>

#include "harness/core/findings.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace::litmus {
namespace {

using Rule = bool (*)(const KernelRules& rules);

/// A finding that a rule brings.
struct OfRule {
  Rule holds;
  Finding finding;
};

constexpr Finding unmapped_pin(std::string_view access) {
  return {
      .hazard = Hazard::h4,
      .access = access,
      .signs = Signs(Sign::freed_busy, Sign::stale_access, Sign::corruption, Sign::misplaced),
      .kernel = "dax_layout_busy_page_range in fs/dax.c, to 6.14: !mapping_mapped()",
      .mechanism =
          "a file that nobody maps is said to have no busy page, so that a pin that outlives munmap is not "
          "waited for, and its block is freed or moved under it",
      .remedy = "to look at the entries whether the file is mapped or not (cee91fa13a8e, 6.15)",
      .id = "pin-outlives-munmap"};
}

constexpr Finding silent_put(std::string_view access) {
  return {
      .hazard = Hazard::h6,
      .access = access,
      .signs = Sign::lost_wakeup,
      .kernel = "bio_release_pages in block/bio.c, 6.1.75 and later 6.1.y",
      .mechanism =
          "the completion lets the page go with folio_put(), which does not look for the step of a device "
          "page's count from 2 to 1: nobody wakes the layout change that waits for it",
      .remedy = "to let pins go as they were taken (unpin_user_page, as 6.6 does)",
      .id = "punch-under-direct-io"};
}

constexpr Finding tags_removed(std::string_view access) {
  return {.hazard = Hazard::h7,
          .access = access,
          .signs = Sign::unflushed,
          .kernel = "dax_break_layout in fs/dax.c, from 6.15: dax_delete_mapping_range()",
          .mechanism =
              "a break that found nobody removes every entry of the file, dirty tags included, and writes "
              "nothing back: a later fsync does not flush what was stored before, anywhere in the file",
          .remedy = "to remove the entries of the range that changes, as it was written back",
          .id = "fsync-after-layout-change"};
}

constexpr Finding size_left(std::string_view operation) {
  return {.hazard = Hazard::h6,
          .operation = operation,
          .access = "pin_interrupted",
          .signs = Sign::leak,
          .kernel = "ext4_setattr in fs/ext4/inode.c, to 5.2",
          .mechanism =
              "i_size is set before layouts are broken: a signal that ends the wait leaves the new size and "
              "the old blocks",
          .remedy = "to break layouts before the size is set",
          .id = "size-left-by-signal"};
}

constexpr Finding page_not_looked_at(std::string_view access) {
  return {.hazard = Hazard::h4,
          .access = access,
          .signs = Signs(Sign::freed_busy, Sign::stale_access, Sign::corruption, Sign::misplaced),
          .kernel = "fuse_dax_break_layouts(inode, 0, 0) in fs/fuse, before 7851bf649d42",
          .mechanism =
              "0 as the end of the range is page 0, not the end of the file: pins of any other page are not "
              "waited for",
          .remedy = "to pass -1 (7851bf649d42)",
          .id = "first-page-only"};
}

constexpr bool unmapped(const KernelRules& rules) { return rules.unmapped_is_idle; }
constexpr bool silent_bios(const KernelRules& rules) { return !rules.bio_puts_wake; }
constexpr bool removes(const KernelRules& rules) { return rules.break_removes_entries; }
constexpr bool size_first(const KernelRules& rules) { return rules.size_before_break; }
constexpr bool first_page(const KernelRules& rules) { return rules.break_scope == BreakScope::first_page; }
constexpr bool skips(const KernelRules& rules) { return rules.scan_skips_locked; }
constexpr bool rescans_late(const KernelRules& rules) { return rules.rescans_only_if_slept; }
constexpr bool loses_error(const KernelRules& rules) { return rules.lease_error_is_lost; }

const std::vector<OfRule>& findings_of_rules() {
  static const std::vector<OfRule> all = {
      {unmapped, unmapped_pin("pin_munmap")},
      {silent_bios, silent_put("gup_fast")},
      {silent_bios, silent_put("gup_slow")},
      {silent_bios, silent_put("gup_two")},
      {silent_bios, silent_put("pin_and_aio")},
      {silent_bios, silent_put("lease_then_pin")},
      {removes, tags_removed("fsync")},
      {removes, tags_removed("fsync_2m")},
      {size_first, size_left("truncate_down")},
      {size_first, size_left("truncate_up")},
      {skips,
       {.hazard = Hazard::h4,
        .access = "pin_fsync",
        .signs = Signs(Sign::freed_busy, Sign::stale_access, Sign::corruption, Sign::misplaced),
        .kernel = "dax_layout_busy_page_range in fs/dax.c, 5.3 to 6.14: get_unlocked_entry()",
        .mechanism = "the scan for busy pages goes on to the next entry where one is locked, as fsync locks "
                     "them: a pin "
                     "of that page is not seen",
        .remedy = "to wait for the entry itself (6be3e21d25ca, 6.15)",
        .id = "locked-entry-skipped"}},
      {rescans_late,
       {.hazard = Hazard::h4,
        .access = "gup_two",
        .signs = Signs(Sign::freed_busy, Sign::stale_access, Sign::corruption, Sign::misplaced),
        .kernel = "xfs_break_dax_layouts in fs/xfs/xfs_file.c, 4.18",
        .mechanism = "the scan is repeated only if the wait for the page slept: a page that is let go in "
                     "between hides "
                     "the next one",
        .remedy = "to scan until nobody is found (b1f382178d15, 4.19)",
        .id = "rescan-only-if-slept"}},
      {loses_error,
       {.hazard = Hazard::h6,
        .access = "lease_interrupted",
        .signs = Sign::other,
        .kernel = "xfs_break_leased_layouts in fs/xfs/xfs_pnfs.c",
        .mechanism = "the condition of the loop overwrites what the wait for the lease returned: whoever has "
                     "a signal asks "
                     "again at once, and uses a CPU until the lessee returns its layout",
        .remedy = "to leave the loop with the error",
        .id = "lease-wait-spin"}},
  };
  return all;
}

constexpr std::array kOfEveryPin = {"gup_fast",  "gup_slow",       "gup_two",       "gup_again",
                                    "pin",       "pin_2m",         "pin_refault",   "pin_and_aio",
                                    "pin_fsync", "lease_then_pin", "pin_then_read", "pin_interrupted"};

const Script* script_named(std::string_view name) {
  const auto found =
      std::ranges::find_if(scripts(), [&](const Script& one) { return one.info.name == name; });
  return found == scripts().end() ? nullptr : &*found;
}

}  // namespace

ReleaseRow row_of(const Release& release) {
  ReleaseRow row{&release, script_named(release.protocol), {}, {}};
  const std::string_view regime = name_in(kRefcountRegimeNames, release.refcount);
  for (const Finding& finding : row.script->info.findings)
    if (finding.refcount.empty() || finding.refcount == regime) row.findings.push_back(finding);
  for (const OfRule& rule : findings_of_rules())
    if (rule.holds(release.rules)) row.findings.push_back(rule.finding);
  if (first_page(release.rules))
    for (const std::string_view access : kOfEveryPin) row.findings.push_back(page_not_looked_at(access));
  if (first_page(release.rules)) row.findings.push_back(core::kEvictionIgnoresPins);
  std::erase_if(row.findings, [&](const Finding& one) { return !row.script->info.promises.has(one.hazard); });
  row.info = row.script->info;
  row.info.name = release.name;
  row.info.stands_for = release.source;
  row.info.findings = row.findings;  // a vector that is moved keeps its elements where they are
  return row;
}

std::span<const ReleaseRow> release_rows() {
  static const std::vector<ReleaseRow> rows = [] {
    std::vector<ReleaseRow> all;
    for (const Release& release : releases()) all.push_back(row_of(release));
    return all;
  }();
  return rows;
}

std::vector<std::string_view> wrong_in(const ReleaseRow& row) {
  std::vector<std::string_view> ids;
  for (const Finding& finding : row.findings)
    if (std::ranges::find(ids, finding.id) == ids.end()) ids.push_back(finding.id);
  return ids;
}

}  // namespace daxrace::litmus
