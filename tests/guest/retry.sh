# Whether a guest that died may be booted anew: an emulated CPU can die of what no test has asked for. To be sourced.
# shellcheck shell=bash

# A kernel changes its own code through a byte that traps, and an emulated CPU may run into it (Oops: int3); where this
# machine is busy it may starve until the kernel's own watchdog bites (soft lockup), or so early that the kernel waits in
# vain for its timer, before anything of ours is there; or a timer that was set is lost, and RCU with all that waits for it
# stands still.
emulation_died() {
  grep -Eo -m1 "Oops: int3|soft lockup|IO-APIC [+] timer doesn't work|kthread timer wakeup didn't happen" "$1"
}

# What the stuck CPUs did: from each soft lockup's first line to the end of its registers and backtrace. The console
# prefixes every line with its time.
lockup_reports() {
  awk '/soft lockup - CPU/ { inside = 1; left = 80 }
    inside && /Sending NMI|NMI backtrace/ { inside = 0 }
    inside { print; if (--left == 0 || / ret_from_fork|entry_SYSCALL_64|end trace|Kernel panic/) inside = 0 }' "$1"
}

# The names in them that belong to what is tested: the program, and functions of the file systems and of DAX. A function
# stands behind its address (RIP: 0010:xfs_ilock+0x12/0x80, or a line of the backtrace alone).
accused() {
  lockup_reports "$1" | grep -Eo '\[daxrace[^]]*\]|Comm: daxrace[^ ]*|\b(xfs|ext4|dax|iomap|jbd2)_[a-z0-9_]+\+0x' |
    sed 's/+0x$//' | sort -u | paste -sd ' '
}

# may_boot_again CONSOLE EARLIER...: prints why or why not. EARLIER: the consoles of the boots before this one.
may_boot_again() {
  local console=$1 why whose earlier
  shift
  why=$(emulation_died "$console") || { echo "the guest died of nothing that the emulation is known for"; return 1; }
  whose=$(accused "$console")
  if [[ -n $whose ]]; then
    echo "the guest died of a soft lockup of what is tested: $whose"
    return 1
  fi
  for earlier; do
    if [[ $(emulation_died "$earlier") == "$why" ]]; then
      echo "the guest died of '$why' again: not the emulation's fault alone"
      return 1
    fi
  done
  echo "the guest died of '$why', nothing of what is tested was on the CPU"
}
