#include "harness/explore/scenario.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace daxrace::explore {
namespace {

using litmus::info_of;
using litmus::kPage;
using litmus::Staging;

Op does(AccessKind access, PageOffset page = kPage) {
  return {.kind = Op::Kind::access, .access = access, .page = page};
}
Op changes(Operation operation, PageOffset page = kPage) {
  return {.kind = Op::Kind::change, .operation = operation, .page = page};
}
Op pins_for_reading(PageOffset page = kPage) {
  return {.kind = Op::Kind::access, .access = AccessKind::gup_fast, .page = page, .read_only = true};
}
Op faults(PageOffset page = kPage) { return {.kind = Op::Kind::refault, .page = page}; }
Op other_half(AccessKind access) { return {.kind = Op::Kind::access, .access = access, .helper = true}; }

TaskSpec endless(std::string name, std::vector<Op> ops) {
  return {.name = std::move(name), .ops = std::move(ops), .endless = true};
}

constexpr Staging kUnmapped{};
constexpr Staging kMapped{.mapped = {true, true, true, false}};
constexpr PageOffset kNext = kPage + 1;

std::vector<Scenario> make_scenarios() {
  using A = AccessKind;
  using O = Operation;
  return {
      {"fault_io_punch",
       "a store that faults, direct I/O and a hole punch",
       kUnmapped,
       {{"store", {does(A::fault)}}, {"aio", {does(A::aio_write)}}, {"punch", {changes(O::punch)}}}},
      {"faults_io_punch",
       "two stores that fault, two direct I/Os on two pages, and a hole punch",
       kUnmapped,
       {{"store 1", {does(A::fault)}},
        {"store 2", {does(A::fault, kNext)}},
        {"aio 1", {does(A::aio_write)}},
        {"aio 2", {does(A::aio_read, kNext)}},
        {"punch", {changes(O::punch)}}}},
      {"read_write_punch",
       "a DAX read, a DAX write and a hole punch",
       kUnmapped,
       {{"read", {does(A::read)}}, {"write", {does(A::write)}}, {"punch", {changes(O::punch)}}}},
      {"pin_punch",
       "a pin by gup_fast and a hole punch",
       kMapped,
       {{"pin", {does(A::gup_fast)}}, {"punch", {changes(O::punch)}}}},
      {"two_pins_punch",
       "pins of two pages by two tasks and a hole punch",
       kMapped,
       {{"pin 1", {does(A::gup_fast)}},
        {"pin 2", {does(A::gup_fast, kNext)}},
        {"punch", {changes(O::punch)}}},
       model::kNobody,
       {A::gup_again}},
      {"pin_slow_punch",
       "a pin that has to fault first, direct I/O and a hole punch",
       kUnmapped,
       {{"pin", {does(A::gup_slow)}}, {"aio", {does(A::aio_read)}}, {"punch", {changes(O::punch)}}}},
      {"pin_refault_punch",
       "a pin, a store by somebody else to the same page, and a hole punch",
       kMapped,
       {{"pin", {does(A::gup_fast)}}, {"store", {does(A::store)}}, {"punch", {changes(O::punch)}}},
       model::kNobody,
       {A::pin_refault}},
      {"two_punchers",
       "two hole punches of different pages, a store and a pin",
       kMapped,
       {{"store", {does(A::store)}},
        {"pin", {does(A::gup_fast, kNext)}},
        {"punch 1", {changes(O::punch)}},
        {"punch 2", {changes(O::punch, kNext)}}},
       model::kNobody,
       {A::pin_refault}},
      {"truncate_extend",
       "a truncate and an extension, one after the other, against a store and a DAX write",
       kMapped,
       {{"store", {does(A::store)}},
        {"write", {does(A::write, kNext)}},
        {"truncate", {changes(O::truncate_down), changes(O::truncate_up)}}}},
      {"truncate_pin_read",
       "a truncate against a pin and a DAX read",
       kMapped,
       {{"pin", {does(A::gup_fast)}},
        {"read", {does(A::read, kNext)}},
        {"truncate", {changes(O::truncate_down)}}}},
      {"collapse_io",
       "a collapse, which moves blocks, against a pin and direct I/O",
       kMapped,
       {{"pin", {does(A::gup_fast, kNext)}},
        {"aio", {does(A::aio_write)}},
        {"collapse", {changes(O::collapse)}}}},
      {"insert_io",
       "an insert, which moves blocks, against a load and direct I/O",
       kMapped,
       {{"load", {does(A::load)}}, {"aio", {does(A::aio_write)}}, {"insert", {changes(O::insert)}}}},
      {"nested_punch",
       "a DAX write whose buffer is mapped from the same file, a store, and a hole punch",
       kUnmapped,
       {{"write", {does(A::nested_same)}},
        {"store", {does(A::fault, kNext)}},
        {"punch", {changes(O::punch)}}}},
      {"nested_cross_punch",
       "two files written crosswise, each out of a mapping of the other, and a hole punch",
       kUnmapped,
       {{"write 1", {does(A::nested_cross)}},
        {"write 2", {other_half(A::nested_cross)}},
        {"punch", {changes(O::punch)}}}},
      {"lease_punch",
       "a lessee, direct I/O and a hole punch",
       kUnmapped,
       {{"lessee", {does(A::lease_prompt)}}, {"aio", {does(A::aio_write)}}, {"punch", {changes(O::punch)}}}},
      {"lease_again_punch",
       "a lessee that takes the layout again and again, and a hole punch",
       kUnmapped,
       {{"lessee", {does(A::lease_again)}}, {"punch", {changes(O::punch)}}}},
      {"lease_pin_punch",
       "a lessee that pins a page before it returns its layout, a store and a hole punch",
       kUnmapped,
       {{"lessee", {does(A::lease_then_pin)}}, {"store", {does(A::fault)}}, {"punch", {changes(O::punch)}}},
       model::kNobody,
       {A::pin_refault}},
      {"lease_two_punches",
       "a lessee that goes on for a while, and two hole punches of the page",
       kUnmapped,
       {{"lessee", {does(A::lease_slow)}},
        {"punch 1", {changes(O::punch)}},
        {"punch 2", {changes(O::punch)}}}},
      {"lease_write_punch",
       "a lessee that goes on for a while, a DAX write and a hole punch",
       kUnmapped,
       {{"lessee", {does(A::lease_slow)}}, {"write", {does(A::write)}}, {"punch", {changes(O::punch)}}}},
      {"munmap_pin_punch",
       "a pin that outlives munmap, a store, and a hole punch",
       kMapped,
       {{"pin", {does(A::pin_munmap)}}, {"store", {does(A::store)}}, {"punch", {changes(O::punch)}}},
       model::kNobody,
       {A::pin_refault}},
      {"unlink_pin_evict",
       "a pin that outlives munmap, unlink and close, and the eviction",
       kMapped,
       {{"pin", {does(A::pin_unlink)}}, {"evict", {changes(O::evict)}, true}}},
      {"pin_signal_punch",
       "a pin, a store, and a hole punch that gets a signal at any time",
       kMapped,
       {{"pin", {does(A::pin_interrupted)}},
        {"store", {does(A::store, kNext)}},
        {"punch", {changes(O::punch)}}},
       2},
      {"pin_signal_truncate",
       "a pin, a store, and a truncate that gets a signal at any time",
       kMapped,
       {{"pin", {does(A::pin_interrupted)}},
        {"store", {does(A::store, kNext)}},
        {"truncate", {changes(O::truncate_down)}}},
       2},
      {"fsync_punch",
       "a store and fsync, and a hole punch elsewhere in the file",
       kUnmapped,
       {{"fsync", {does(A::fsync)}}, {"store", {does(A::fault, kNext)}}, {"punch", {changes(O::punch)}}}},
      {"fault_fsync",
       "a store that faults, and somebody else's store to the page, and fsync",
       kUnmapped,
       {{"store", {does(A::fault, 0)}}, {"fsync", {does(A::fsync)}}}},
      {"pin_fsync_punch",
       "a pin, a store and fsync of the page, and a hole punch of it",
       kMapped,
       {{"pin", {does(A::gup_fast, 0)}}, {"fsync", {does(A::fsync)}}, {"punch", {changes(O::punch, 0)}}},
       model::kNobody,
       {A::pin_refault}},
      {"hole_write",
       "loads of a hole, a store to it, and a DAX write that fills it",
       {.hole = true},
       {{"load", {does(A::zero_page)}}, {"store", {does(A::fault)}}, {"write", {changes(O::write_hole)}}},
       model::kNobody,
       {A::zero_page_fault}},
      {"hole_pin_punch",
       "a load of a hole beside a page that is pinned and punched, under 2 MiB entries",
       {.pages_per_entry = 4, .hole = true, .mapped = {true, false, false, false}},
       {{"load", {does(A::load)}}, {"pin", {does(A::gup_fast, 0)}}, {"punch", {changes(O::punch, 0)}}}},
      {"starve_gup",
       "a hole punch against two tasks that pin the page again and again",
       kMapped,
       {endless("pin 1", {pins_for_reading()}),
        endless("pin 2", {pins_for_reading()}),
        {"punch", {changes(O::punch)}}},
       model::kNobody,
       {A::gup_again}},
      {"starve_aio",
       "a hole punch against two tasks whose direct I/O never pauses",
       kUnmapped,
       {endless("aio 1", {does(A::aio_read)}),
        endless("aio 2", {does(A::aio_read)}),
        {"punch", {changes(O::punch)}}}},
      {"starve_fault",
       "a hole punch against two tasks that drop their translation and fault, again and again",
       kUnmapped,
       {endless("fault 1", {faults()}), endless("fault 2", {faults()}), {"punch", {changes(O::punch)}}},
       model::kNobody,
       {A::fault}},
  };
}

bool has_two_halves(AccessKind access) { return litmus::takes_two(access); }

}  // namespace

