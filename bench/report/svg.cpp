#include "bench/report/svg.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <regex>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report/html.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

using Attributes = std::map<std::string, std::string, std::less<>>;

struct Tag {
  std::string name;  ///< `/g` closes
  Attributes attributes;
  std::string text;  ///< up to the next
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

/// ` name = 'value' name="value"`
Attributes attributes_of(std::string_view text) {
  Attributes out;
  for (std::size_t at = 0;;) {
    const std::size_t equals = text.find('=', at);
    if (equals == std::string_view::npos) return out;
    const std::size_t open = text.find_first_of("'\"", equals);
    if (open == std::string_view::npos) return out;
    const std::size_t close = text.find(text[open], open + 1);
    if (close == std::string_view::npos) return out;
    out.emplace(trimmed(text.substr(at, equals - at)), text.substr(open + 1, close - open - 1));
    at = close + 1;
  }
}

std::vector<Tag> tags_of(std::string_view svg) {
  std::vector<Tag> out;
  for (std::size_t at = svg.find('<'); at != std::string_view::npos;) {
    const std::size_t end = svg.find('>', at);
    if (end == std::string_view::npos) throw Error("gnuplot wrote half a tag");
    const std::size_t next = svg.find('<', end);
    const std::string_view inside = svg.substr(at + 1, end - at - 1);
    const std::size_t name_end = std::min(inside.find_first_of(" \t\r\n", 1), inside.size());
    std::string_view name = inside.substr(0, name_end);
    if (name.ends_with('/')) name.remove_suffix(1);
    out.push_back({std::string(name), attributes_of(inside.substr(name_end)),
                   std::string(svg.substr(end + 1, std::min(next, svg.size()) - end - 1))});
    at = next;
  }
  return out;
}

double number_of(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    throw Error(fmt::format("gnuplot wrote '{}' for a number", text));
  return value;
}

/// Tenths of a pixel are enough.
std::string rounded(double value) {
  const long tenths = std::lround(value * 10);
  const std::string whole = fmt::format("{}{}", tenths < 0 ? "-" : "", std::abs(tenths) / 10);
  return tenths % 10 == 0 ? whole : fmt::format("{}.{}", whole, std::abs(tenths) % 10);
}

struct Point {
  std::string x, y;
};

Point point_of(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) throw Error(fmt::format("gnuplot wrote '{}' for a point", text));
  return {rounded(number_of(text.substr(0, comma))), rounded(number_of(text.substr(comma + 1)))};
}

/// `M1.00,2.00 L1.00,7.00 M9,9` as `M1,2V7`; what has no length is left out.
class PathData {
 public:
  void move(const Point& to) { start_ = at_ = to, moved_ = true; }
  void line(const Point& to) {
    if (to.x == at_.x && to.y == at_.y) return;
    if (moved_) out_ += fmt::format("M{},{}", start_.x, start_.y);
    moved_ = false;
    if (to.y == at_.y)
      out_ += "H" + to.x;
    else if (to.x == at_.x)
      out_ += "V" + to.y;
    else
      out_ += fmt::format("L{},{}", to.x, to.y);
    at_ = to;
  }
  void close() { out_ += moved_ ? "" : "z"; }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
  Point start_, at_;
  bool moved_ = true;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (text = trimmed(text); !text.empty();) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    out.push_back(text.substr(0, end));
    text = trimmed(text.substr(end));
  }
  return out;
}

std::string path_data(std::string_view gnuplots) {
  PathData path;
  for (const std::string_view word : words_of(gnuplots)) {
    if (word.front() == 'M')
      path.move(point_of(word.substr(1)));
    else if (word.front() == 'L')
      path.line(point_of(word.substr(1)));
    else
      throw Error(fmt::format("gnuplot drew '{}', which the page does not know", word));
  }
  return path.text();
}

