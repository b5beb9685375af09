/* The rule iolock_mmaplock step by step, for a comparison of speed: stores that fault, direct I/O and a hole punch of page
 * 0, as in the scenarios fault_io_punch and faults_io_punch. FAULTS and IOS say how many of each there are; the n-th acts
 * on page n, the first I/O writes and the second reads.
 *
 * One d_step is what a task does from one stop of daxrace explore to the next. Beside it stands that step in the words of
 * harness/core/env.hpp and of the locks, several of them with bars in between; a word before the colon names the case that it
 * belongs to. promela_steps_test holds them against what the tasks do, and this list against that header:
 *
 * Steps: fault_locked fault_looked_up fault_allocated fault_touched fault_installed access gup_pinned gup_in_flight
 *   io_in_flight copy_looked_up copy_done aio_counted aio_looked_up aio_submitted unmapped busy_scanned break_unlocked
 *   break_relocked lease_recalled lease_unlocked layout_broken entries_removed block_unlinked block_freed block_moved
 *   lease_mapped leased_access lease_fenced writeback.
 *
 * What decides nothing is left out: pages that nobody punches keep their block, no page has references.
 */
#define PAGES 2
#define HOLE 0
#define FIRST 1
#define FRESH 2

typedef Rwsem {
  byte readers;
  bool writer;
  byte queued;
  bool writer_queued
};

Rwsem iolock, mmaplock;
byte block[PAGES] = FIRST;       /* the extent map */
byte mapped[PAGES];              /* the translations: HOLE, or to which block */
bool freed;                      /* the first block of page 0 */
bool entry[PAGES];               /* the DAX entries, all of them dirty */
bool locked[PAGES];              /* and their locks */
byte inside[PAGES];              /* access sections */
byte dio;
bool dio_queued, dio_awake;      /* the punch, which waits for direct I/O */
bool entry_queued, entry_awake;  /* the writing I/O, which waits for the lock of entry 0 */

#define FREE(lock) (!lock.writer && lock.readers == 0)
#define ADMITS_READER(lock) (FREE(lock) || (!lock.writer && lock.queued == 0 && !lock.writer_queued))
#define ADMITS_QUEUED_READER(lock) (!lock.writer && !lock.writer_queued)

/* Takes the lock and does the rest of the step, or queues first. */
#define DOWN_READ(lock, rest)                                                      \
  if                                                                               \
  :: d_step { ADMITS_READER(lock) -> lock.readers++; rest }                        \
  :: d_step { !ADMITS_READER(lock) -> lock.queued++ };                             \
     d_step { ADMITS_QUEUED_READER(lock) -> lock.queued--; lock.readers++; rest }  \
  fi
#define DOWN_WRITE(lock, rest)                                                     \
  if                                                                               \
  :: d_step { FREE(lock) -> lock.writer = true; rest }                             \
  :: d_step { !FREE(lock) -> lock.writer_queued = true };                          \
     d_step { FREE(lock) -> lock.writer_queued = false; lock.writer = true; rest } \
  fi

/* wait_event: queued before the condition is looked at, and again after each time that it was woken. */
#define WAIT(queued, awake, condition, rest)                             \
  d_step { queued = true; awake = false };                               \
  do                                                                     \
  :: d_step { condition -> queued = false; awake = false; rest }; break  \
  :: d_step { !(condition) -> skip };                                    \
     d_step { awake -> awake = false }                                   \
  od

/* A shootdown waits for the sections that are open. */
#define SHOOT_DOWN(can, change, nobody_inside)                      \
  if                                                                \
  :: d_step { can && nobody_inside -> change }                      \
  :: d_step { can && !(nobody_inside) -> change }; nobody_inside    \
  fi
#define NOBODY_INSIDE (inside[0] == 0 && inside[1] == 0)
#define UNMAPS_ALL mmaplock.writer = true; mapped[0] = HOLE; mapped[1] = HOLE

