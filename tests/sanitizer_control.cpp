// One mistake made on purpose: proof that the sanitizer of this build is awake. Its report is what the test
// wants.
#include <cstdio>
#include <memory>
#include <thread>

namespace {
int shared_int = 0;
}

int main() {
#if defined(__SANITIZE_THREAD__)
  std::thread other([] { ++shared_int; });
  ++shared_int;
  other.join();
#elif defined(__SANITIZE_ADDRESS__)
  const auto small = std::make_unique<int[]>(4);
  volatile int beyond = 4;
  shared_int = small[beyond];
#endif
  std::printf("%d: no sanitizer spoke\n", shared_int);
}
