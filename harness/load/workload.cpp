#include "harness/load/workload.hpp"

#include <algorithm>

namespace daxrace {
namespace {

constexpr bool does_io(Op op) {
  return op == Op::aio_read || op == Op::aio_write || op == Op::gup_read || op == Op::gup_write ||
         op == Op::gup_cold;
}

/// One path alone, so that its cost can be told from everything else.
Workload single(std::string_view path, std::string_view summary, std::vector<WeightedOp> ops,
                double rate_per_s) {
  return {.name = path,
          .summary = summary,
          .roles = {{.name = path, .ops = std::move(ops), .count = 1, .rate_per_s = rate_per_s}},
          .uncontended = true};
}

// Rates are of the whole role. They keep each of two workers below half busy where direct I/O takes 100 us to
// its peer, a zap with a busy neighbour 30 us and a layout change waits for one I/O.
std::vector<Workload> contended_presets() {
  return {
      {.name = "mixed",
       .summary = "DAX faults, reads and writes, direct I/O, pins, punch and truncate on one file",
       .roles = {{.name = "faulter", .ops = {{Op::touch_read, 1}, {Op::touch_write, 1}}, .rate_per_s = 4000},
                 {.name = "reader", .ops = {{Op::read, 1}}, .rate_per_s = 500},
                 {.name = "writer", .ops = {{Op::write, 1}}, .rate_per_s = 500},
                 {.name = "aio", .ops = {{Op::aio_read, 1}, {Op::aio_write, 1}}, .rate_per_s = 1000},
                 {.name = "gup", .ops = {{Op::gup_read, 1}, {Op::gup_write, 1}}, .rate_per_s = 1000},
                 {.name = "puncher", .ops = {{Op::punch, 1}}, .rate_per_s = 800},
                 {.name = "truncater",
                  .ops = {{Op::truncate_down, 1}, {Op::truncate_up, 1}},
                  .rate_per_s = 200}}},
      {.name = "gup_vs_punch",
       .summary = "pages pinned by O_DIRECT of another file while they are punched",
       .roles = {{.name = "gup", .ops = {{Op::gup_read, 1}, {Op::gup_write, 1}}, .rate_per_s = 2000},
                 {.name = "puncher", .ops = {{Op::punch, 1}}, .rate_per_s = 1000}}},
      {.name = "aio_vs_punch",
       .summary = "direct I/O of the file in flight while its blocks are punched",
       .roles = {{.name = "aio", .ops = {{Op::aio_read, 1}, {Op::aio_write, 1}}, .rate_per_s = 2000},
                 {.name = "writer", .ops = {{Op::write, 1}}, .rate_per_s = 500},
                 {.name = "puncher", .ops = {{Op::punch, 1}}, .rate_per_s = 1000}}},
      {.name = "fault_vs_truncate",
       .summary = "page faults, loads and stores while the file shrinks and grows",
       .roles = {{.name = "faulter", .ops = {{Op::touch_read, 1}, {Op::touch_write, 1}}, .rate_per_s = 8000},
                 {.name = "truncater",
                  .ops = {{Op::truncate_down, 1}, {Op::truncate_up, 1}},
                  .rate_per_s = 1000}}},
      {.name = "lease_vs_punch",
       .summary = "a client with a layout lease reads and writes frames while they are punched",
       .roles = {{.name = "lessee", .ops = {{Op::lease, 1}}, .rate_per_s = 500},
                 {.name = "faulter", .ops = {{Op::touch_write, 1}}, .rate_per_s = 2000},
                 {.name = "puncher", .ops = {{Op::punch, 1}}, .rate_per_s = 500}}},
      {.name = "disjoint",
       .summary = "pins and punches that never meet in a page: what a scope narrower than the file is worth",
       .roles = {{.name = "gup", .ops = {{Op::gup_read, 1}}, .rate_per_s = 2000},
                 {.name = "puncher", .ops = {{Op::fill_and_punch, 1}}, .rate_per_s = 2000}},
       .own_pages = true},
      {.name = "collision",
       .summary =
           "the shape of xfstests t_mmap_collision: O_DIRECT reads into a DAX mapping under layout changes",
       .roles = {{.name = "gup", .ops = {{Op::gup_write, 1}}, .rate_per_s = 1500},
                 {.name = "reader", .ops = {{Op::read, 1}, {Op::write, 1}}, .rate_per_s = 500},
                 {.name = "puncher", .ops = {{Op::punch, 1}}, .rate_per_s = 600},
                 {.name = "truncater",
                  .ops = {{Op::truncate_down, 1}, {Op::truncate_up, 1}},
                  .rate_per_s = 200}}},
      {.name = "reshape",
       .summary =
           "faults, reads and writes, direct I/O and pins while ranges are zeroed, taken out and put in",
       .roles = {{.name = "faulter", .ops = {{Op::touch_read, 1}, {Op::touch_write, 1}}, .rate_per_s = 4000},
                 {.name = "reader", .ops = {{Op::read, 1}}, .rate_per_s = 500},
                 {.name = "writer", .ops = {{Op::write, 1}}, .rate_per_s = 500},
                 {.name = "aio", .ops = {{Op::aio_read, 1}, {Op::aio_write, 1}}, .rate_per_s = 500},
                 {.name = "gup", .ops = {{Op::gup_read, 1}, {Op::gup_write, 1}}, .rate_per_s = 1000},
                 {.name = "zeroer", .ops = {{Op::zero, 1}}, .rate_per_s = 400},
                 {.name = "shifter", .ops = {{Op::collapse, 1}, {Op::insert, 1}}, .rate_per_s = 400}}},
      {.name = "realloc",
       .summary = "every kind of access against punch, with freed blocks given to another file at once",
       .roles = {{.name = "load", .ops = {{Op::touch_read, 1}, {Op::touch_write, 1}}, .rate_per_s = 2000},
                 {.name = "reader", .ops = {{Op::read, 1}, {Op::write, 1}}, .rate_per_s = 500},
                 {.name = "aio", .ops = {{Op::aio_read, 1}, {Op::aio_write, 1}}, .rate_per_s = 800},
                 {.name = "gup", .ops = {{Op::gup_read, 1}, {Op::gup_write, 1}}, .rate_per_s = 800},
                 {.name = "lessee", .ops = {{Op::lease, 1}, {Op::gup_write, 4}}, .rate_per_s = 500},
                 {.name = "puncher", .ops = {{Op::punch, 1}}, .rate_per_s = 500},
                 {.name = "victim", .ops = {{Op::victim, 1}}, .rate_per_s = 1000}}},
  };
}

/// A layout change against a stream that never pauses: --load=closed shows whether it ever gets its turn, in
/// the columns wait_p99_ns and wait_max_ns of punch.
std::vector<Workload> starvation_presets() {
  const Role puncher{.name = "puncher", .ops = {{Op::fill_and_punch, 1}}, .rate_per_s = 200};
  return {
      {.name = "starve_gup",
       .summary = "punch against pins that come without a pause",
       .roles = {{.name = "gup", .ops = {{Op::gup_read, 1}}, .count = 2, .rate_per_s = 2000}, puncher}},
      {.name = "starve_aio",
       .summary = "punch against direct I/O that comes without a pause",
       .roles = {{.name = "aio", .ops = {{Op::aio_read, 1}}, .count = 2, .rate_per_s = 2000}, puncher}},
      {.name = "starve_fault",
       .summary = "punch against faults that come without a pause",
       .roles = {{.name = "faulter", .ops = {{Op::refault, 1}}, .count = 2, .rate_per_s = 4000}, puncher}},
  };
}

std::vector<Workload> single_path_presets() {
  return {
      single("fault", "page faults that install a translation", {{Op::refault, 1}}, 8000),
      single("load", "loads through an installed translation", {{Op::touch_read, 1}}, 20000),
      single("store", "stores through an installed translation", {{Op::touch_write, 1}}, 20000),
      single("read", "DAX reads: copies out of frames", {{Op::read, 1}}, 8000),
      single("write", "DAX writes: copies into frames", {{Op::write, 1}}, 8000),
      single("aio_read", "direct I/O of the file, frames to device", {{Op::aio_read, 1}}, 2000),
      single("aio_write", "direct I/O of the file, device to frames", {{Op::aio_write, 1}}, 2000),
      single("gup_fast", "O_DIRECT of another file out of our mapping, pinned without a fault",
             {{Op::gup_read, 1}}, 2000),
      single("gup_slow", "the same after the mapping has lost its translations, pinned by a fault",
             {{Op::gup_cold, 1}}, 2000),
      single("munmap", "removal of a mapping's translations", {{Op::touch_write, 4}, {Op::munmap, 1}}, 4000),
      single("evict", "last unlink and close: the file's blocks are freed",
             {{Op::touch_write, 8}, {Op::evict, 1}}, 4000),
      single("punch", "punch of a page that has just been faulted in", {{Op::fill_and_punch, 1}}, 4000),
      single("zero", "zeroing of a range that holds blocks", {{Op::touch_write, 4}, {Op::zero, 1}}, 3000),
      single("collapse", "a range taken out: the rest of the file moves down",
             {{Op::touch_write, 4}, {Op::collapse, 1}, {Op::insert, 1}}, 3000),
      single("insert", "a hole put in: the rest of the file moves up",
             {{Op::touch_write, 4}, {Op::insert, 1}, {Op::collapse, 1}}, 3000),
      single("truncate_down", "truncate that shrinks the file and frees blocks",
             {{Op::touch_write, 4}, {Op::truncate_down, 1}, {Op::truncate_up, 1}}, 3000),
      single("truncate_up", "truncate that extends the file", {{Op::truncate_up, 1}, {Op::truncate_down, 1}},
             3000),
      single("fsync", "write-back of pages stored since the last one", {{Op::touch_write, 2}, {Op::fsync, 1}},
             3000),
      single("lease", "layout lease: acquire, access the frames, return it", {{Op::lease, 1}}, 2000),
  };
}

std::vector<Workload> all_presets() {
  std::vector<Workload> presets = contended_presets();
  for (Workload& preset : starvation_presets()) presets.push_back(std::move(preset));
  for (Workload& preset : single_path_presets()) presets.push_back(std::move(preset));
  return presets;
}

}  // namespace

bool Workload::needs_peer() const {
  return std::ranges::any_of(roles, [](const Role& role) {
    return std::ranges::any_of(role.ops, [](const WeightedOp& share) { return does_io(share.op); });
  });
}

bool Workload::shifts() const {
  return std::ranges::any_of(roles, [](const Role& role) {
    return std::ranges::any_of(
        role.ops, [](const WeightedOp& share) { return share.op == Op::collapse || share.op == Op::insert; });
  });
}

unsigned Workload::closed_threads() const {
  unsigned threads = 0;
  for (const Role& role : roles) threads += role.count;
  return threads;
}

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> presets = all_presets();
  return presets;
}

const Workload* find_workload(std::string_view name) {
  const auto& all = workloads();
  const auto found = std::ranges::find(all, name, &Workload::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace daxrace
