#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "harness/base/types.hpp"
#include "harness/base/zeroed_memory.hpp"

namespace daxrace {

/// Zeroed memory for n objects that are all-zero to begin with.
template <class T>
class ZeroedArray {
 public:
  explicit ZeroedArray(std::size_t count)
      : memory_(zeroed_memory(count * sizeof(T))), data_(reinterpret_cast<T*>(memory_.get())) {}
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  ZeroedMemory memory_;
  T* data_;
};

/// Words by page offset, with three levels of "which are set" above them, so that a scan of a large, nearly
/// empty file costs what it finds: 1 000 000 pages are four top words. Loads take no lock. Updates take a
/// short lock that 64 neighbouring words share: the page-table lock of a translation, the tree lock of an
/// extent or a DAX entry.
template <class E>
class SparseArray {
  template <class T>
  using Atomic = typename E::template Atomic<T>;

 public:
  explicit SparseArray(std::size_t size)
      : size_(size),
        words_(size),
        set_(groups(size)),
        locks_(groups(size)),
        set_groups_(groups(groups(size))),
        group_locks_(groups(groups(size))),
        set_tops_(groups(groups(groups(size)))) {}

  std::size_t size() const noexcept { return size_; }
  std::uint64_t load(PageOffset i) const noexcept { return i < size_ ? words_[i].load() : 0; }
  const void* address(PageOffset i) const noexcept { return &words_[i]; }

  /// Replaces word i by change(word) under the lock and returns what it was. change must not sleep.
  template <class Change>
  std::uint64_t update(PageOffset i, Change&& change) {
    const std::size_t group = i / kBits;
    locks_[group].lock();
    const std::uint64_t old = words_[i].load(std::memory_order_relaxed);
    const std::uint64_t wanted = change(old);
    // An exchange, not a store: clearing a translation must be ordered before the shootdown's look at the
    // sections.
    if (wanted != old) words_[i].exchange(wanted);
    if ((wanted == 0) != (old == 0)) mark(group, i % kBits, wanted != 0);
    locks_[group].unlock();
    return old;
  }

  /// Calls fn(i) for every word of the range that is set when the scan comes by.
  template <class Fn>
  void for_each(PageRange range, Fn&& fn) const {
    const std::size_t end = std::min<std::size_t>(range.end, size_);
    if (range.first >= end) return;
    const std::size_t first_group = range.first / kBits;
    const std::size_t end_group = (end - 1) / kBits + 1;
    for_each_bit(set_tops_, first_group / kBits, (end_group - 1) / kBits + 1, [&](std::size_t top) {
      for_each_below(set_groups_, top, first_group, end_group, [&](std::size_t group) {
        for_each_below(set_, group, range.first, end, [&](std::size_t i) { fn(static_cast<PageOffset>(i)); });
      });
    });
  }

 private:
  static constexpr std::size_t kBits = 64;
  static constexpr std::size_t groups(std::size_t n) { return (n + kBits - 1) / kBits; }

  void mark(std::size_t group, std::size_t bit, bool on) noexcept {
    const std::uint64_t old = set_[group].load(std::memory_order_relaxed);
    const std::uint64_t now = on ? old | 1ULL << bit : old & ~(1ULL << bit);
    set_[group].store(now);
    if ((old == 0) != (now == 0)) mark_group(group, on);
  }

  /// Under a lock of its own: neighbours under other locks share the word, and whether it is 0 stands above.
  void mark_group(std::size_t group, bool on) noexcept {
    const std::size_t top = group / kBits;
    const std::uint64_t bit = 1ULL << group % kBits;
    group_locks_[top].lock();
    const std::uint64_t old = set_groups_[top].load(std::memory_order_relaxed);
    const std::uint64_t now = on ? old | bit : old & ~bit;
    set_groups_[top].store(now);
    const std::uint64_t top_bit = 1ULL << top % kBits;
    if (old == 0) set_tops_[top / kBits].fetch_or(top_bit);
    if (now == 0) set_tops_[top / kBits].fetch_and(~top_bit);
    group_locks_[top].unlock();
  }

  /// for_each_bit over what bit `above` of the next level stands for, within [first, end).
  template <class Fn>
  static void for_each_below(const ZeroedArray<Atomic<std::uint64_t>>& bits, std::size_t above,
                             std::size_t first, std::size_t end, Fn&& fn) {
    for_each_bit(bits, std::max(first, above * kBits), std::min(end, (above + 1) * kBits), fn);
  }

  template <class Fn>
  static void for_each_bit(const ZeroedArray<Atomic<std::uint64_t>>& bits, std::size_t first, std::size_t end,
                           Fn&& fn) {
    for (std::size_t at = first / kBits; at < groups(end); ++at) {
      std::uint64_t word = bits[at].load();
      if (at == first / kBits) word &= ~0ULL << first % kBits;
      if (at == end / kBits) word &= ~(~0ULL << end % kBits);
      for (; word != 0; word &= word - 1) fn(at * kBits + static_cast<std::size_t>(std::countr_zero(word)));
    }
  }

  std::size_t size_;
  ZeroedArray<Atomic<std::uint64_t>> words_;
  ZeroedArray<Atomic<std::uint64_t>> set_;
  ZeroedArray<typename E::SpinlockType> locks_;
  ZeroedArray<Atomic<std::uint64_t>> set_groups_;
  ZeroedArray<typename E::SpinlockType> group_locks_;
  ZeroedArray<Atomic<std::uint64_t>> set_tops_;
};

}  // namespace daxrace
