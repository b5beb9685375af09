#pragma once

#include <optional>
#include <set>
#include <string>

#include "harness/base/error.hpp"
#include "harness/live/staging/cell.hpp"

namespace daxrace::kernel {

/// What one who decides cells says through a pipe: a cell and the waits that it knows by now, or why it gave
/// up.
struct Message {
  CellResult cell{};
  std::set<std::string> waits{};
  std::optional<Error> error{};
};

std::string to_wire(const Message& message);
/// Takes the first message out of what was received; nothing, and takes nothing, as long as it is not all
/// there.
std::optional<Message> take_message(std::string& received);

}  // namespace daxrace::kernel
