#pragma once

#include <string>
#include <vector>

#include "harness/litmus/director.hpp"

namespace daxrace::litmus {

/// Turns the trace of a scene's machine into lines: a column for each task, locks held at the right.
class Teller {
 public:
  Teller(Scene& scene, std::vector<std::string> names, std::size_t column)
      : scene_(scene), names_(std::move(names)), column_(column) {}

  std::string heads() const;
  /// One line, numbered; `mark` stands behind the number, `remark` behind the locks. Empty: nothing to tell.
  std::string line(const model::TraceLine& line, char mark, const std::string& remark = "");
  int lines_told() const { return number_; }
  TaskId last_told() const { return last_; }
  /// What the oracle saw, and who sleeps for what where not all came to an end.
  std::vector<std::string> what_went_wrong(End end) const;

  const std::string& name_of(TaskId task) const { return names_[task]; }
  std::string wait_text(const WaitKey& key) const;

 private:
  std::string file_of(const void* address) const;
  std::string lock_text(const void* lock, WaitFor name) const;
  std::string held_text(const model::TraceLine& line) const;
  std::string event_text(const model::TraceLine& line) const;
  std::string text_of(const model::TraceLine& line) const;

  Scene& scene_;
  std::vector<std::string> names_;
  std::size_t column_;
  TaskId last_ = model::kNobody;
  int number_ = 0;
};

}  // namespace daxrace::litmus
