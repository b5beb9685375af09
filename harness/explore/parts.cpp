#include "harness/explore/parts.hpp"

#include <cstring>

#include "harness/base/error.hpp"
#include "harness/model/fiber_switch.hpp"

namespace daxrace::explore {
namespace {

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9U;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11ebU;
  return x ^ (x >> 31);
}

}  // namespace

Key Key::of(Part part, Number content) {
  const std::uint64_t both = (std::uint64_t{part} << 32 | content) + 1;
  return {mixed(both * 0x9e37'79b9'7f4a'7c15U),
          mixed(both * 0xd6e8'feb8'6659'fd93U + 0x2545'f491'4f6c'dd1dU)};
}

Parts::Parts(litmus::Scene& scene, std::size_t tasks) : scene_(scene), tasks_(tasks) {
  footprint_.covers(model::bytes_of(scene));
  for (TaskId task = 0; task < tasks; ++task) add(scene.machine.own(task));
  scene.for_each_part([this](std::span<std::byte> bytes) { add(bytes); });
}

void Parts::begin() { rest_ = rest(); }

void Parts::add(std::span<std::byte> bytes) {
  footprint_.add_part(bytes);
  parts_.emplace_back().bytes = bytes;
}

Part Parts::of(const void* shared) const { return footprint_.part_of(shared); }

std::span<std::byte> Parts::used_stack(TaskId task) {
  const auto stack = scene_.machine.stack(task);
  const auto unused = scene_.machine.stack_pointer(task) - stack.data();
  if (unused <= 0) throw Error("explore: a task used more stack than is watched");
  return stack.subspan(static_cast<std::size_t>(unused));
}

void Parts::clear_unused_stack(TaskId task) {
  const auto stack = scene_.machine.stack(task);
  model::unpoison_stack(stack);
  std::memset(stack.data(), 0, stack.size() - used_stack(task).size());
}

const std::string& Parts::in_memory(Part part) {
  const auto append = [this](std::span<const std::byte> bytes) {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  buffer_.clear();
  append(parts_[part].bytes);
  if (is_task(part)) {
    model::unpoison_stack(scene_.machine.stack(part));
    append(used_stack(part));
  }
  return buffer_;
}

Number Parts::read(Part part) {
  Held& held = parts_[part];
  const auto [found, is_new] =
      held.numbers.try_emplace(in_memory(part), static_cast<Number>(held.contents.size()));
  if (is_new) held.contents.push_back(&found->first);
  return found->second;
}

void Parts::write(Part part, Number number) {
  const std::string& content = *parts_[part].contents[number];
  const auto bytes = parts_[part].bytes;
  std::memcpy(bytes.data(), content.data(), bytes.size());
  if (!is_task(part)) return;
  model::unpoison_stack(scene_.machine.stack(part));
  std::memcpy(used_stack(part).data(), content.data() + bytes.size(), content.size() - bytes.size());
}

std::string Parts::rest() const {
  std::string out;
  const auto append = [&](const auto& object) {
    const auto bytes = std::as_bytes(std::span(&object, 1));
    for (const std::byte& byte : bytes)
      if (footprint_.part_of(&byte) == model::Footprint::kNoPart) out += static_cast<char>(byte);
  };
  append(scene_.record);
  append(scene_.store);
  append(scene_.said);
  return out;
}

bool Parts::holds(Part part, Number number) {
  const std::string& content = *parts_[part].contents[number];
  if (is_task(part)) return in_memory(part) == content;
  return std::memcmp(parts_[part].bytes.data(), content.data(), content.size()) == 0;
}

}  // namespace daxrace::explore
