#include "harness/explore/lock.hpp"

#include "harness/core/rwsem.hpp"

namespace daxrace::explore {
namespace {

constexpr Op kReads{.kind = Op::Kind::lock_shared};
constexpr Op kWrites{.kind = Op::Kind::lock_exclusive};

std::vector<Scenario> make_lock_scenarios() {
  return {
      {"rwsem_readers",
       "two readers and a writer",
       {},
       {{"reader 1", {kReads}}, {"reader 2", {kReads}}, {"writer", {kWrites}}}},
      {"rwsem_writers",
       "two writers and a reader",
       {},
       {{"writer 1", {kWrites}}, {"writer 2", {kWrites}}, {"reader", {kReads}}}},
      {"rwsem_handoff",
       "a writer that comes again and again, and a reader that it may steal the lock from",
       {},
       {{"writer", {kWrites, kWrites, kWrites}}, {"reader", {kReads, kReads}}}},
      {"rwsem_writer_leaves",
       "a writer that may give up between two readers",
       {},
       {{"reader 1", {kReads}}, {"reader 2", {kReads}}, {"writer", {kWrites}}},
       2},
      {"rwsem_reader_leaves",
       "a reader that may give up, a writer and another reader",
       {},
       {{"writer", {kWrites}}, {"reader 1", {kReads}}, {"reader 2", {kReads}}},
       2},
      {"rwsem_last_leaves",
       "a writer that may give up, and a writer that comes twice",
       {},
       {{"writer 1", {kWrites, kWrites}}, {"writer 2", {kWrites}}},
       1},
  };
}

}  // namespace

const litmus::Script& rwsem_script() {
  static const litmus::Script script = script_of_lock<Rwsem>({
      .name = "rwsem",
      .promises = kLockPromises,
      .stands_for = "harness/core/rwsem.hpp, after kernel/locking/rwsem.c of 6.1",
      .summary = "the lock behind IOLOCK and MMAPLOCK",
  });
  return script;
}

const std::vector<Scenario>& lock_scenarios() {
  static const std::vector<Scenario> all = make_lock_scenarios();
  return all;
}

}  // namespace daxrace::explore
