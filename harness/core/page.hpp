#pragma once

#include "harness/core/kernel.hpp"
#include "harness/core/words.hpp"

/// Page references, under both refcount rules.
namespace daxrace::core {

template <class K>
WaitKey page_key(K& k, FrameNumber frame) {
  return {&k.store.frame(frame).refcount, WaitFor::page_idle, frame};
}

/// The count for an event's sake. Where nobody is told it is not looked at: a compiler keeps atomic loads.
template <class K>
std::uint32_t count_to_tell([[maybe_unused]] K& k, [[maybe_unused]] FrameNumber frame) {
  if constexpr (K::EnvType::Oracle::enabled) return k.store.frame(frame).refcount.load();
  return 0;
}

/// dax_busy_page: a reference beyond the idle count and beyond those that the mappings hold.
template <class K>
bool page_is_busy(K& k, FrameNumber number) {
  auto& frame = k.store.frame(number);
  const std::uint32_t references = frame.refcount.load();
  return references - k.refcount.per_mapping * frame.mapcount.load() != k.refcount.idle;
}

/// What the waiter for a busy page waits for: not the same as "not busy" where mappings hold references.
template <class K>
bool page_is_idle(K& k, FrameNumber frame) {
  return k.store.frame(frame).refcount.load() == k.refcount.idle;
}

template <class K>
void get_page(K& k, FrameNumber frame) {
  k.store.frame(frame).refcount.fetch_add(1);
}

/// try_grab_folio: never from 0.
template <class K>
bool try_get_page(K& k, FrameNumber frame) {
  auto& refcount = k.store.frame(frame).refcount;
  std::uint32_t seen = refcount.load();
  while (seen != 0) {
    if (refcount.compare_exchange_weak(seen, seen + 1)) return true;
  }
  return false;
}

/// Wakes the waiter only when the count reaches the idle value, as put_devmap_managed_page and dax_page_free
/// do.
template <class K>
void put_page(K& k, FrameNumber frame) {
  if (k.store.frame(frame).refcount.fetch_sub(1) - 1 == k.refcount.idle) k.env.wake_up(page_key(k, frame));
}

/// folio_put_refs, which looks for nobody who waits for the page of a device.
template <class K>
void put_page_unseen(K& k, FrameNumber frame) {
  k.store.frame(frame).refcount.fetch_sub(1);
}

/// The reference that a mapping holds from 6.15 on; nothing before.
template <class K>
void get_mapping_reference(K& k, FrameNumber frame) {
  if (k.refcount.per_mapping == 0) return;
  get_page(k, frame);
  k.store.frame(frame).mapcount.fetch_add(1);
}

/// A translation goes in two parts, as in the kernel: the mapping is uncounted where it is cleared, under the
/// page-table lock; its reference is dropped after the shootdown. In between the page is busy.
template <class K>
void uncount_mapping(K& k, FrameNumber frame) {
  if (k.refcount.per_mapping != 0) k.store.frame(frame).mapcount.fetch_sub(1);
}

template <class K>
void put_mapping_reference(K& k, FrameNumber frame) {
  if (k.refcount.per_mapping != 0) put_page(k, frame);
}

}  // namespace daxrace::core