proctype Fault(byte p) {
  byte block_of;
  if
  :: d_step { mapped[p] == HOLE -> skip }                  /* step: */
  :: d_step { mapped[p] != HOLE -> inside[p]++; block_of = mapped[p] }; goto accesses
  fi;
faults:
  DOWN_READ(mmaplock, skip);                               /* step: down_mmaplock fault_locked */
  d_step { locked[p] = true; block_of = block[p] };        /* step: fault_looked_up */
  if
  :: d_step {
       block_of == HOLE ->                                 /* step hole: fault_allocated */
       if
       :: block[p] == HOLE -> block[p] = FRESH
       :: else
       fi;
       block_of = block[p]
     }
  :: else
  fi;
  d_step { mapped[p] = block_of };                         /* step: fault_touched fault_installed */
  if                                                       /* the entry is let go, and whoever waits for it is woken */
  :: d_step {
       !(p == 0 && entry_queued) ->                        /* step: up_mmaplock */
       locked[p] = false; entry[p] = true; mmaplock.readers--
     }
  :: d_step { p == 0 && entry_queued -> locked[p] = false; entry[p] = true };
     d_step { entry_awake = entry_queued };
     mmaplock.readers--
  fi;
  if
  :: d_step { mapped[p] == HOLE -> skip }; goto faults
  :: d_step { mapped[p] != HOLE -> inside[p]++; block_of = mapped[p] }  /* step: access */
  fi;
accesses:
  atomic { assert(p != 0 || block_of != FIRST || !freed); inside[p]-- }  /* step: */
}

proctype Io(byte p) {
  byte block_of;
  DOWN_READ(iolock, dio++);                                /* step: down_iolock aio_counted */
  if
  :: d_step { block[p] != HOLE -> block_of = block[p] };   /* step found: aio_looked_up */
     skip                                                  /* step found: aio_submitted */
  :: block[p] == HOLE ->
     if
     :: d_step { !locked[p] -> block[p] = FRESH }          /* step hole: entries_removed */
     :: d_step { locked[p] -> block[p] = FRESH };
        WAIT(entry_queued, entry_awake, !locked[p], skip)
     fi;
     SHOOT_DOWN(true, mapped[p] = HOLE, inside[p] == 0);   /* step hole: unmapped */
     block_of = FRESH                                      /* step hole: aio_looked_up aio_submitted */
  fi;
  iolock.readers--;                                        /* step: up_iolock */
  if
  :: d_step {
       !(dio == 1 && dio_queued) ->                        /* step: io_in_flight */
       assert(p != 0 || block_of != FIRST || !freed); dio--
     }
  :: d_step { dio == 1 && dio_queued -> assert(p != 0 || block_of != FIRST || !freed); dio-- };
     d_step { dio_awake = dio_queued };                    /* step woken: | */
     skip
  fi
}

proctype Punch() {
  DOWN_WRITE(iolock, skip);                                /* step: down_iolock */
  if                                                       /* step: down_mmaplock unmapped */
  :: SHOOT_DOWN(FREE(mmaplock), UNMAPS_ALL, NOBODY_INSIDE)
  :: d_step { !FREE(mmaplock) -> mmaplock.writer_queued = true };
     SHOOT_DOWN(FREE(mmaplock), mmaplock.writer_queued = false; UNMAPS_ALL, NOBODY_INSIDE)
  fi;
  skip;                                                    /* step: busy_scanned */
  if                                                       /* step clean: layout_broken unmapped */
  :: d_step { dio == 0 -> locked[0] = entry[0] }           /* step dirty: layout_broken writeback */
  :: d_step { dio != 0 -> skip };                          /* step waits: layout_broken */
     WAIT(dio_queued, dio_awake, dio == 0,                 /* step waits: | | | unmapped */
          locked[0] = entry[0])
  fi;
  if
  :: d_step { locked[0] -> locked[0] = false }             /* step dirty: unmapped */
  :: else
  fi;
  entry[0] = false;                                        /* step: entries_removed */
  block[0] = HOLE;                                         /* step: block_unlinked */
  freed = true;                                            /* step: block_freed */
  mmaplock.writer = false;                                 /* step: up_mmaplock */
  iolock.writer = false;                                   /* step: up_iolock */
  skip                                                     /* step: */
}

init {
  byte i;
  atomic {
    do
    :: i < FAULTS -> run Fault(i); i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < IOS -> run Io(i); i++
    :: else -> break
    od;
    run Punch()
  }
}
