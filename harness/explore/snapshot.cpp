#include "harness/explore/snapshot.hpp"

#include <algorithm>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "harness/error.hpp"
#include "harness/model/fiber_switch.hpp"

namespace daxrace::explore {
namespace {

constexpr std::array<std::uint64_t, 9> kLowKeys = {
    0x2d35'8dcc'aa6c'78a5, 0x8bb8'4b93'962e'acc9, 0x4b33'a62e'd433'd4a3,
    0x4d5a'2da5'1de1'aa47, 0xa076'1d64'78bd'642f, 0xe703'7ed1'a0b4'28db,
    0x90ed'1765'281c'388c, 0xaaaa'5a5a'c3c3'9999, 0x9e37'79b9'7f4a'7c15};
constexpr std::array<std::uint64_t, 9> kHighKeys = {
    0x5896'36ae'7c1f'd2e1, 0xd6e8'feb8'6659'fd93, 0xff51'afd7'ed55'8ccd,
    0xc4ce'b9fe'1a85'ec53, 0x94d0'49bb'1331'11eb, 0xbf58'476d'1ce4'e5b9,
    0xc2b2'ae3d'27d4'eb4f, 0x1656'67b1'9e37'79f9, 0x27d4'eb2f'1656'67c5};

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

bool is_zero(const std::array<std::uint64_t, 8>& words) {
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  return any == 0;
}

/// This is where an exploration spends its time: nearly all that is compared is equal.
bool differ(const std::uint64_t* a, const std::uint64_t* b) {
#if defined(__SSE2__)
  const auto* x = reinterpret_cast<const __m128i*>(a);
  const auto* y = reinterpret_cast<const __m128i*>(b);
  const auto pair = [&](int i) { return _mm_xor_si128(_mm_load_si128(x + i), _mm_load_si128(y + i)); };
  const __m128i any = _mm_or_si128(_mm_or_si128(pair(0), pair(1)), _mm_or_si128(pair(2), pair(3)));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(any, _mm_setzero_si128())) != 0xffff;
#else
  return std::memcmp(a, b, Snapshot::kLine) != 0;
#endif
}

}  // namespace

Key Snapshot::key_of(const Line& line, std::uint32_t number) {
  // A line of zeros counts for nothing, so that unused stack need not be looked at.
  if (is_zero(line.words)) return {};
  const auto lane = [&](const std::array<std::uint64_t, 9>& keys) {
    const std::uint64_t place = (number + 1) * keys[8];
    std::uint64_t sum = place;
    for (std::size_t i = 0; i < line.words.size(); i += 2)
      sum += fold(line.words[i] ^ keys[i] ^ place, line.words[i + 1] ^ keys[i + 1]);
    return fold(sum ^ keys[0], keys[1] | 1);
  };
  return {lane(kLowKeys), lane(kHighKeys)};
}

void Snapshot::add(const Line& line, std::uint32_t number, bool out) {
  const Key key = key_of(line, number);
  key_.low += out ? 0 - key.low : key.low;
  key_.high += out ? 0 - key.high : key.high;
}

Snapshot::Region Snapshot::make_region(std::span<std::byte> bytes) {
  if (bytes.size() % kLine != 0 || reinterpret_cast<std::uintptr_t>(bytes.data()) % kLine != 0)
    throw Error("explore: a watched region is not made of whole lines");
  Region region{reinterpret_cast<Line*>(bytes.data()), bytes.size() / kLine, next_number_, {}};
  region.before.resize(region.lines);
  std::memcpy(region.before.data(), bytes.data(), bytes.size());
  for (std::size_t i = 0; i < region.lines; ++i)
    add(region.before[i], region.number + static_cast<std::uint32_t>(i), false);
  next_number_ += static_cast<std::uint32_t>(region.lines);
  return region;
}

void Snapshot::watch_stack(model::Machine& machine, model::TaskId task) {
  machine_ = &machine;
  const auto bytes = machine.stack(task);
  tidy_stack(task);
  stacks_[task] = make_region(bytes);
}

void Snapshot::compare(Region& region, std::size_t first) {
  for (std::size_t i = first; i < region.lines; ++i) {
    if (!differ(region.now[i].words.data(), region.before[i].words.data())) continue;
    const auto number = region.number + static_cast<std::uint32_t>(i);
    undo_.push_back({&region.now[i], &region.before[i], number, region.before[i]});
    add(region.before[i], number, true);
    add(region.now[i], number, false);
    region.before[i] = region.now[i];
  }
}

/// Zeroes what lies below the stack pointer.
void Snapshot::tidy_stack(model::TaskId task) {
  const auto bytes = machine_->stack(task);
  model::unpoison_stack(bytes);
  const auto unused = machine_->stack_pointer(task) - bytes.data();
  if (unused <= 0) throw Error("explore: a task used more stack than is watched");
  std::memset(bytes.data(), 0, static_cast<std::size_t>(unused));
}

std::size_t Snapshot::first_used_line(model::TaskId task) {
  return static_cast<std::size_t>(machine_->stack_pointer(task) - machine_->stack(task).data()) / kLine;
}

void Snapshot::begin(model::TaskId task) { began_at_ = first_used_line(task); }

void Snapshot::commit(model::TaskId task) {
  for (Region& region : regions_) compare(region, 0);
  tidy_stack(task);
  compare(stacks_[task], std::min(began_at_, first_used_line(task)));
  for (model::TaskId other = 0; all_stacks_ && other < stacks_.size(); ++other)
    if (other != task && stacks_[other].lines != 0) compare(stacks_[other], first_used_line(other));
}

void Snapshot::forget() {
  const Mark before = mark();
  for (Region& region : regions_) compare(region, 0);
  for (model::TaskId task = 0; task < stacks_.size(); ++task) {
    if (stacks_[task].lines == 0) continue;
    tidy_stack(task);
    compare(stacks_[task], 0);
  }
  back_to(before);
}

void Snapshot::back_to(const Mark& mark) {
  while (undo_.size() > mark.changes) {
    const Change& change = undo_.back();
    *change.now = *change.before = change.was;
    undo_.pop_back();
  }
  key_ = mark.key;
}

std::size_t Snapshot::size() const {
  std::size_t lines = 0;
  for (const Region& region : regions_) lines += region.lines;
  for (const Region& region : stacks_) lines += region.lines;
  return lines * kLine;
}

std::vector<std::byte> Snapshot::bytes() const {
  std::vector<std::byte> out;
  const auto append = [&](const Region& region) {
    const auto bytes = std::as_bytes(std::span(region.before));
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  for (const Region& region : regions_) append(region);
  for (const Region& region : stacks_) append(region);
  return out;
}

}  // namespace daxrace::explore
