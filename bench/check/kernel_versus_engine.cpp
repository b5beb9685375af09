#include "bench/check/kernel_versus_engine.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "bench/check/agreement.hpp"
#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

struct Score {
  std::string_view protocol;
  RefcountRegime regime = RefcountRegime::ref1;
  std::size_t agree = 0, both = 0;
};

/// The protocols' cells come in groups, one for each refcount rule.
std::vector<Score> scores_of(const std::vector<kernel::CellResult>& cells) {
  std::vector<Score> scores;
  static const std::vector<litmus::Cell> engine = litmus::decide(litmus::scripts(), {});
  for (auto first = engine.begin(); first != engine.end();) {
    const auto end = std::find_if(first, engine.end(), [&](const litmus::Cell& cell) {
      return cell.script != first->script || cell.regime != first->regime;
    });
    const Agreement agreement = agreement_of(cells, {first, end});
    scores.push_back({first->protocol().name, first->regime, agreement.agree(), agreement.compared.size()});
    first = end;
  }
  std::ranges::stable_sort(scores, std::ranges::greater{}, &Score::agree);
  return scores;
}

}  // namespace

const Release& release_to_compare(const kernel::FsFacts& facts, std::string_view named) {
  if (!named.empty()) {
    if (const Release* release = release_named(named)) return *release;
    std::vector<std::string> names;
    for (const Release& one : releases()) names.emplace_back(one.name);
    throw Error("--release: " + unknown_word("release", std::string(named), names));
  }
  utsname system{};
  uname(&system);
  const Release* release = release_of(facts.fs, kernel_version_of(system.release, system.version));
  if (release == nullptr)
    throw Error(fmt::format("--versus-engine: no release stands for {} on {}; name one with --release=",
                            facts.fs, facts.kernel),
                Exit::skipped);
  return *release;
}

VersusEngine kernel_versus_engine(const std::vector<kernel::CellResult>& cells, const Release& release) {
  const litmus::ReleaseRow row = litmus::row_of(release);
  const Agreement agreement = agreement_of(cells, row);
  VersusEngine out{{}, agreement.whole()};
  out.text = fmt::format("\nrelease {} ({}): {} of {} cells agree\n  {} under {}, read from: {}\n",
                         release.name, release.kernels, agreement.agree(), agreement.compared.size(),
                         release.protocol, name_in(kRefcountRegimeNames, release.refcount), release.source);
  for (const std::string& line : differences(agreement)) out.text += "  DIFFERS " + line + '\n';
  for (const std::string& line : omissions(agreement)) out.text += "  not compared " + line + '\n';
  out.text += "\nidealised protocol       refcount   cells that agree\n";
  for (const Score& score : scores_of(cells))
    out.text += fmt::format("{:<24} {:<9} {:>3} of {}\n", score.protocol,
                            name_in(kRefcountRegimeNames, score.regime), score.agree, score.both);
  return out;
}

}  // namespace daxrace