/// Closed: the first point is not said again.
std::string polygon_data(std::string_view gnuplots) {
  PathData path;
  bool first = true;
  for (const std::string_view word : words_of(gnuplots)) {
    if (first)
      path.move(point_of(word));
    else
      path.line(point_of(word));
    first = false;
  }
  path.close();
  return path.text();
}

constexpr std::string_view kInk = "ink";
constexpr std::string_view kGrid = "g";

/// `p3` for the fourth protocol, `f0` for the first phase: colours that no plot would use stand for them.
std::string colour_class(std::string_view colour) {
  if (colour == "black") return std::string(kInk);
  static const std::regex rgb(R"(rgb\( *(\d+), *(\d+), *(\d+)\))");
  std::match_results<std::string_view::const_iterator> parts;
  if (std::regex_match(colour.begin(), colour.end(), parts, rgb)) {
    const std::string kind = parts[1];
    if (kind == "0") return std::string(kInk);
    if (kind == "1") return "p" + parts[3].str();
    if (kind == "2") return "f" + parts[3].str();
    if (kind == "3") return std::string(kGrid);
  }
  throw Error(fmt::format("gnuplot drew in '{}', which is no colour of the page", colour));
}

/// The arguments of a transformation, empty if it is not there.
std::string_view argument_of(std::string_view transform, std::string_view name) {
  const std::size_t at = transform.find(name);
  if (at == std::string_view::npos) return {};
  const std::size_t open = at + name.size() + 1;
  return transform.substr(open, transform.find(')', open) - open);
}

class Sketch {
 public:
  void take(const Tag& tag) {
    if (tag.name == "defs") in_defs_ = true;
    if (tag.name == "/defs") in_defs_ = false;
    if (in_defs_) return;
    if (tag.name == "g") open_group(tag);
    if (tag.name == "/g" && groups_.size() > 1) groups_.pop_back();
    if (tag.name == "path") add_path(tag);
    if (tag.name == "polygon") add_shape(fill_of(tag), polygon_data(value(tag, "points")));
    if (tag.name == "use") add_point(tag);
    if (tag.name == "text") add_text(tag.text);
    constexpr std::array<std::string_view, 13> kKnown = {"g",      "/g",    "path", "polygon", "use",
                                                         "text",   "/text", "rect", "/defs",   "title",
                                                         "/title", "desc",  "/desc"};
    if (std::ranges::find(kKnown, tag.name) == kKnown.end())
      throw Error(fmt::format("gnuplot drew a <{}>, which the page does not know", tag.name));
  }

  /// The grid below everything, the axes above.
  std::string markup() const {
    std::string out = path_markup(kGrid, grid_);
    for (const Item& item : items_)
      out += item.markup.empty() ? path_markup(item.look, item.data) : item.markup;
    return out + path_markup("a", fmt::format("{}", fmt::join(axes_, "")));
  }

 private:
  struct Group {
    std::string width, place, anchor;
  };
  struct Item {
    std::string look;  ///< class and other attributes
    std::string data;  ///< of a path
    std::string markup;
  };

  static std::string value(const Tag& tag, std::string_view name) {
    const auto found = tag.attributes.find(name);
    return found == tag.attributes.end() ? "" : found->second;
  }
  static std::string path_markup(std::string_view look, std::string_view data) {
    return data.empty() ? "" : fmt::format("<path class=\"{}\" d=\"{}\"/>", look, data);
  }
  static std::string fill_of(const Tag& tag) { return colour_class(value(tag, "fill")); }

  void open_group(const Tag& tag) {
    Group group = groups_.back();
    for (const auto& [name, member] :
         {std::pair("stroke-width", &Group::width), std::pair("transform", &Group::place),
          std::pair("text-anchor", &Group::anchor)})
      if (const std::string given = value(tag, name); !given.empty()) group.*member = given;
    groups_.push_back(std::move(group));
  }

