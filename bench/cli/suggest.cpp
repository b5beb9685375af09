#include "bench/cli/suggest.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

/// The last row of the edit matrix.
std::vector<std::size_t> last_edit_row(std::string_view pattern, std::string_view text) {
  std::vector<std::size_t> row(text.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
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

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) { return last_edit_row(a, b).back(); }

std::vector<std::string> nearest_words(std::string_view word, const std::vector<std::string>& candidates,
                                       std::size_t count) {
  return ranked(candidates, count, [word](const std::string& text) { return edit_distance(word, text); });
}

namespace {

/// Of three letters two are another word.
bool is_near(std::string_view word, const std::vector<std::string>& best) {
  const std::size_t most = word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  return !best.empty() && edit_distance(word, best.front()) <= most;
}

/// `truncate` -> truncate_down, truncate_up; `commit` -> git_commit.
std::vector<std::string> longer_forms(std::string_view word, const std::vector<std::string>& candidates) {
  std::vector<std::string> out;
  const std::string first = fmt::format("{}_", word);
  const std::string last = fmt::format("_{}", word);
  if (word.size() >= 3)
    std::ranges::copy_if(candidates, std::back_inserter(out), [&](const std::string& candidate) {
      return candidate.starts_with(first) || candidate.ends_with(last);
    });
  return out;
}

}  // namespace

std::string unknown_option(std::string_view verb, std::string_view word,
                           const std::vector<std::string>& options) {
  const auto best = nearest_words(word, options, 3);
  if (is_near(word, best)) return unknown_word("option", word, options);
  return fmt::format("unknown option '{}'; nearest: {}; all: daxrace {} --help", word, join(best), verb);
}

std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& candidates) {
  // A file system is no protocol, but this is what it is asked for by.
  if (what == "protocol" && word == "xfs")
    return "unknown protocol 'xfs'; XFS is 'iolock_mmaplock', with pNFS 'lease_break'";
  const auto best = nearest_words(word, candidates, 1);
  const auto longer = longer_forms(word, candidates);
  if (!longer.empty())
    return fmt::format("unknown {} '{}'; did you mean '{}'?", what, word, join(longer, "' or '"));
  if (is_near(word, best))
    return fmt::format("unknown {} '{}'; did you mean '{}'?", what, word, best.front());
  return fmt::format("unknown {} '{}'; there are: {}", what, word, join(candidates));
}

std::size_t position_of(std::string_view option, std::string_view word, const std::vector<std::string>& names,
                        std::string_view what) {
  const auto found = std::ranges::find(names, word);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  throw Error(fmt::format("--{}: {}", option, unknown_word(what.empty() ? option : what, word, names)));
}

std::vector<std::size_t> positions_of(std::string_view option, const std::vector<std::string>& words,
                                      const std::vector<std::string>& names, std::string_view what) {
  std::vector<std::size_t> found;
  for (const std::string& word : words)
    if (word != "all") found.push_back(position_of(option, word, names, what));
  if (std::ranges::find(words, "all") != words.end()) found.clear();
  return found;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

}  // namespace daxrace
