#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/paint.hpp"
#include "harness/base/text.hpp"
#include "harness/results/answer/answer.hpp"

namespace daxrace {

/// A screen: no answer has more lines, nor a line more than kScreenColumns unless a file's name is longer.
inline constexpr std::size_t kScreenLines = 40;

struct AnswerTextOptions {
  std::size_t columns = kScreenColumns;  ///< of the terminal; sentences may fill them
  Paint paint{};
  std::vector<std::string> files{};  ///< that the answer comes from, for the commands named
};

/// The answer on one screen: broken promises, hangs and findings first, each with the command that tells it;
/// a row a protocol; what can be said of it; what to do next.
std::string answer_text(const Answer& answer, const AnswerTextOptions& options);

}  // namespace daxrace
