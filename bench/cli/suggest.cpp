#include "bench/cli/suggest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace daxrace {
namespace {

/// The last row of the edit matrix. `free_start`: a match may begin anywhere in `text` at no cost.
std::vector<std::size_t> last_edit_row(std::string_view pattern, std::string_view text, bool free_start) {
  std::vector<std::size_t> row(text.size() + 1, 0);
  if (!free_start) std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < text.size(); ++j) {
      const std::size_t replaced = diagonal + (pattern[i] == text[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row;
}

template <class Distance>
std::vector<std::string> ranked(const std::vector<std::string>& candidates, std::size_t count,
                                Distance distance) {
  std::vector<std::pair<std::size_t, const std::string*>> order;
  order.reserve(candidates.size());
  for (const auto& candidate : candidates) order.emplace_back(distance(candidate), &candidate);
  std::ranges::stable_sort(order, {}, [](const auto& entry) { return entry.first; });
  std::vector<std::string> best;
  for (std::size_t i = 0; i < std::min(count, order.size()); ++i) best.push_back(*order[i].second);
  return best;
}

std::string without_regex_marks(std::string_view pattern) {
  std::string plain;
  for (const char c : pattern)
    if (std::string_view{"^$.*+?()[]{}|\\"}.find(c) == std::string_view::npos) plain += c;
  return plain;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  return last_edit_row(a, b, false).back();
}

std::size_t edit_distance_within(std::string_view pattern, std::string_view text) {
  return std::ranges::min(last_edit_row(pattern, text, true));
}

std::vector<std::string> nearest_words(std::string_view word, const std::vector<std::string>& candidates,
                                       std::size_t count) {
  return ranked(candidates, count, [word](const std::string& text) { return edit_distance(word, text); });
}

std::vector<std::string> nearest_names(std::string_view pattern, const std::vector<std::string>& names,
                                       std::size_t count) {
  const std::string plain = without_regex_marks(pattern);
  return ranked(names, count, [&](const std::string& text) { return edit_distance_within(plain, text); });
}

std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& candidates) {
  const auto best = nearest_words(word, candidates, 1);
  if (!best.empty() && edit_distance(word, best.front()) <= std::max<std::size_t>(2, word.size() / 3))
    return fmt::format("unknown {} '{}'; did you mean '{}'?", what, word, best.front());
  return fmt::format("unknown {} '{}'; there are: {}", what, word, join(candidates));
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

}  // namespace daxrace
