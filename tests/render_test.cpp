#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/results/render/table.hpp"

namespace daxrace::render {
namespace {

using testing::HasSubstr;
using testing::Not;

Table sample() {
  Table table;
  table.columns = {{"name"}, {"n", Align::right}, {.name = "what", .gap = 2}};
  table.add({"one", std::size_t{7}, "x|y, z"});
  table.add({"a longer one", 0.5, Cell::none()}, "    a note\n");
  return table;
}

TEST(Render, TextIsAsWideAsItsWidestCells) {
  EXPECT_EQ(text(sample(), {.indent = 1}),
            " name           n  what\n"
            " one            7  x|y, z\n"
            " a longer one 0.5\n"
            "    a note\n");
}

TEST(Render, ColumnOfGivenWidthIsOverrunByWhatIsWider) {
  Table table;
  table.columns = {{"a", Align::left, 3}, {"b", Align::right, 3}};
  table.add({"12345", "6"});
  EXPECT_EQ(text(table, {.heads = false}), "12345   6\n");
}

TEST(Render, ColourTakesNoColumnsAndIsThereOnlyWhenAskedFor) {
  Table table;
  table.columns = {{"verdict"}, {"n"}};
  table.add({Cell("broken").colored("\x1b[31m"), "1"});
  EXPECT_EQ(text(table), "verdict n\nbroken  1\n");
  EXPECT_EQ(text(table, {.color = true}), "verdict n\n\x1b[31mbroken\x1b[0m  1\n");
}

TEST(Render, MarkdownAlignsFiguresAndEscapes) {
  EXPECT_EQ(markdown(sample()),
            "| name | n | what |\n"
            "| --- | ---: | --- |\n"
            "| one | 7 | x\\|y, z |\n"
            "| a longer one | 0.5 |  |\n");
}

TEST(Render, CsvQuotes) { EXPECT_EQ(csv(sample()), "name,n,what\none,7,\"x|y, z\"\na longer one,0.5,\n"); }

TEST(Render, JsonKeepsNumbersNumbersAndAbsenceNull) {
  const auto list = nlohmann::json::parse(json(sample()));
  EXPECT_EQ(list.at(0).at("n"), 7);
  EXPECT_EQ(list.at(1).at("n"), 0.5);
  EXPECT_EQ(list.at(0).at("what"), "x|y, z");
  EXPECT_TRUE(list.at(1).at("what").is_null());
}

TEST(Render, NumberThatIsNoneIsAbsent) {
  EXPECT_EQ(Cell(std::numeric_limits<double>::quiet_NaN()).kind, Cell::Kind::absent);
  EXPECT_EQ(Cell(std::optional<std::uint64_t>()).kind, Cell::Kind::absent);
}

/// Results come from other machines: what they say must not act on the terminal of who reads them.
TEST(Render, NoFieldActsOnItsReader) {
  Table table;
  table.columns = {{"remark"}};
  table.add({"\x1b]0;owned\x07<script>|\n# title"});
  EXPECT_THAT(text(table, {.color = true}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(csv(table), Not(HasSubstr("\x1b")));
  EXPECT_THAT(markdown(table), HasSubstr("\\<script>\\|\\n# title"));
}

}  // namespace
}  // namespace daxrace::render
