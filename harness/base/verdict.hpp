#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/base/protocol_info.hpp"
#include "harness/core/env.hpp"

/// What was seen, held against what was promised: every verb judges here.
namespace daxrace {

/// How often each sign of each hazard was seen.
class Seen {
 public:
  Seen() = default;
  explicit Seen(const SignSets& signs) {
    for (std::size_t i = 0; i < signs.size(); ++i) add(static_cast<Hazard>(i), signs[i]);
  }

  void add(Hazard hazard, Sign sign, std::uint64_t times = 1) { of(hazard)[index(sign)] += times; }
  void add(Hazard hazard, Signs signs) {
    for (std::size_t i = 0; i < kSignNames.size(); ++i)
      if (signs.has(static_cast<Sign>(i))) add(hazard, static_cast<Sign>(i));
  }
  std::uint64_t count(Hazard hazard, Sign sign) const { return of(hazard)[index(sign)]; }
  bool any(Hazard hazard) const {
    return std::ranges::any_of(of(hazard), [](std::uint64_t times) { return times != 0; });
  }
  bool leaked() const {
    return std::ranges::any_of(counts_, [](const auto& of) { return of[index(Sign::leak)] != 0; });
  }

 private:
  using Counts = std::array<std::uint64_t, kSignNames.size()>;
  static constexpr std::size_t index(Sign sign) { return static_cast<std::size_t>(sign); }
  Counts& of(Hazard hazard) { return counts_[static_cast<std::size_t>(hazard)]; }
  const Counts& of(Hazard hazard) const { return counts_[static_cast<std::size_t>(hazard)]; }

  std::array<Counts, kHazardNames.size()> counts_{};
};

/// Of so many effective operations a finding is met so often at most. Few of them say little of a rate.
inline constexpr std::uint64_t kLeastAllowed = 3;
constexpr std::uint64_t most_of(const Finding& finding, std::uint64_t operations) {
  if (finding.most_per_million == 0) return ~std::uint64_t{0};
  const double allowed = finding.most_per_million * static_cast<double>(operations) / 1e6;
  return std::max(kLeastAllowed, static_cast<std::uint64_t>(allowed));
}

/// The first finding that declares one sign of a hazard, or null. applies(finding): whether it may be met
/// here at all.
template <class Applies>
const Finding* declared(const ProtocolInfo& protocol, Hazard hazard, Sign sign, Applies&& applies) {
  const auto found = std::ranges::find_if(protocol.findings, [&](const Finding& one) {
    return one.hazard == hazard && one.signs.has(sign) && applies(one);
  });
  return found == protocol.findings.end() ? nullptr : &*found;
}

/// The first finding that declares anything of what was seen of a hazard, or null.
template <class Applies>
const Finding* declared(const ProtocolInfo& protocol, const Seen& seen, Hazard hazard, Applies&& applies) {
  for (std::size_t i = 0; i < kSignNames.size(); ++i) {
    const auto sign = static_cast<Sign>(i);
    if (seen.count(hazard, sign) == 0) continue;
    if (const Finding* finding = declared(protocol, hazard, sign, applies)) return finding;
  }
  return nullptr;
}

/// How one hazard came out: broken, finding, expected, or kept where nothing was seen of it. Each sign needs
/// a finding of its own. `operations`: the effective ones of a measured run; none where every schedule is
/// forced, and how often says nothing.
template <class Applies>
Verdict judge(const ProtocolInfo& protocol, const Seen& seen, Hazard hazard, Applies&& applies,
              std::optional<std::uint64_t> operations = std::nullopt) {
  if (!seen.any(hazard)) return Verdict::kept;
  if (!protocol.promises.has(hazard)) return Verdict::expected;
  for (std::size_t i = 0; i < kSignNames.size(); ++i) {
    const auto sign = static_cast<Sign>(i);
    const std::uint64_t times = seen.count(hazard, sign);
    if (times == 0) continue;
    const Finding* finding = declared(protocol, hazard, sign, applies);
    if (finding == nullptr || (operations && times > most_of(*finding, *operations))) return Verdict::broken;
  }
  return Verdict::finding;
}

/// A leak breaks any protocol: accounts must balance whatever was promised. Where it is declared all the same
/// it is a finding.
template <class Applies>
bool leaks(const ProtocolInfo& protocol, const Seen& seen, Applies&& applies) {
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const auto hazard = static_cast<Hazard>(i);
    if (seen.count(hazard, Sign::leak) != 0 && declared(protocol, hazard, Sign::leak, applies) == nullptr)
      return true;
  }
  return false;
}

/// All hazards together; `quiet` where nothing was seen.
template <class Applies>
Verdict judge(const ProtocolInfo& protocol, const Seen& seen, Verdict quiet, Applies&& applies,
              std::optional<std::uint64_t> operations = std::nullopt) {
  if (leaks(protocol, seen, applies)) return Verdict::broken;
  bool found = false;
  bool expected = false;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const Verdict one = judge(protocol, seen, static_cast<Hazard>(i), applies, operations);
    if (one == Verdict::broken) return one;
    found = found || one == Verdict::finding;
    expected = expected || one == Verdict::expected;
  }
  if (found) return Verdict::finding;
  return expected ? Verdict::expected : quiet;
}

/// Where nothing was seen. `exercised`: the hazards that could have been shown at all.
constexpr Verdict verdict_of_nothing(Hazards promises, Hazards exercised) {
  const auto unpromised = Hazards::from_bits(
      static_cast<std::uint8_t>(exercised.bits() & static_cast<std::uint8_t>(~promises.bits())));
  if (!unpromised.empty()) return Verdict::unseen;
  return promises.empty() ? Verdict::none : Verdict::kept;
}

/// A task that does not go on.
struct StuckTask {
  static constexpr int kNobody = -1;
  bool overdue = true;                   ///< else it is here for what it holds
  WaitFor waits_for = WaitFor::nothing;  ///< nothing: it runs
  bool is_true = false;                  ///< what it waits for
  bool pinned = false;                   ///< page_idle: references beyond those of mappings
  int holder = kNobody;  ///< of the lock, or a lessee who waits himself: its place in the list
};

constexpr bool is_lock(WaitFor what) {
  return what == WaitFor::iolock || what == WaitFor::mmaplock || what == WaitFor::io_range ||
         what == WaitFor::mapping_range;
}

/// Why the overdue ones do not go on. Who waits for a lock waits for what its holder waits for.
Signs signs_of(std::span<const StuckTask> tasks);

/// The same of what outlived its bound and ended once the others had stopped.
Signs signs_of_starvation(std::span<const StuckTask> tasks);

}  // namespace daxrace
