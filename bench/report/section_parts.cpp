#include "bench/report/section_parts.hpp"

#include <sstream>

#include <fmt/format.h>

#include "bench/report/plots.hpp"
#include "harness/base/duration_text.hpp"

namespace daxrace {

std::string protocol_legend(const ReportData& data) {
  std::string out = "<ul class=\"legend\" aria-label=\"Protocols\">";
  for (const std::string& protocol : data.protocols) {
    const std::size_t i = data.index_of(protocol);
    out += fmt::format(
        "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><line x1=\"0\" y1=\"5\" x2=\"26\" y2=\"5\" "
        "stroke=\"var(--p{})\" "
        "stroke-width=\"2.5\" stroke-dasharray=\"{}\"/></svg>{}</li>",
        i % kColours, dashes_of(i), html::escaped(protocol));
  }
  return out + "</ul>\n";
}

std::string phase_legend() {
  std::string out = "<ul class=\"legend\" aria-label=\"Parts of an operation's time\">";
  for (std::size_t i = 0; i <= kPhaseCount; ++i) {
    out += fmt::format(
        "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><rect x=\"8\" width=\"14\" height=\"10\" "
        "fill=\"var(--f{})\"/></svg>{}"
        "</li>",
        i, i < kPhaseCount ? kPhaseNames[i] : "rest");
  }
  return out + "</ul>\n";
}

std::string paragraph(std::string_view plain) {
  std::string out = "<p>";
  std::istringstream words{std::string(plain)};
  for (std::string word; words >> word;) {
    if (out.size() > 3) out += ' ';
    // An option must not be broken at its dashes.
    out += word.starts_with("--") ? fmt::format("<code class=\"option\">{}</code>", html::escaped(word))
                                  : html::escaped(word);
  }
  return out + "</p>\n";
}

std::string time_or_dash(const std::optional<std::uint64_t>& ns) {
  return ns ? scaled_time(static_cast<double>(*ns)) : "-";
}

std::string for_each_scenario(const ReportData& data,
                              const std::function<std::string(const ReportScenario&)>& markup_of) {
  std::string out;
  for (const Origin& origin : data.origins) {
    std::string part;
    for (const ReportScenario& scenario : origin.scenarios) part += markup_of(scenario);
    if (part.empty()) continue;
    if (data.origins.size() > 1)
      out += fmt::format("<p class=\"muted\">{}</p>\n", html::escaped(origin.text));
    out += part;
  }
  return out;
}

}  // namespace daxrace
