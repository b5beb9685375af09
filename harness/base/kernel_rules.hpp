#pragma once

#include <cstdint>

namespace daxrace {

/// What ext4 writes back of the range of a punch or zero range before it takes a lock.
enum class WriteBackFirst : std::uint8_t { always, punch, never };

/// Of which pages a layout change breaks the layout.
enum class BreakScope : std::uint8_t {
  whole_file,
  range,      ///< of those that it changes. FUSE, where it reclaims a part of its window
  first_page  ///< a range of which both ends are 0. FUSE, truncate and punch before 7851bf649d42
};

/// In what releases of a kernel differ that have the same locks and the same order: values, so that no
/// protocol is compiled again for them. The defaults are those of the idealised protocols, which is what
/// measured runs have.
struct KernelRules {
  /// dax_layout_busy_page: a file that nobody maps has no busy page. To 6.14 (cee91fa13a8e).
  bool unmapped_is_idle = false;
  /// The scan for busy pages steps over an entry that somebody has locked. To 6.14 (6be3e21d25ca).
  bool scan_skips_locked = false;
  /// A break that found nobody ends by removing every entry of its scope, dirty tags included. From 6.15
  /// (bde708f1a65d).
  bool break_removes_entries = false;
  /// Whoever had to wait for a page scans again only if it slept. 4.18 (before b1f382178d15).
  bool rescans_only_if_slept = false;
  /// The put of a bio's completion looks for somebody who waits for the page. Not in 6.1.75 and later 6.1.y.
  bool bio_puts_wake = true;
  /// Zero range turns blocks into unwritten ones, and frees none. ext4.
  bool zero_keeps_blocks = false;
  /// A truncate that extends the file waits for direct I/O too. Not ext4.
  bool extension_waits_for_dio = true;
  /// i_size is set before layouts are broken. ext4 to 5.2.
  bool size_before_break = false;
  /// The error of the wait for a layout lease is forgotten: whoever has a signal asks again at once. XFS.
  bool lease_error_is_lost = false;
  WriteBackFirst write_back_first = WriteBackFirst::always;
  BreakScope break_scope = BreakScope::whole_file;

  friend constexpr bool operator==(const KernelRules&, const KernelRules&) = default;
};

}  // namespace daxrace
