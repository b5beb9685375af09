#pragma once

#include <memory>
#include <string>

#include "harness/base/file_descriptor.hpp"
#include "harness/live/directory.hpp"
#include "harness/live/guard.hpp"

namespace daxrace::kernel {

/// A block device of ours that reads zeros (device mapper, target `zero`) and can be stopped: requests that
/// are made of it then are queued, with the pages that they pinned, until it goes on.
class StoppedDevice {
 public:
  /// Throws Skipped where there is no device mapper, no such target, or no right to make a device.
  explicit StoppedDevice(const Directory& directory);
  ~StoppedDevice();
  StoppedDevice(const StoppedDevice&) = delete;
  StoppedDevice& operator=(const StoppedDevice&) = delete;

  /// Open for O_DIRECT reads. A thread that is left behind may keep it.
  std::shared_ptr<const FileDescriptor> file() const { return file_; }
  void stop();         ///< throws Error
  void go() noexcept;  ///< also where it was not stopped

 private:
  void make();

  FileDescriptor control_;
  std::string name_;
  std::unique_ptr<Guard> guard_;  ///< a device that stays stopped would keep us from ending
  std::shared_ptr<const FileDescriptor> file_;
};

}  // namespace daxrace::kernel
