// The cells in which a device holds the page: an O_DIRECT read of one that is stopped.
#include <algorithm>
#include <cerrno>
#include <ctime>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/live/staging/cell_support.hpp"
#include "harness/live/staging/pin.hpp"

namespace daxrace::kernel {
namespace {

/// Its requests are queued as long as this lives.
class Stop {
 public:
  explicit Stop(StoppedDevice& device) : device_(device) { device_.stop(); }
  ~Stop() { device_.go(); }
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

 private:
  StoppedDevice& device_;
};

/// Whether a thread sleeps because its request is the device's: its buffer has been faulted in and pinned.
bool request_is_out(const Helper& reader) {
  constexpr unsigned kStill = 5;
  std::uint64_t switches = 0;
  unsigned still = 0;
  for (unsigned i = 0; i < 1000 && still < kStill && !reader.ended(); ++i) {
    const ThreadState state = reader.state();
    const auto any = [&](std::string_view word) {
      return std::ranges::any_of(state.stack,
                                 [&](const std::string& f) { return f.find(word) != std::string::npos; });
    };
    const bool out = state.asleep() && any("blkdev") && !any("fault") && state.switches == switches;
    still = out ? still + 1 : 0;
    switches = state.switches;
    const timespec nap{0, 1'000'000};
    nanosleep(&nap, nullptr);
  }
  return still == kStill;
}

}  // namespace

/// Whoever waits for a page that is idle already is woken when the next pin is let go.
Cause Cell::pinning_once_more() const {
  return {"pinning the page once more: a wake-up had been lost", [file = file_] {
            const Helper pinner("pin of page 4", [file] {
              Pin pin;
              const long taken = pin.take(file->at(kFirst));
              pin.drain();
              return taken;
            });
            pinner.wait(kSecond);
          }};
}

CellResult Cell::pinned_by_device() {
  StoppedDevice& device = means_.device();
  map(file_, kFirst);
  std::unique_ptr<Helper> reader;
  const Stop stop(device);
  reader = std::make_unique<Helper>("O_DIRECT read of a device into page 4 of the mapping",
                                    [file = file_, from = device.file(), to = file_->at(kFirst)] {
                                      const ssize_t n = pread(from->get(), to, kPageBytes, 0);
                                      return n < 0 ? long{-errno} : long{n};
                                    });
  if (!request_is_out(*reader)) return result(Outcome::inconclusive, "the read did not reach the device");
  InFlight access{.holders = {reader.get()},
                  .release = [&] { device.go(); },
                  .judge = [&](bool) -> std::string {
                    if (reader->result() == long{kPageBytes}) return "";
                    return fmt::format("the read of the device came to {}", reader->result());
                  },
                  .page = kFirst};
  if (access_ == Access::dio_pin_munmap) {
    file_->unmap();
  } else {
    access.causes = {pinning_once_more()};
  }
  file_->content[kFirst] = 0;  // what the device writes there, before the change or after it
  return staged(access);
}

}  // namespace daxrace::kernel
