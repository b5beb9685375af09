#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/live/staging/cell.hpp"

/// What the staging of cells shares.
namespace daxrace::kernel {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
/// Nothing that is still to come takes this long; it decides that a thread stays away, never that it waits.
inline constexpr std::uint64_t kBound = 3 * kSecond;

std::string error_text(long result);
CellResult result(Outcome outcome, std::string what);

/// What a page that was read or pinned may hold: what it held, or, where the change went ahead, nothing any
/// more.
std::string judge_page(std::span<const std::byte> bytes, std::uint64_t original, bool waited,
                       const char* whose);

class Pin;
/// Throws Skipped where the mapping gives no pins.
void take_pin(Pin& pin, std::byte* page);
/// A page in a pin that holds `original` and is drained into `out`; both must outlive it.
InFlight in_pin(Pin& pin, std::vector<std::byte>& out, std::uint64_t original, unsigned page);

}  // namespace daxrace::kernel
