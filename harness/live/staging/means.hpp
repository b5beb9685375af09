#pragma once

#include <memory>

#include "harness/live/directory.hpp"
#include "harness/live/observe/trace.hpp"
#include "harness/live/staging/cells.hpp"
#include "harness/live/staging/patience.hpp"
#include "harness/live/staging/stopped_device.hpp"

namespace daxrace::kernel {

/// What only some cells need: made at the first that asks. Why it cannot be had is told in each of them, as
/// the Skipped that every call throws.
class Means {
 public:
  Means(const Directory& directory, Allowed allowed, Patience& patience)
      : directory_(directory), allowed_(allowed), patience_(patience) {}

  Allowed allowed() const { return allowed_; }
  Patience& patience() const { return patience_; }

  /// With fs_dax:dax_writeback_one enabled.
  Trace& writebacks() {
    if (!trace_) {
      auto trace = std::make_unique<Trace>();
      trace->enable("fs_dax", "dax_writeback_one");
      trace_ = std::move(trace);
    }
    return *trace_;
  }
  StoppedDevice& device() {
    if (!device_) device_ = std::make_unique<StoppedDevice>(directory_);
    return *device_;
  }

 private:
  const Directory& directory_;
  Allowed allowed_;
  Patience& patience_;
  std::unique_ptr<Trace> trace_;
  std::unique_ptr<StoppedDevice> device_;
};

}  // namespace daxrace::kernel
