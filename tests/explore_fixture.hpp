#pragma once

#include <string>

#include <gtest/gtest.h>

#include "bench/check/explore.hpp"
#include "harness/explore/story.hpp"

namespace daxrace::explore {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

/// Its shadow stacks cannot be put back with the fibers; it sees the protocols in the build of real threads.
class ExploreFixture : public testing::Test {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer cannot follow fibers that are put back";
  }
};

/// The replay string of a route gives the same lines again.
inline void expect_replay_tells(const Job& job, const Route& route, const Told& told) {
  ExploreOptions options;
  options.replay = replay_string(job, route);
  const ExploreReport again = replay_report(options);
  std::string text;
  for (const std::string& line : told.lines) text += line + '\n';
  EXPECT_EQ(again.text, text);
  EXPECT_EQ(again.code, Exit::ok) << "a declared finding is no broken promise";
}

}  // namespace daxrace::explore
