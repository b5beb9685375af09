#include "harness/explore/tickets.hpp"

#include <algorithm>

namespace daxrace::explore {
namespace {

template <class Places>
void renumber(Places& places, std::uint64_t& last_ticket) {
  const Places before = places;
  last_ticket = 0;
  for (auto& place : places) {
    if (place.ticket == 0) {
      place = {};
      continue;
    }
    ++last_ticket;
    const auto not_later = std::ranges::count_if(before, [ticket = place.ticket](const auto& other) {
      return other.ticket != 0 && other.ticket <= ticket;
    });
    place.ticket = static_cast<std::uint64_t>(not_later);
  }
}

/// The lock is measured as it is and has no business with this: an explicit instantiation may name its
/// private members.
template <auto kPlaces, auto kLastTicket>
struct Opened {
  friend void open(RangeLock& lock) { renumber(lock.*kPlaces, lock.*kLastTicket); }
};
template struct Opened<&RangeLock::held_, &RangeLock::last_ticket_>;
void open(RangeLock& lock);

}  // namespace

void renumber_tickets(RangeLock& lock) { open(lock); }

}  // namespace daxrace::explore
