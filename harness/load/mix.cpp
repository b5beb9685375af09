#include "harness/load/mix.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace daxrace {
namespace {

struct Share {
  Op op;
  double weight;
};

/// Largest remainders, so that an operation with any weight has a slot.
std::array<Op, Mix::kSlots> slots_for(const std::vector<Share>& shares) {
  double total = 0;
  for (const Share& share : shares) total += share.weight;
  std::array<Op, Mix::kSlots> slots{};
  std::size_t filled = 0;
  for (const Share& share : shares) {
    const double exact = share.weight / total * static_cast<double>(Mix::kSlots);
    const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(exact));
    for (std::size_t i = 0; i < count && filled < Mix::kSlots; ++i) slots[filled++] = share.op;
  }
  const Share& main = *std::max_element(shares.begin(), shares.end(),
                                        [](const Share& a, const Share& b) { return a.weight < b.weight; });
  while (filled < Mix::kSlots) slots[filled++] = main.op;
  return slots;
}

double weight_of(const Role& role) {
  double total = 0;
  for (const WeightedOp& op : role.ops) total += op.weight;
  return total;
}

}  // namespace

Mix Mix::of_all_roles(const Workload& workload, double rate_scale, unsigned workers) {
  std::vector<Share> shares;
  double rate = 0;
  for (const Role& role : workload.roles) {
    rate += role.rate_per_s;
    for (const WeightedOp& op : role.ops) {
      shares.push_back({op.op, role.rate_per_s * op.weight / weight_of(role)});
    }
  }
  Mix mix;
  mix.rate_per_s = rate * rate_scale / workers;
  mix.slots = slots_for(shares);
  return mix;
}

Mix Mix::of_role(const Role& role) {
  std::vector<Share> shares;
  for (const WeightedOp& op : role.ops) shares.push_back({op.op, static_cast<double>(op.weight)});
  Mix mix;
  mix.slots = slots_for(shares);
  return mix;
}

const Role& role_of_thread(const Workload& workload, unsigned thread) {
  unsigned at = thread % workload.closed_threads();
  for (const Role& role : workload.roles) {
    if (at < role.count) return role;
    at -= role.count;
  }
  return workload.roles.back();
}

namespace {

enum class Kind : std::uint8_t { access, layout_change, neither };
struct OpTraits {
  Kind kind;
  Hazards hazards;
};

OpTraits traits_of(Op op) {
  switch (op) {
    case Op::touch_read:
    case Op::touch_write:
    case Op::refault:
      return {Kind::access, Hazards(Hazard::h1)};
    case Op::read:
    case Op::write:
      return {Kind::access, Hazards(Hazard::h2)};
    case Op::aio_read:
    case Op::aio_write:
      return {Kind::access, Hazards(Hazard::h3)};
    case Op::gup_read:
    case Op::gup_write:
    case Op::gup_cold:
      return {Kind::access, Hazards(Hazard::h1, Hazard::h4)};
    case Op::lease:
      return {Kind::access, Hazards(Hazard::h5)};
    case Op::punch:
    case Op::zero:
    case Op::collapse:
    case Op::insert:
    case Op::truncate_down:
      return {Kind::layout_change, {}};
    case Op::fill_and_punch:
      return {Kind::layout_change, Hazards(Hazard::h1)};
    default:
      return {Kind::neither, {}};
  }
}

}  // namespace

Hazards hazards_of(const Workload& workload) {
  Hazards seen;
  bool changes = false;
  if (workload.uncontended) return seen;
  for (const Role& role : workload.roles) {
    for (const WeightedOp& op : role.ops) {
      const OpTraits traits = traits_of(op.op);
      changes = changes || traits.kind == Kind::layout_change;
      seen = Hazards::from_bits(static_cast<std::uint8_t>(seen.bits() | traits.hazards.bits()));
    }
  }
  return changes ? seen : Hazards{};
}

}  // namespace daxrace
