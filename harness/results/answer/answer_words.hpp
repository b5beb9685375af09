#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/results/answer/answer.hpp"

/// The words of an answer: whoever shows it, on a screen or a page, takes them from here.
namespace daxrace {

char letter_of(HazardOutcome outcome);
/// One word: `kept`.
std::string_view name_of(HazardOutcome outcome);
std::string_view meaning_of(HazardOutcome outcome);
/// Whether it stands anywhere in the table, and so in its legend.
bool any_outcome(const Answer& answer, HazardOutcome outcome);
bool any_added(const Answer& answer, CostCell::Added added);

/// `punch alone`, `punch in mixed`.
std::string column_name(const CostColumn& column);
std::string added_text(const CostCell& cell);

/// What was run on what, and what of it does not count.
std::vector<std::string> head_words(const Answer& answer);

/// `BROKEN`, ` ext4 H4 in mixed, 3 episodes`, and the command that tells it.
struct ProblemWords {
  std::string_view kind;
  std::string rest;
  std::string command;
};
ProblemWords problem_words(const Problem& problem, const std::vector<std::string>& files);
bool is_bad(const Problem& problem);  ///< no finding: nobody declared it

inline constexpr std::string_view kNoPromiseBroken = "PROMISES BROKEN: none.";
std::string harm_words(std::size_t harmed, std::size_t episodes);
/// `none (1 3 4), mmaplock (1)`: under whom anything was seen, and which hazards; empty if under nobody.
std::string harmed_text(const Answer& answer);

/// What can be said of the whole. Where there is no room for all, the highest rank goes first, 0 never.
struct Sentence {
  std::string text;
  unsigned rank = 0;
};
std::vector<Sentence> sentences(const Answer& answer);

inline constexpr std::string_view kNotSeenIsNotSafe =
    "Not seen is not safe. All hazards, decided, in a second:";

}  // namespace daxrace