  void add_path(const Tag& tag) {
    const std::string data = path_data(value(tag, "d"));
    const std::string colour = colour_class(value(tag, "stroke"));
    const std::string& width = groups_.back().width;
    if (colour == kGrid) {
      grid_ += data;
    } else if (colour == kInk && width == "0.80") {
      // The border is drawn twice.
      if (std::ranges::find(axes_, data) == axes_.end()) axes_.push_back(data);
    } else {
      const std::string dashes = value(tag, "stroke-dasharray");
      add_shape(colour + (width == "1.60" ? " w" : "") +
                    (dashes.empty() ? "" : fmt::format("\" stroke-dasharray=\"{}", html::escaped(dashes))),
                data);
    }
  }

  /// Neighbours that look alike are one path.
  void add_shape(const std::string& look, const std::string& data) {
    if (data.empty()) return;
    if (items_.empty() || items_.back().look != look)
      items_.push_back({look, data, ""});
    else
      items_.back().data += data;
  }

  /// Point type 6 is a ring, 7 a disc; no plot has others.
  void add_point(const Tag& tag) {
    const std::string symbol = value(tag, "xlink:href");
    if (symbol != "#gpPt5" && symbol != "#gpPt6")
      throw Error(fmt::format("gnuplot drew the symbol {}, which the page does not know", symbol));
    std::string look = colour_class(value(tag, "color"));
    if (symbol == "#gpPt6") look.front() = 'q';
    const std::string place = value(tag, "transform");
    const Point at = point_of(argument_of(place, "translate"));
    items_.push_back({"", "",
                      fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>", look, at.x, at.y,
                                  rounded(number_of(argument_of(place, "scale"))))});
  }

  void add_text(const std::string& text) {
    const Group& group = groups_.back();
    const Point at = point_of(argument_of(group.place, "translate"));
    const std::string_view turned = argument_of(group.place, "rotate");
    const std::string place = turned.empty() ? fmt::format("x=\"{}\" y=\"{}\"", at.x, at.y)
                                             : fmt::format("transform=\"translate({},{}) rotate({})\"", at.x,
                                                           at.y, rounded(number_of(turned)));
    const std::string anchor =
        group.anchor == "middle" ? "" : fmt::format(" class=\"{}\"", group.anchor.substr(0, 1));
    items_.push_back({"", "", fmt::format("<text {}{}>{}</text>", place, anchor, trimmed(text))});
  }

  std::vector<Group> groups_{1};
  std::vector<Item> items_;
  std::string grid_;
  std::vector<std::string> axes_;
  bool in_defs_ = false;
};

std::string with_labels(const std::string& svg, const std::vector<std::string>& labels) {
  std::string out;
  std::size_t done = 0;
  const std::regex mark("@([0-9]+)@");
  for (std::sregex_iterator at(svg.begin(), svg.end(), mark), end; at != end; ++at) {
    out.append(svg, done, static_cast<std::size_t>(at->position()) - done);
    const std::size_t index = std::stoul((*at)[1]);
    out += html::escaped(index < labels.size() ? labels[index] : "");
    done = static_cast<std::size_t>(at->position() + at->length());
  }
  return out.append(svg, done, std::string::npos);
}

}  // namespace

std::string inline_svg(const std::string& svg, const Plot& plot) {
  const std::size_t start = svg.find("<svg");
  const std::size_t open_end = svg.find('>', start);
  const std::size_t end = svg.rfind("</svg>");
  if (start == std::string::npos || open_end == std::string::npos || end == std::string::npos)
    throw Error("gnuplot wrote no SVG");
  Sketch sketch;
  for (const Tag& tag : tags_of(std::string_view(svg).substr(open_end + 1, end - open_end - 1)))
    sketch.take(tag);
  return fmt::format("<svg class=\"plot\" role=\"img\" viewBox=\"0 0 {} {}\"><title>{}</title>{}</svg>",
                     plot.width, plot.height, html::escaped(plot.title),
                     with_labels(sketch.markup(), plot.labels));
}

}  // namespace daxrace
