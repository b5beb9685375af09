#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "harness/types.hpp"

namespace daxrace {

/// Zeroed memory for n objects that are all-zero to begin with. Large arrays cost memory only where they are
/// touched; small ones are touched here, so that they do not fault while something is measured.
template <class T>
class ZeroedArray {
 public:
  explicit ZeroedArray(std::size_t count)
      : data_(static_cast<T*>(std::calloc(std::max<std::size_t>(count, 1), sizeof(T)))) {
    if (data_ == nullptr) throw std::bad_alloc();
    if (count * sizeof(T) <= kTouchBytes) std::memset(static_cast<void*>(data_.get()), 0, count * sizeof(T));
  }
  T& operator[](std::size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }

 private:
  static constexpr std::size_t kTouchBytes = std::size_t{4} << 20;
  struct Free {
    void operator()(T* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
};

/// Words by page offset, with two levels of "which are set" above them, so that a scan of a large, nearly
/// empty file costs what it finds: 1 000 000 pages are 256 top words. Loads take no lock. Updates take a
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
        set_groups_(groups(groups(size))) {}

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
    for_each_bit(set_groups_, range.first / kBits, (end - 1) / kBits + 1, [&](std::size_t group) {
      const std::size_t first = std::max<std::size_t>(range.first, group * kBits);
      const std::size_t last = std::min<std::size_t>(end, (group + 1) * kBits);
      for_each_bit(set_, first, last, [&](std::size_t i) { fn(static_cast<PageOffset>(i)); });
    });
  }

 private:
  static constexpr std::size_t kBits = 64;
  static constexpr std::size_t groups(std::size_t n) { return (n + kBits - 1) / kBits; }

  void mark(std::size_t group, std::size_t bit, bool on) noexcept {
    const std::uint64_t old = set_[group].load(std::memory_order_relaxed);
    const std::uint64_t now = on ? old | 1ULL << bit : old & ~(1ULL << bit);
    set_[group].store(now);
    if ((old == 0) == (now == 0)) return;
    const std::uint64_t group_bit = 1ULL << group % kBits;
    if (on) {
      set_groups_[group / kBits].fetch_or(group_bit);
    } else {
      set_groups_[group / kBits].fetch_and(~group_bit);
    }
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
};

}  // namespace daxrace
