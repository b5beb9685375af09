#pragma once

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include <sys/mman.h>

#include "harness/explore/parts.hpp"

namespace daxrace::explore {

/// States that were seen, by key, with one number each: an open-addressing table. It takes its memory from
/// the kernel, zeroed, in large pages where there are any: a lookup is one cache miss and not a TLB miss as
/// well.
class Visited {
 public:
  struct Entry {
    Key key;  ///< 0: nobody; no state has that, but for an accident as rare as two with equal keys
    double value = 0;
    bool used() const { return (key.low | key.high) != 0; }
  };

  Visited() : entries_(map(kFirst)) {}
  ~Visited() { unmap(entries_); }
  Visited(const Visited&) = delete;
  Visited& operator=(const Visited&) = delete;

  /// The state's entry, which stays where it is until the next insertion, and whether it is new.
  std::pair<Entry*, bool> insert(const Key& key) {
    if ((count_ + 1) * 8 > entries_.size() * 5) grow();
    Entry& entry = place_of(key);
    if (entry.used()) return {&entry, false};
    entry = {key, 0};
    ++count_;
    return {&entry, true};
  }
  void clear() {
    std::ranges::fill(entries_, Entry{});
    count_ = 0;
  }
  Entry& at(const Key& key) { return place_of(key); }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return entries_.size_bytes(); }
  void prefetch(const Key& key) const { __builtin_prefetch(&entries_[key.low & (entries_.size() - 1)]); }

 private:
  static constexpr std::size_t kFirst = 1U << 10;
  static constexpr std::size_t kSmall = 1U << 16;  ///< entries; up to these it grows faster

  static std::span<Entry> map(std::size_t entries) {
    const std::size_t bytes = entries * sizeof(Entry);
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    madvise(at, bytes, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
    madvise(at, bytes, MADV_POPULATE_WRITE);  // every page of it will be hit, and one by one costs more
#endif
    return {static_cast<Entry*>(at), entries};
  }
  static void unmap(std::span<Entry> entries) { munmap(entries.data(), entries.size_bytes()); }

  Entry& place_of(const Key& key) {
    std::size_t i = key.low & (entries_.size() - 1);
    while (entries_[i].used() && entries_[i].key != key) i = (i + 1) & (entries_.size() - 1);
    return entries_[i];
  }
  void grow() {
    const std::span<Entry> old =
        std::exchange(entries_, map(entries_.size() * (entries_.size() < kSmall ? 8 : 2)));
    for (const Entry& entry : old)
      if (entry.used()) place_of(entry.key) = entry;
    unmap(old);
  }

  std::span<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace daxrace::explore
