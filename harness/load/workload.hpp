#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace daxrace {

/// What a worker can be asked to do once. An operation's *outcome* decides the path under which it is
/// recorded.
enum class Op : std::uint8_t {
  touch_read,   ///< load through the mapping, faulting if there is no translation
  touch_write,  ///< store through the mapping, faulting if there is no translation
  refault,      ///< drop one's own translation of a page (untimed), then write-fault it again
  read,
  write,
  aio_read,
  aio_write,
  gup_read,   ///< O_DIRECT write *from* our mapping
  gup_write,  ///< O_DIRECT read *into* our mapping
  gup_cold,   ///< drop one's own translation of a page (untimed), then gup_read it
  munmap,
  evict,
  punch,           ///< punch pages, whatever is there
  fill_and_punch,  ///< write-fault a page (recorded as fault), then punch it
  zero,            ///< zero a range, whatever is there
  collapse,        ///< take a range out, unless one is out already
  insert,          ///< put the range that was taken out in again, as a hole
  truncate_down,
  truncate_up,
  fsync,
  lease,  ///< acquire a layout lease, access the frames without references, return it
  victim  ///< write a freed frame into another file, check its stamp later, free it again
};
inline constexpr std::array<std::string_view, 22> kOpNames = {
    "touch_read", "touch_write",   "refault",     "read",  "write", "aio_read",       "aio_write", "gup_read",
    "gup_write",  "gup_cold",      "munmap",      "evict", "punch", "fill_and_punch", "zero",      "collapse",
    "insert",     "truncate_down", "truncate_up", "fsync", "lease", "victim"};

/// A share of a role's operations.
struct WeightedOp {
  Op op;
  unsigned weight;
};

/// What one thread does under `--load=closed`, and one part of the mix that every worker runs under
/// `--load=paced`.
struct Role {
  std::string_view name;  ///< faulter, reader, writer, aio, gup, puncher, truncater, lessee, victim, ...
  std::vector<WeightedOp> ops;
  unsigned count = 1;        ///< threads of this role under closed load
  double rate_per_s = 1000;  ///< intended starts per second of the role as a whole, under paced load
};

/// A preset: data, easy to read and to add.
struct Workload {
  std::string_view name;
  std::string_view summary;
  std::vector<Role> roles;
  /// One path, disjoint pages: every protocol does the same work, `none` is the baseline.
  bool uncontended = false;
  /// Each worker keeps to its own share of the pages, as it does where nothing is contended.
  bool own_pages = uncontended;
  bool needs_peer() const;
  /// Do its layout changes move data to other pages?
  bool shifts() const;
  unsigned closed_threads() const;
};

/// Every preset, in the order in which they are listed.
const std::vector<Workload>& workloads();
const Workload* find_workload(std::string_view name);

}  // namespace daxrace
