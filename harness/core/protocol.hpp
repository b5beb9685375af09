#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "harness/base/protocol_info.hpp"
#include "harness/core/pieces.hpp"

/// What a protocol is: which locks are taken, in which order, and what is waited for; the core does the data
/// work. protocols/skeleton.hpp.in says it member by member.
namespace daxrace::core {

/// What a protocol inherits.
template <class... Pieces>
struct MadeOf : Pieces... {
  /// found(finding) for each finding of each piece.
  template <class Found>
  static constexpr void for_each_finding(Found&& found) {
    (for_each_finding_of<Pieces>(found), ...);
  }

 private:
  template <class Piece, class Found>
  static constexpr void for_each_finding_of(Found& found) {
    if constexpr (requires { Piece::kFindings; })
      for (const Finding& one : Piece::kFindings) found(one);
  }
};

/// Each is told the pages that it acts on. change returns 0 or -errno, and after an error size and extents
/// are as they were; evict returns how many blocks it freed.
template <class P, class K>
concept Protocol = requires(K& k, InodeOf<K>& ip, Change& change, PageRange range, void (*body)()) {
  { P::info } -> std::convertible_to<const ProtocolInfo&>;
  P::fault(k, ip, range, body);
  P::read(k, ip, range, body);
  P::write(k, ip, range, body);
  P::aio(k, ip, range, body);
  P::map_blocks(k, ip, range, body);
  { P::change(k, ip, change) } -> std::same_as<int>;
  { P::evict(k, ip) } -> std::same_as<std::uint32_t>;
};

struct Findings {
  std::array<Finding, 24> all{};
  std::size_t size = 0;

  constexpr std::span<const Finding> span() const { return {all.data(), size}; }
};

/// A protocol's own, and those of its pieces; a hazard that it does not promise to stop has none.
template <class P>
constexpr Findings findings_of() {
  Findings findings;
  const auto add = [&](const Finding& one) {
    if (P::info.promises.has(one.hazard)) findings.all[findings.size++] = one;
  };
  for (const Finding& one : P::info.findings) add(one);
  if constexpr (requires { P::for_each_finding(add); }) P::for_each_finding(add);
  return findings;
}
template <class P>
inline constexpr Findings kFindingsOf = findings_of<P>();

template <class P>
constexpr ProtocolInfo info_of() {
  ProtocolInfo info = P::info;
  info.findings = kFindingsOf<P>.span();
  return info;
}

}  // namespace daxrace::core
