#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "harness/base/types.hpp"

namespace daxrace {

/// What a violation looks like, in as many kinds as findings have to be told apart.
enum class Sign : std::uint8_t {
  // As Detector, in its order.
  freed_busy,
  stale_access,
  corruption,
  misplaced,
  stale_data,
  unflushed,
  leak,
  /// stale_data: zeros, read through the zero page of a page whose block a fault has brought.
  stale_zero_page,
  // Who does not end waits for, or for the lock of somebody who does:
  page_mapped,   ///< a page that nobody pins; mappings hold its count up
  page_pinned,   ///< a pinned page
  pin_and_lock,  ///< a pinned page, while somebody waits for the waiter's own IOLOCK or range of I/O
  lease,         ///< a layout lease
  lock,          ///< a lock in a circle, or of somebody who does not wait
  lost_wakeup,   ///< what is true already
  other,         ///< anything else, or nothing: it runs without end
  starved_page   ///< a page, as long as others never cease; then it ends
};
inline constexpr std::array<std::string_view, 16> kSignNames = {
    "freed_busy",
    "stale_access",
    "corruption",
    "misplaced",
    "stale_data",
    "unflushed",
    "leak",
    "stale_data through the zero page",
    "waits for a page that is only mapped",
    "waits for a pinned page",
    "waits for a page whose holder waits for its lock",
    "waits for a lease",
    "waits for a lock",
    "lost wake-up",
    "does not end",
    "starved of a page"};
constexpr Sign sign_of(Detector detector) { return static_cast<Sign>(detector); }

class Signs {
 public:
  constexpr Signs() = default;
  template <class... Rest>
  constexpr explicit(sizeof...(Rest) != 0) Signs(Sign first, Rest... rest) {
    add(first);
    (add(rest), ...);
  }
  constexpr void add(Sign sign) { bits_ = static_cast<std::uint16_t>(bits_ | bit(sign)); }
  constexpr void add(Signs signs) { bits_ = static_cast<std::uint16_t>(bits_ | signs.bits_); }
  constexpr bool has(Sign sign) const { return (bits_ & bit(sign)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(Signs, Signs) = default;

 private:
  static constexpr std::uint16_t bit(Sign sign) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(sign));
  }
  std::uint16_t bits_ = 0;
};

/// Of each hazard.
using SignSets = std::array<Signs, kHazardNames.size()>;

/// A promise that a faithful model is known to break: which, where, how it looks, and why the kernel does.
struct Finding {
  Hazard hazard = Hazard::h1;
  std::string_view operation = {};  ///< name of a litmus operation; empty: any
  std::string_view access = {};     ///< name of a litmus access; empty: any
  std::string_view refcount = {};   ///< `ref1`, `ref0`; empty: both
  Signs signs;                      ///< what else is seen of the hazard is not this finding
  bool in_run = false;              ///< measured runs meet it too
  /// There: how often at most, in a million effective operations. 0: as often as it comes, where the first
  /// ends the episode.
  double most_per_million = 0;
  std::string_view kernel = {};     ///< function and versions
  std::string_view mechanism = {};  ///< one sentence
  std::string_view remedy = {};     ///< what stands or would stand against it
  std::string_view id = {};         ///< its page in results/findings/, where it has one; else a name like it

  /// Only where accesses never cease to come: a starvation.
  constexpr bool endless() const { return signs.has(Sign::starved_page); }
};

/// What is known of a protocol without running it.
struct ProtocolInfo {
  std::string_view name;
  Hazards promises;             ///< the hazards that its authors claim it stops
  std::string_view stands_for;  ///< kernel function and version, or the mail
  std::string_view summary;     ///< one line: what a layout change takes and waits for
  std::span<const Finding> findings = {};
};

}  // namespace daxrace