bool Scenario::has(Operation operation) const {
  return std::ranges::any_of(tasks, [&](const TaskSpec& task) {
    return std::ranges::any_of(
        task.ops, [&](const Op& op) { return op.kind == Op::Kind::change && op.operation == operation; });
  });
}

bool Scenario::has(AccessKind access) const {
  if (std::ranges::find(amounts_to, access) != amounts_to.end()) return true;
  return std::ranges::any_of(tasks, [&](const TaskSpec& task) {
    return std::ranges::any_of(
        task.ops, [&](const Op& op) { return op.kind == Op::Kind::access && op.access == access; });
  });
}

bool Scenario::is_of_a_lock() const {
  const Op::Kind kind = tasks.front().ops.front().kind;
  return kind == Op::Kind::lock_shared || kind == Op::Kind::lock_exclusive;
}

bool Scenario::is_endless() const { return std::ranges::any_of(tasks, &TaskSpec::endless); }

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make_scenarios();
  return all;
}

Scenario cell_scenario(Operation operation, AccessKind access) {
  Scenario scenario{
      .name = fmt::format("{}/{}", info_of(operation).name, info_of(access).name),
      .summary = fmt::format("{} against {}", info_of(operation).summary, info_of(access).summary),
      .staging = litmus::staging_of(operation, access),
      .tasks = {{"access", {does(access)}},
                {"layout change", {changes(operation)}, operation == Operation::evict}}};
  if (has_two_halves(access)) scenario.tasks.push_back({"other access", {other_half(access)}});
  if (litmus::is_interrupted(access)) scenario.signalled = litmus::kChangeTask;
  // Nobody but the signal ends the wait for a silent lessee; that it may last for ever is lease_silent's.
  scenario.signal_comes = access == AccessKind::lease_interrupted;
  return scenario;
}

const std::vector<Scenario>& cell_scenarios() {
  static const std::vector<Scenario> all = [] {
    std::vector<Scenario> cells;
    for (std::size_t o = 0; o < litmus::kOperationCount; ++o)
      for (std::size_t a = 0; a < litmus::kAccessCount; ++a)
        if (litmus::can_meet(static_cast<Operation>(o), static_cast<AccessKind>(a)))
          cells.push_back(cell_scenario(static_cast<Operation>(o), static_cast<AccessKind>(a)));
    return cells;
  }();
  return all;
}

}  // namespace daxrace::explore
