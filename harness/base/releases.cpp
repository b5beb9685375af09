#include "harness/base/releases.hpp"

#include <algorithm>
#include <charconv>

namespace daxrace {
namespace {

constexpr KernelVersion kEver{999, 0, 0};

// What the rows of one time have in common; each adds what it changed.

constexpr KernelRules kRulesOf418{.unmapped_is_idle = true};
/// The scan came to step over locked entries with 23c84eb78375.
constexpr KernelRules kRulesOf53{.unmapped_is_idle = true, .scan_skips_locked = true};
constexpr KernelRules kRulesOf615{.break_removes_entries = true};

constexpr KernelRules xfs(KernelRules rules) {
  rules.lease_error_is_lost = true;
  return rules;
}
constexpr KernelRules xfs418() {
  KernelRules rules = xfs(kRulesOf418);
  rules.rescans_only_if_slept = true;
  return rules;
}
constexpr KernelRules ext4(KernelRules rules, WriteBackFirst write_back) {
  rules.zero_keeps_blocks = true;
  rules.extension_waits_for_dio = false;
  rules.write_back_first = write_back;
  return rules;
}
constexpr KernelRules ext4_419() {
  KernelRules rules = ext4(kRulesOf418, WriteBackFirst::punch);
  rules.size_before_break = true;
  return rules;
}
constexpr KernelRules with_silent_bios(KernelRules rules) {
  rules.bio_puts_wake = false;
  return rules;
}
constexpr KernelRules of_scope(KernelRules rules, BreakScope scope) {
  rules.break_scope = scope;
  return rules;
}

using enum RefcountRegime;
using enum WriteBackFirst;

constexpr std::array kReleases = {
    Release{"xfs@4.17",
            "to 4.17",
            "iolock_mmaplock_nobreak",
            ref1,
            xfs({}),
            {{{{4, 0, 0}, {4, 18, 0}}, {}}},
            "not read"},
    Release{"xfs@4.18",
            "4.18",
            "lease_break",
            ref1,
            xfs418(),
            {{{{4, 18, 0}, {4, 19, 0}}, {}}},
            "the series as posted; 4.18 itself not read"},
    Release{"xfs@4.19",
            "4.19 to 5.2",
            "lease_break",
            ref1,
            xfs(kRulesOf418),
            {{{{4, 19, 0}, {5, 3, 0}}, {}}},
            "a vendor's tree of 4.19; b1f382178d15"},
    Release{"xfs@5.5",
            "5.3 to 5.9",
            "lease_break",
            ref1,
            xfs(kRulesOf53),
            {{{{5, 3, 0}, {5, 10, 0}}, {}}},
            "not read; 23c84eb78375"},
    Release{"xfs@5.10",
            "5.10 to 5.14",
            "lease_break",
            ref1,
            xfs(kRulesOf53),
            {{{{5, 10, 0}, {5, 15, 0}}, {}}},
            "not read"},
    Release{"xfs@5.15",
            "5.15 to 6.0",
            "lease_break",
            ref1,
            xfs(kRulesOf53),
            {{{{5, 15, 0}, {6, 1, 0}}, {}}},
            "not read; nor whether 5.15.y took what 6.1.75 took"},
    Release{"xfs@6.1.74",
            "6.1 to 6.1.74",
            "lease_break",
            ref1,
            xfs(kRulesOf53),
            {{{{6, 1, 0}, {6, 1, 75}}, {}}},
            "not read; the change is in the announcement of 6.1.75"},
    Release{"xfs@6.1.75",
            "6.1.75 on, 6.1.y",
            "lease_break",
            ref1,
            with_silent_bios(xfs(kRulesOf53)),
            {{{{6, 1, 75}, {6, 2, 0}}, {}}},
            "fs/dax.c:701, block/bio.c:1110, fs/xfs/xfs_pnfs.c:28@6.1.192"},
    Release{"xfs@6.12",
            "6.2 to 6.14",
            "lease_break",
            ref1,
            xfs(kRulesOf53),
            {{{{6, 2, 0}, {6, 15, 0}}, {}}},
            "fs/dax.c:693@6.12.118"},
    Release{"xfs@6.15",
            "6.15 to 6.19",
            "lease_break",
            ref0,
            xfs(kRulesOf615),
            {{{{6, 15, 0}, {7, 0, 0}}, {}}},
            "6.15 not read; bde708f1a65d, cee91fa13a8e, 6be3e21d25ca"},
    Release{"xfs@7.x",
            "7.0 on",
            "lease_break",
            ref0,
            xfs(kRulesOf615),
            {{{{7, 0, 0}, kEver}, {}}},
            "fs/dax.c:928,980, fs/xfs/xfs_pnfs.c:29@7.3.4"},

    Release{"ext4@4.19",
            "4.19 to 5.2",
            "ext4",
            ref1,
            ext4_419(),
            {{{{4, 19, 0}, {5, 3, 0}}, {}}},
            "not read; 430657b6be89"},
    Release{"ext4@5.10",
            "5.3 to 5.14",
            "ext4",
            ref1,
            ext4(kRulesOf53, punch),
            {{{{5, 3, 0}, {5, 15, 0}}, {}}},
            "not read"},
    Release{"ext4@5.15",
            "5.15 to 6.0",
            "ext4",
            ref1,
            ext4(kRulesOf53, punch),
            {{{{5, 15, 0}, {6, 1, 0}}, {}}},
            "not read; nor whether 5.15.y took what 6.1.75 took"},
    Release{"ext4@6.1.74",
            "6.1 to 6.1.74",
            "ext4",
            ref1,
            ext4(kRulesOf53, punch),
            {{{{6, 1, 0}, {6, 1, 75}}, {}}},
            "not read; the change is in the announcement of 6.1.75"},
    Release{"ext4@6.1.75",
            "6.1.75 on, 6.1.y",
            "ext4",
            ref1,
            with_silent_bios(ext4(kRulesOf53, punch)),
            {{{{6, 1, 75}, {6, 2, 0}}, {}}},
            "fs/ext4/inode.c:4026,5621, fs/ext4/extents.c:4594, fs/dax.c:701@6.1.192"},
    Release{"ext4@6.12",
            "6.2 to 6.13",
            "ext4",
            ref1,
            ext4(kRulesOf53, punch),
            {{{{6, 2, 0}, {6, 12, 117}}, {{6, 13, 0}, {6, 14, 0}}}},
            "not read"},
    Release{"ext4@6.12.117",
            "6.14, 6.12.117 on",
            "ext4",
            ref1,
            ext4(kRulesOf53, never),
            {{{{6, 12, 117}, {6, 13, 0}}, {{6, 14, 0}, {6, 15, 0}}}},
            "fs/ext4/extents.c:4777, fs/dax.c:693@6.12.118; which 6.12.y was the first: not read"},
    Release{"ext4@6.15",
            "6.15 to 6.19",
            "ext4",
            ref0,
            ext4(kRulesOf615, never),
            {{{{6, 15, 0}, {7, 0, 0}}, {}}},
            "6.15 not read; bde708f1a65d, cee91fa13a8e, 6be3e21d25ca"},
    Release{"ext4@7.x",
            "7.0 on",
            "ext4",
            ref0,
            ext4(kRulesOf615, never),
            {{{{7, 0, 0}, kEver}, {}}},
            "fs/ext4/extents.c:4949, fs/ext4/inode.c:6129, fs/dax.c:928,980@7.3.4"},

    Release{"fuse@5.10",
            "5.10 to 6.14",
            "mmaplock",
            ref1,
            of_scope(kRulesOf53, BreakScope::first_page),
            {{{{5, 10, 0}, {6, 15, 0}}, {}}},
            "fuse_dax_break_layouts(inode, 0, 0), before 7851bf649d42; its IOLOCK left out"},
    Release{"fuse@6.15",
            "6.15 on",
            "mmaplock",
            ref0,
            of_scope(kRulesOf615, BreakScope::range),
            {{{{6, 15, 0}, kEver}, {}}},
            "reclaim of a range, fs/fuse/dax.c@7.3.4; 7851bf649d42, which some stable kernels have too"},
};

unsigned number_at(std::string_view& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with('.')) text.remove_prefix(1);
  return error == std::errc{} ? number : 0;
}

KernelVersion parsed(std::string_view text) {
  const unsigned major = number_at(text);
  const unsigned minor = number_at(text);
  return {major, minor, number_at(text)};
}

}  // namespace

std::span<const Release> releases() { return kReleases; }

const Release* release_named(std::string_view name) {
  const auto found = std::ranges::find(kReleases, name, &Release::name);
  return found == kReleases.end() ? nullptr : &*found;
}

const Release* release_of(std::string_view fs, KernelVersion version) {
  const auto found = std::ranges::find_if(kReleases, [&](const Release& one) {
    return one.fs() == fs &&
           std::ranges::any_of(one.versions, [&](const auto& range) { return range.contains(version); });
  });
  return found == kReleases.end() ? nullptr : &*found;
}

KernelVersion kernel_version_of(std::string_view release, std::string_view version) {
  constexpr std::string_view kDebian = "Debian ";
  if (const auto at = version.find(kDebian); at != std::string_view::npos) {
    const KernelVersion source = parsed(version.substr(at + kDebian.size()));
    const KernelVersion running = parsed(release);
    if (source.major == running.major && source.minor == running.minor) return source;
  }
  return parsed(release);
}

}  // namespace daxrace
