/* The lock rules of five protocols in Promela, written apart from the protocol headers: a hole punch of page 0
 * against a store that faults, direct I/O and a pin by gup_fast. Freed blocks count as reused at once: what still
 * touches one is a violation. Only page references, no mapping references (ref1, counted from 0 here).
 *
 * What is chosen with -D: the locks of the rule (one of the five names), and the tasks: FAULTS, IOS and PINS say how
 * many of each there are; the n-th acts on page n. PINS start with their pages mapped.
 */
#ifdef none
#define FAULT_MMAPLOCK 0
#define IO_IOLOCK 0
#define PUNCH_IOLOCK 0
#define PUNCH_MMAPLOCK 0
#define BREAKS 0
#define DIO_WAIT 0
#endif
#ifdef mmaplock
#define FAULT_MMAPLOCK 1
#define IO_IOLOCK 0
#define PUNCH_IOLOCK 0
#define PUNCH_MMAPLOCK 1
#define BREAKS 1
#define DIO_WAIT 0
#endif
#ifdef iolock
#define FAULT_MMAPLOCK 0
#define IO_IOLOCK 1
#define PUNCH_IOLOCK 1
#define PUNCH_MMAPLOCK 0
#define BREAKS 0
#define DIO_WAIT 1
#endif
#ifdef iolock_mmaplock_nobreak
#define FAULT_MMAPLOCK 1
#define IO_IOLOCK 1
#define PUNCH_IOLOCK 1
#define PUNCH_MMAPLOCK 1
#define BREAKS 0
#define DIO_WAIT 1
#endif
#ifdef iolock_mmaplock
#define FAULT_MMAPLOCK 1
#define IO_IOLOCK 1
#define PUNCH_IOLOCK 1
#define PUNCH_MMAPLOCK 1
#define BREAKS 1
#define DIO_WAIT 1
#endif

#ifndef FAULTS
#define FAULTS 0
#endif
#ifndef IOS
#define IOS 0
#endif
#ifndef PINS
#define PINS 0
#endif

#define PAGES 2

typedef Rwsem {
  byte readers;
  bool writer;
  byte writers_waiting
};

Rwsem iolock_, mmaplock_;
bool gone[PAGES];        /* the page's block was freed */
bool mapped[PAGES];      /* a translation stands */
bool stale[PAGES];       /* and it leads to a freed block */
byte inside[PAGES];      /* access sections that a shootdown waits for */
byte pins[PAGES];
byte dio;

/* A free lock may be taken by anybody; new readers queue behind a writer that waits. */
inline down_read(lock) {
  atomic { !lock.writer && (lock.readers == 0 || lock.writers_waiting == 0) -> lock.readers++ }
}
inline up_read(lock) { lock.readers-- }
inline down_write(lock) {
  atomic {
    if
    :: !lock.writer && lock.readers == 0 -> lock.writer = true
    :: else ->
      lock.writers_waiting++;
      !lock.writer && lock.readers == 0 -> lock.writers_waiting--; lock.writer = true
    fi
  }
}
inline up_write(lock) { lock.writer = false }

inline store(p) {
  do
  :: atomic { mapped[p] -> inside[p]++ };
     assert(!(stale[p] || (mapped[p] && gone[p])));  /* H1 */
     inside[p]--;
     break
  :: atomic { !mapped[p] -> skip };
     if
     :: FAULT_MMAPLOCK -> down_read(mmaplock_)
     :: else
     fi;
     atomic { found_gone = gone[p] };          /* the block is looked up, or a hole is filled */
     if
     :: found_gone -> break_out = true         /* a fresh block: no conflict with the freed one */
     :: else
     fi;
     atomic {
       if
       :: !break_out -> mapped[p] = true; stale[p] = gone[p]
       :: else
       fi
     };
     if
     :: FAULT_MMAPLOCK -> up_read(mmaplock_)
     :: else
     fi;
     if
     :: break_out -> break
     :: else
     fi
  od
}

proctype Fault(byte p) {
  bool found_gone, break_out;
  store(p)
}

proctype Io(byte p) {
  bool found;
  if
  :: IO_IOLOCK -> down_read(iolock_)
  :: else
  fi;
  dio++;
  found = !gone[p];
  /* submitted */
  if
  :: IO_IOLOCK -> up_read(iolock_)
  :: else
  fi;
  atomic { assert(!found || !gone[p]); dio-- }  /* H3: the device is done */
}

proctype Pin(byte p) {
  bool fast;
  atomic {
    if
    :: mapped[p] -> inside[p]++; pins[p]++; fast = true
    :: else
    fi
  };
  if
  :: fast ->
    atomic {
      if
      :: mapped[p] -> skip
      :: else -> pins[p]--; fast = false
      fi;
      inside[p]--
    }
  :: else
  fi;
  if
  :: fast ->
    skip;                             /* in flight */
    atomic { assert(!gone[p]); pins[p]-- }  /* H4 */
  :: else
  fi
}

inline unmap_all() {
  for (q : 0 .. PAGES - 1) {
    mapped[q] = false;
    inside[q] == 0
  }
}

proctype Punch(byte p) {
  byte q, busy;
  if
  :: PUNCH_IOLOCK -> down_write(iolock_)
  :: else
  fi;
  if
  :: PUNCH_MMAPLOCK -> down_write(mmaplock_)
  :: else
  fi;
  do
  :: BREAKS ->
    unmap_all();
    busy = PAGES;
    atomic {
      for (q : 0 .. PAGES - 1) {
        if
        :: busy == PAGES && pins[q] != 0 -> busy = q
        :: else
        fi
      }
    };
    if
    :: busy == PAGES -> break
    :: else ->
      if
      :: PUNCH_MMAPLOCK -> up_write(mmaplock_)
      :: else
      fi;
      pins[busy] == 0;
      if
      :: PUNCH_MMAPLOCK -> down_write(mmaplock_)
      :: else
      fi
    fi
  :: !BREAKS -> break
  od;
  if
  :: DIO_WAIT -> dio == 0
  :: else
  fi;
  mapped[p] = false;
  inside[p] == 0;
  assert(pins[p] == 0);  /* H4, at the free */
  gone[p] = true;
  if
  :: PUNCH_MMAPLOCK -> up_write(mmaplock_)
  :: else
  fi;
  if
  :: PUNCH_IOLOCK -> up_write(iolock_)
  :: else
  fi
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
    i = 0;
    do
    :: i < PINS -> mapped[i] = true; run Pin(i); i++
    :: else -> break
    od;
    run Punch(0)
  }
}
