// The Promela model that daxrace explore is timed against takes the steps that the tasks take: else the two
// would not be compared at the same granularity.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/explore/scenario.hpp"
#include "harness/explore/story.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace::explore {
namespace {

using Words = std::vector<std::string>;

std::string text_of(const char* name) {
  std::ifstream file(std::string(DAXRACE_SOURCE_DIR) + "/" + name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  EXPECT_NE(from, std::string::npos) << begin;
  return text.substr(from + begin.size(), text.find(end, from) - from - begin.size());
}

/// Words of small letters and underscores.
Words names_in(const std::string& text) {
  Words out(1);
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || c == '_') {
      out.back() += c;
    } else if (!out.back().empty()) {
      out.emplace_back();
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

Words split(const std::string& text, char at) {
  Words out;
  std::stringstream parts(text);
  for (std::string part; std::getline(parts, part, at);) out.push_back(trimmed(part));
  return out;
}

/// The first word of each line.
const Words& env_steps() {
  static const Words steps = [] {
    Words out;
    for (const std::string& line :
         split(between(text_of("harness/core/env.hpp"), "enum class Step : std::uint8_t {", "};"), '\n'))
      if (!line.empty() && line[0] != '/') out.push_back(names_in(line).front());
    return out;
  }();
  return steps;
}
const std::string& model() {
  static const std::string text = text_of("tests/promela/iolock_mmaplock.pml");
  return text;
}

/// The steps of a process in the order in which they stand, those of other cases left out. A step is marked
/// `/* step: what it does */`, in one case only `/* step case: ... */`; `|` parts steps that come together.
Words steps_of_model(const std::string& process, const std::string& which) {
  const std::string body = between(model(), "proctype " + process, "\n}");
  const std::string mark = "/* step";
  Words out;
  for (auto at = body.find(mark); at != std::string::npos; at = body.find(mark, at + 1)) {
    const std::string label = body.substr(at + mark.size(), body.find("*/", at) - at - mark.size());
    const auto colon = label.find(':');
    const std::string only = trimmed(label.substr(0, colon));
    if (!only.empty() && only != which) continue;
    for (const std::string& words : split(label.substr(colon + 1), '|')) out.push_back(words);
  }
  return out;
}

/// Where a task stopped on a path, and what it had done since the stop before.
Words steps_of_task(TaskId task, const std::string& path) {
  const auto script = std::ranges::find(litmus::scripts(), std::string_view("iolock_mmaplock"),
                                        [](const litmus::Script& one) { return one.info.name; });
  const auto scenario = std::ranges::find(scenarios(), std::string_view("fault_io_punch"), &Scenario::name);
  World world(*script, *scenario, RefcountRegime::ref1);
  model::Machine& machine = world.scene().machine;
  machine.trace(true);
  Words out;
  for (const Choice choice : parse_route(path, scenario->tasks.size()).path) {
    const Choices choices = world.choices();
    EXPECT_NE(std::ranges::find(choices, choice), choices.end()) << path << " is too long";
    const std::size_t from = machine.trace_size();
    world.take(choice);
    if (choice.task != task) continue;
    std::string words;
    for (std::size_t i = from; i < machine.trace_size(); ++i) {
      const model::TraceLine& line = machine.trace_line(i);
      const std::string lock(kWaitForNames[static_cast<std::size_t>(line.key.what)]);
      std::string word;
      if (line.what == model::TraceLine::What::takes) word = "down_" + lock;
      if (line.what == model::TraceLine::What::drops) word = "up_" + lock;
      if (line.what == model::TraceLine::What::step)
        word = env_steps().at(static_cast<std::size_t>(line.step));
      if (!word.empty()) words += (words.empty() ? "" : " ") + word;
    }
    out.push_back(words);
  }
  EXPECT_TRUE(world.done(task)) << path << " does not end";
  return out;
}

TEST(PromelaSteps, the_model_knows_every_step_of_the_env) {
  const std::string known = between(model(), "Steps: ", ".");
  EXPECT_EQ(env_steps(), names_in(known));
}

TEST(PromelaSteps, a_store_that_faults_takes_those_of_the_model) {
  EXPECT_EQ(steps_of_task(0, "a7"), steps_of_model("Fault", "found"));
  EXPECT_EQ(steps_of_task(0, "c10a8"), steps_of_model("Fault", "hole"));
}

TEST(PromelaSteps, direct_io_takes_those_of_the_model) {
  EXPECT_EQ(steps_of_task(1, "b5"), steps_of_model("Io", "found"));
  EXPECT_EQ(steps_of_task(1, "c10b6"), steps_of_model("Io", "hole"));
}

TEST(PromelaSteps, a_punch_takes_those_of_the_model) {
  EXPECT_EQ(steps_of_task(2, "c10"), steps_of_model("Punch", "clean"));
  EXPECT_EQ(steps_of_task(2, "a7c11"), steps_of_model("Punch", "dirty"));
  EXPECT_EQ(steps_of_task(2, "b4c6b3c8"), steps_of_model("Punch", "waits"));
}

}  // namespace
}  // namespace daxrace::explore
