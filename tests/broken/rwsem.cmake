# Rwsem with one thing wrong each. They are cut out of the one source when the tree is configured, so that there is no
# second copy of it; an edit that finds nothing to change stops the configuration.
set(DAXRACE_BROKEN_RWSEM_INCLUDES "")
set(DAXRACE_BROKEN_RWSEM_ENTRIES "")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/harness/rwsem.hpp)

# daxrace_broken_rwsem(name summary from to [from to ...])
function(daxrace_broken_rwsem name summary)
  file(READ ${PROJECT_SOURCE_DIR}/harness/rwsem.hpp text)
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE 2 ${last} 2)
    math(EXPR j "${i} + 1")
    string(FIND "${text}" "${ARGV${i}}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${name}: harness/rwsem.hpp does not have\n${ARGV${i}}")
    endif()
    string(REPLACE "${ARGV${i}}" "${ARGV${j}}" text "${text}")
  endforeach()
  string(REPLACE "Rwsem" "${name}" text "${text}")
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/broken_rwsem/${name}.hpp CONTENT "${text}" @ONLY)
  set(DAXRACE_BROKEN_RWSEM_INCLUDES "${DAXRACE_BROKEN_RWSEM_INCLUDES}#include \"broken_rwsem/${name}.hpp\"\n" PARENT_SCOPE)
  set(DAXRACE_BROKEN_RWSEM_ENTRIES "${DAXRACE_BROKEN_RWSEM_ENTRIES}      script_of_lock<${name}>(
          {.name = \"${name}\", .promises = kLockPromises, .stands_for = \"a broken rwsem\", .summary = \"${summary}\"}),\n" PARENT_SCOPE)
endfunction()

daxrace_broken_rwsem(rwsem_waiters_bit_left "The last waiter gives up and leaves the waiters' bit set"
[[
  if (waiter.handoff) change -= kHandoff;
  if (head_ == nullptr) change -= kWaiters;
  const bool writer_holds]]
[[
  if (waiter.handoff) change -= kHandoff;
  const bool writer_holds]])
daxrace_broken_rwsem(rwsem_handoff_left "A waiter gives up and leaves the hand-off bit set"
[[
  if (waiter.handoff) change -= kHandoff;
  if (head_]]
[[
  if (head_]])
daxrace_broken_rwsem(rwsem_leaver_wakes_nobody "A writer gives up and does not let in who queues behind it"
  "writer_holds ? Wake{} : grant_head()" "writer_holds ? Wake{} : Wake{}")
daxrace_broken_rwsem(rwsem_leaver_keeps_share "A reader gives up just as it is let in, and keeps the lock"
[[
    while (!waiter.granted.load()) env.relax();
    up_read();]]
[[
    while (!waiter.granted.load()) env.relax();]])
daxrace_broken_rwsem(rwsem_reader_wakes_first "up_read wakes before it takes itself out of the count"
[[
    const std::uint64_t now = count_.fetch_sub(kReader) - kReader;
    if ((now & (kLocked | kWaiters)) == kWaiters) wake_head();]]
[[
    const std::uint64_t now = count_.load() - kReader;
    if ((now & (kLocked | kWaiters)) == kWaiters) wake_head();
    count_.fetch_sub(kReader);]])
daxrace_broken_rwsem(rwsem_writer_wakes_first "up_write wakes before it takes itself out of the count"
[[
    const std::uint64_t now = count_.fetch_sub(kWriter) - kWriter;
    if ((now & kWaiters) != 0) wake_head();]]
[[
    const std::uint64_t now = count_.load() - kWriter;
    if ((now & kWaiters) != 0) wake_head();
    count_.fetch_sub(kWriter);]])
daxrace_broken_rwsem(rwsem_reader_checks_first "A reader looks whether it was let in before it says that it sleeps"
[[
    env.task().set_sleeping();
    if (waiter.granted.load()) break;]]
[[
    if (waiter.granted.load()) break;
    env.task().set_sleeping();]])
daxrace_broken_rwsem(rwsem_writer_checks_first "A writer tries the lock before it says that it sleeps"
[[
    env.task().set_sleeping();
    wait_lock_.lock();
    taken = try_write_queued(env, waiter);
    wait_lock_.unlock();]]
[[
    wait_lock_.lock();
    taken = try_write_queued(env, waiter);
    wait_lock_.unlock();
    env.task().set_sleeping();]])
daxrace_broken_rwsem(rwsem_queues_behind_nobody "A reader that queues on a lock that has become free lets nobody in"
  "free ? grant_head() : Wake{}" "free ? Wake{} : Wake{}")
daxrace_broken_rwsem(rwsem_share_not_undone "A waker that finds a writer inside does not take the readers' share back"
  "((count_.fetch_add(undo) + undo) & kWriter)" "((count_.load() - undo + undo) & kWriter)")
daxrace_broken_rwsem(rwsem_handoff_kept "Whom the lock is handed to leaves the hand-off bit set"
  "(wanted | kWriter) & ~kHandoff" "(wanted | kWriter)")
daxrace_broken_rwsem(rwsem_takes_beside_readers "A queued writer takes the lock although readers hold it"
  "if ((seen & kLocked) != 0) {" "if ((seen & kWriter) != 0) {"
  "(seen & kLocked) == 0) {
      dequeue" "(seen & kWriter) == 0) {
      dequeue")

configure_file(broken_rwsems.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/broken_rwsems.cpp @ONLY)
