#pragma once

#include <string_view>

namespace daxrace {

/// How the remark of an episode begins that the machine, not the protocol, has disturbed: its times are none
/// to compare.
inline constexpr std::string_view kStandstill = "stood still for";
inline constexpr std::string_view kThrottled = "throttled by a CPU quota";

/// Which of them stands in a remark, whose parts are separated by `; `; empty: none.
inline std::string_view disturbance_in(std::string_view remark) {
  for (const std::string_view what : {kStandstill, kThrottled})
    for (std::size_t at = remark.find(what); at != std::string_view::npos; at = remark.find(what, at + 1))
      if (at == 0 || remark.substr(0, at).ends_with("; ")) return what;
  return {};
}

}  // namespace daxrace
