#include "bench/report/page.hpp"

#include <fmt/format.h>

#include "bench/report/style.hpp"

namespace daxrace {
namespace {

/// No escaped text holds this character.
constexpr char kMark = '\x01';

std::string placeholder(std::size_t plot) { return fmt::format("{0}{1}{0}", kMark, plot); }

std::string with_plots(const std::string& markup, const Drawing& drawing) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t mark = 0; (mark = markup.find(kMark, done)) != std::string::npos;) {
    const std::size_t end = markup.find(kMark, mark + 1);
    out.append(markup, done, mark - done);
    const std::size_t plot = std::stoul(markup.substr(mark + 1, end - mark - 1));
    out += drawing.svgs.empty() ? "<p class=\"muted\">No plot: see the top of the page.</p>"
                                : drawing.svgs.at(plot);
    done = end + 1;
  }
  return out.append(markup, done, std::string::npos);
}

}  // namespace

void Page::opening(const std::string& id, const std::string& heading, const std::string& markup) {
  sections_.push_back({id, heading, markup, false});
}

void Page::section(const std::string& id, const std::string& heading, const std::string& markup) {
  if (!markup.empty()) sections_.push_back({id, heading, markup, true});
}

/// The id stands inside of what is folded: whoever follows a link to it finds it open.
std::string Page::markup_of(const Section& section) {
  const std::string heading =
      fmt::format("<h2 id=\"{}-h\">{}</h2>", section.id, html::escaped(section.heading));
  const std::string body = fmt::format("<div id=\"{}\">\n{}</div>", section.id, section.markup);
  return fmt::format(
      "<section aria-labelledby=\"{}-h\">{}</section>\n", section.id,
      section.folded
          ? fmt::format("<details class=\"part\"><summary>{}</summary>\n{}</details>", heading, body)
          : heading + "\n" + body);
}

std::string Page::figure(Plot plot, const std::string& caption, const html::Table& numbers) {
  plot.title = caption;
  plots_.push_back(std::move(plot));
  return fmt::format("<figure><figcaption>{}</figcaption>{}{}</figure>\n", html::escaped(caption),
                     placeholder(plots_.size() - 1), html::folded("Numbers", html::render(numbers)));
}

std::string Page::finish(const std::string& title, const std::string& lead_markup, const std::string& program,
                         std::string& why_no_plots) const {
  const Drawing drawing = draw(plots_, program);
  why_no_plots = drawing.why_not;
  std::string contents;
  std::string body;
  for (const Section& section : sections_) {
    contents += fmt::format("<li><a href=\"#{}\">{}</a></li>", section.id, html::escaped(section.heading));
    body += markup_of(section);
  }
  const std::string no_plots =
      drawing.why_not.empty()
          ? ""
          : fmt::format("<p class=\"warn\">No plots: {}. The tables hold the same numbers.</p>\n",
                        html::escaped(drawing.why_not));
  const std::string head = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{}\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n",
      kGeneratorMark, html::escaped(title));
  return head + std::string(kStyle) +
         fmt::format(
             "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n"
             "<header><h1>{}</h1>\n{}{}<nav aria-label=\"Contents\"><ul>{}</ul></nav></header>\n<main "
             "id=\"main\">\n",
             html::escaped(title), lead_markup, no_plots, contents) +
         with_plots(body, drawing) + "</main>\n</body>\n</html>\n";
}

}  // namespace daxrace
