#pragma once

#include <cstddef>
#include <span>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

/// What the sanitizers must be told when one thread goes from stack to stack; nothing without them.
namespace daxrace::model {

class SanitizerFiber {
 public:
  /// Called before a fiber starts on that stack; what a forgotten fiber left there is void.
  void begins_on([[maybe_unused]] void* stack, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
    stack_ = stack;
    bytes_ = bytes;
    ASAN_UNPOISON_MEMORY_REGION(stack, bytes);
#endif
#if defined(__SANITIZE_THREAD__)
    if (fiber_ != nullptr) __tsan_destroy_fiber(fiber_);
    fiber_ = __tsan_create_fiber(0);
#endif
  }
  void leaves_to_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&outside_, stack_, bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
    thread_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber_, 0);
#endif
  }
  void back_from_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(outside_, nullptr, nullptr);
#endif
  }
  void entered_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(inside_, &thread_stack_, &thread_bytes_);
    inside_ = nullptr;
#endif
  }
  void leaves_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&inside_, thread_stack_, thread_bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(thread_, 0);
#endif
  }

 private:
#if defined(__SANITIZE_ADDRESS__)
  void* stack_ = nullptr;
  std::size_t bytes_ = 0;
  void* outside_ = nullptr;
  void* inside_ = nullptr;
  const void* thread_stack_ = nullptr;
  std::size_t thread_bytes_ = 0;
#endif
#if defined(__SANITIZE_THREAD__)
  void* fiber_ = nullptr;
  void* thread_ = nullptr;
#endif
};

/// Whoever writes a stopped task's stack from outside knows nothing of its frames' red zones.
inline void unpoison_stack([[maybe_unused]] std::span<std::byte> bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(bytes.data(), bytes.size());
#endif
}

}  // namespace daxrace::model
