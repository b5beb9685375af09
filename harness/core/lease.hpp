#pragma once

#include "harness/core/file.hpp"

/// Layout leases: what a client holds that reads and writes the frames itself, with no page references. They
/// stand for the kernel's FL_LAYOUT leases.
namespace daxrace::core {

/// The word of an inode's leases: bit 0 says that they are being recalled, bit 1 that the lessees are being
/// fenced, the bits above count the leases, the upper half counts how often they were revoked.
inline constexpr std::uint32_t kRecalled = 1;
inline constexpr std::uint32_t kFencing = 2;
inline constexpr std::uint32_t kOneLease = 4;
inline constexpr std::uint32_t kLeasesMask = 0xffff;
inline constexpr std::uint32_t kOneRevocation = kLeasesMask + 1;

/// What a client holds.
struct Lease {
  std::uint32_t revocations = 0;  ///< of the inode when it was granted
};

template <class K>
WaitKey lease_key(InodeOf<K>& ip) {
  return {&ip.layout_leases, WaitFor::lease, ip.ino};
}

template <class K>
bool has_leases(K&, InodeOf<K>& ip) {
  return (ip.layout_leases.load() & kLeasesMask) != 0;
}

/// A layout lease for a client. -EAGAIN while leases are being recalled.
template <class K>
int get_layout_lease(K& k, InodeOf<K>& ip, Lease& lease) {
  std::uint32_t seen = ip.layout_leases.load();
  do {
    if ((seen & kRecalled) != 0) return -EAGAIN;
  } while (!ip.layout_leases.compare_exchange_weak(seen, seen + kOneLease));
  lease.revocations = seen / kOneRevocation;
  k.env.oracle().event(Event::lease_granted, ip.ino, 0, kNoFrame, 0);
  return 0;
}

template <class K>
bool layout_recalled(K&, InodeOf<K>& ip) {
  return (ip.layout_leases.load() & kRecalled) != 0;
}

/// Returned; the last one ends the recall and wakes whoever broke the layout. A revoked lease is none.
template <class K>
void put_layout_lease(K& k, InodeOf<K>& ip, Lease lease) {
  std::uint32_t seen = ip.layout_leases.load();
  std::uint32_t left = 0;
  do {
    if (seen / kOneRevocation != lease.revocations) return;
    left = seen - kOneLease;
    if ((left & kLeasesMask) == kRecalled) left -= kRecalled;  // nobody else's is out
  } while (!ip.layout_leases.compare_exchange_weak(seen, left));
  k.env.oracle().event(Event::lease_returned, ip.ino, 0, kNoFrame, 0);
  if ((left & kLeasesMask) == 0) k.env.wake_up(lease_key<K>(ip));
}

/// break_layout(inode, wait=false): recalls what is out. -EWOULDBLOCK if there was anything.
template <class K>
int recall_layouts(K& k, InodeOf<K>& ip) {
  std::uint32_t seen = ip.layout_leases.load();
  do {
    if ((seen & kLeasesMask) == 0) return 0;
  } while (!ip.layout_leases.compare_exchange_weak(seen, seen | kRecalled));
  k.env.oracle().event(Event::lease_recalled, ip.ino, 0, kNoFrame, (seen & kLeasesMask) / kOneLease);
  return -EWOULDBLOCK;
}

/// Names the sections of leased accesses, beside those of mappings.
template <class K>
std::uint32_t lease_sections(InodeOf<K>& ip) {
  return std::uint32_t{1} << 30 | ip.ino;
}

/// Fences every lessee: whoever comes later is turned away, and whoever is inside an access is waited for, as
/// a device does that is told to preempt and abort. Until then the leases count as held: somebody else who
/// changes the layout meanwhile must go on waiting.
template <class K>
void revoke_layouts(K& k, InodeOf<K>& ip) {
  std::uint32_t seen = ip.layout_leases.load();
  do {
    if ((seen & kLeasesMask) == 0 || (seen & kFencing) != 0) return;
  } while (!ip.layout_leases.compare_exchange_weak(seen, seen + kOneRevocation + kFencing));
  k.step(Step::lease_fenced);
  k.env.tlb_shootdown(lease_sections<K>(ip), kWholeFile);
  seen = ip.layout_leases.load();
  while (!ip.layout_leases.compare_exchange_weak(seen, seen & ~kLeasesMask)) {
  }
  k.env.oracle().event(Event::lease_revoked, ip.ino, 0, kNoFrame, (seen & kLeasesMask) / kOneLease);
  k.env.wake_up(lease_key<K>(ip));
}

/// One access of a lessee to a block that it mapped. missing: it is fenced and touched nothing.
template <class K, class Fn>
Access access_leased(K& k, InodeOf<K>& ip, Lease lease, PageOffset page, Block block, Fn&& access) {
  k.env.access_begin(lease_sections<K>(ip), page);
  Access result = Access::missing;
  if (ip.layout_leases.load() / kOneRevocation == lease.revocations) {
    k.step(Step::leased_access);
    access(block);
    result = check_block(k, Hazard::h5, ip, page, block) ? Access::done : Access::stale;
  }
  k.env.access_end();
  return result;
}

/// What happens when the grace time has passed and a lease is still out.
enum class SilentHolder : bool { waited_for, revoked };

/// break_layout(inode, wait=true), with no lock held.
template <class K>
int wait_for_leases(K& k, InodeOf<K>& ip, SilentHolder silent) {
  [[maybe_unused]] auto timed = k.env.timed(Phase::lease_wait);
  return wait_event(
      k.env, lease_key<K>(ip), Sleep::interruptible,
      [&] { return (ip.layout_leases.load() & kRecalled) == 0; },
      [&] {
        if (silent == SilentHolder::waited_for) {
          k.env.schedule();
        } else if (!k.env.schedule_grace()) {
          revoke_layouts(k, ip);
        }
      });
}

/// Whether the caller of break_leased_layouts holds MMAPLOCK beside IOLOCK.
enum class Locked : bool { iolock_only, iolock_and_mmaplock };

/// xfs_break_leased_layouts: drops every lock that is held, waits, takes IOLOCK exclusively and then the rest
/// again.
template <class K>
int break_leased_layouts(K& k, InodeOf<K>& ip, bool* retry, Locked locked = Locked::iolock_and_mmaplock,
                         SilentHolder silent = SilentHolder::waited_for) {
  int error = 0;
  while (error == 0 && recall_layouts(k, ip) == -EWOULDBLOCK) {
    k.step(Step::lease_recalled);
    if (locked == Locked::iolock_and_mmaplock) k.up_write(ip.invalidate_lock);
    k.up_write(ip.i_rwsem);
    *retry = true;
    k.step(Step::lease_unlocked);
    error = wait_for_leases(k, ip, silent);
    if (k.env.rules().lease_error_is_lost) error = 0;  // xfs_pnfs.c: the loop's condition overwrites it
    k.down_write(ip.i_rwsem);
    if (locked == Locked::iolock_and_mmaplock) k.down_write(ip.invalidate_lock);
  }
  return error;
}

}  // namespace daxrace::core
