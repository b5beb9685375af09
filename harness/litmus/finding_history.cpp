#include "harness/litmus/finding_history.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/litmus/release_rows.hpp"

namespace daxrace::litmus {
namespace {

KernelVersion first_of_all() {
  return std::ranges::min(releases(), {}, [](const Release& one) { return one.versions.front().first; })
      .versions.front()
      .first;
}
KernelVersion end_of_all() {
  return std::ranges::max(releases(), {}, [](const Release& one) { return one.versions.front().end; })
      .versions.front()
      .end;
}

std::string version_text(KernelVersion version) {
  return version.patch == 0 ? fmt::format("{}.{}", version.major, version.minor)
                            : fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

/// The last before the end, of which 6.19 was the last of a major number that ends here.
std::string last_text(KernelVersion end) {
  constexpr unsigned kLastMinorOf6 = 19;
  if (end.patch != 0) return version_text({end.major, end.minor, end.patch - 1});
  if (end.minor != 0) return version_text({end.major, end.minor - 1, 0});
  return version_text({end.major - 1, kLastMinorOf6, 0});
}

FindingHistory& of(std::vector<FindingHistory>& all, std::string_view id) {
  const auto found = std::ranges::find(all, id, &FindingHistory::id);
  return found == all.end() ? all.emplace_back(FindingHistory{id, {}}) : *found;
}

void add(FindingHistory& history, const Release& release) {
  auto found = std::ranges::find(history.file_systems, release.fs(), &FindingInFs::fs);
  if (found == history.file_systems.end())
    found = history.file_systems.insert(found, FindingInFs{release.fs(), {}});
  for (const KernelVersions& versions : release.versions)
    if (versions.first != versions.end) found->versions.push_back(versions);
}

void merge(std::vector<KernelVersions>& ranges) {
  std::ranges::sort(ranges, {}, &KernelVersions::first);
  std::vector<KernelVersions> merged;
  for (const KernelVersions& one : ranges) {
    if (!merged.empty() && merged.back().end == one.first)
      merged.back().end = one.end;
    else
      merged.push_back(one);
  }
  ranges = std::move(merged);
}

}  // namespace

const FindingInFs* FindingHistory::in(std::string_view fs) const {
  const auto found = std::ranges::find(file_systems, fs, &FindingInFs::fs);
  return found == file_systems.end() ? nullptr : &*found;
}

std::vector<FindingHistory> finding_histories() {
  std::vector<FindingHistory> all;
  for (const ReleaseRow& row : release_rows())
    for (const std::string_view id : wrong_in(row)) add(of(all, id), *row.release);
  for (FindingHistory& history : all)
    for (FindingInFs& one : history.file_systems) merge(one.versions);
  return all;
}

std::string versions_text(const KernelVersions& versions) {
  const auto& [first, end] = versions;
  const bool to_today = end == end_of_all();
  if (first == first_of_all()) return to_today ? "all" : "to " + last_text(end);
  if (to_today) return version_text(first) + " on";
  if (first.patch != 0 && end == KernelVersion{first.major, first.minor + 1, 0})
    return fmt::format("{} to {}.{}.y", version_text(first), first.major, first.minor);
  const std::string last = last_text(end);
  return last == version_text(first) ? last : fmt::format("{} to {}", version_text(first), last);
}

}  // namespace daxrace::litmus
