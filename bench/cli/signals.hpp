#pragma once

#include <atomic>

namespace daxrace {

/// Set when SIGINT, SIGTERM or SIGHUP arrives: the episode that is running is dropped, what is finished is
/// kept.
const std::atomic<bool>& stop_requested();
/// From now on the first of them sets stop_requested(); a second one ends the process at once.
void install_stop_handlers();
/// For tests: forget a request.
void clear_stop_request();

}  // namespace daxrace
