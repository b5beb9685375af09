#pragma once

#include <vector>

#include "harness/explore/parts.hpp"

namespace daxrace::explore {

/// States that were seen, by key, with one number each: an open-addressing table.
class Visited {
 public:
  struct Entry {
    Key key;
    double value = 0;
    bool used = false;
  };

  Visited() : entries_(kFirst) {}

  /// The state's entry, which stays where it is until the next insertion, and whether it is new.
  std::pair<Entry*, bool> insert(const Key& key) {
    if ((count_ + 1) * 8 > entries_.size() * 5) grow();
    Entry& entry = place_of(key);
    if (entry.used) return {&entry, false};
    entry = {key, 0, true};
    ++count_;
    return {&entry, true};
  }
  Entry& at(const Key& key) { return place_of(key); }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return entries_.size() * sizeof(Entry); }
  void prefetch(const Key& key) const { __builtin_prefetch(&entries_[key.low & (entries_.size() - 1)]); }

 private:
  static constexpr std::size_t kFirst = 1U << 10;

  Entry& place_of(const Key& key) {
    std::size_t i = key.low & (entries_.size() - 1);
    while (entries_[i].used && entries_[i].key != key) i = (i + 1) & (entries_.size() - 1);
    return entries_[i];
  }
  void grow() {
    std::vector<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old)
      if (entry.used) place_of(entry.key) = entry;
  }

  std::vector<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace daxrace::explore
