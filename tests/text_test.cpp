#include "harness/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace daxrace {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

TEST(ShownText, LeavesTextInAnyLanguageAsItIs) {
  for (const char* text : {"", "plain", "µs ≤ 5 %", "日本語", "C:\\dax\\x"})
    EXPECT_EQ(shown_text(text), text);
}

TEST(ShownText, SpellsWhatATerminalWouldObey) {
  EXPECT_EQ(shown_text("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(shown_text("one\ntwo\r\tthree\x7f"), "one\\ntwo\\r\\tthree\\x7f");
  // The control sequence introducer in 8 bits: as a byte, and as a character.
  EXPECT_EQ(shown_text("\x9b"
                       "2J"),
            "\\x9b2J");
  EXPECT_EQ(shown_text("\xc2\x9b"
                       "2J"),
            "\\x9b2J");
}

TEST(ShownText, SpellsWhatMakesTextReadOtherwise) {
  EXPECT_EQ(shown_text("\u202egnp.exe"), "\\u202egnp.exe");
  EXPECT_EQ(shown_text("kept\u200b"), "kept\\u200b");
}

TEST(ShownText, SpellsBytesThatAreNoUtf8) {
  EXPECT_EQ(shown_text("\xff"), "\\xff");
  EXPECT_EQ(shown_text("\xc3"), "\\xc3");                    // cut off
  EXPECT_EQ(shown_text("\xc0\x9b"), "\\xc0\\x9b");           // longer than it need be
  EXPECT_EQ(shown_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // half a pair of UTF-16
}

TEST(MarkdownText, NoCharacterEndsTheCellOrMarksUp) {
  EXPECT_EQ(markdown_text("a|b"), "a\\|b");
  EXPECT_EQ(markdown_text("`x` *y* <b>z</b> [t](u)"), "\\`x\\` \\*y\\* \\<b>z\\</b> [t\\](u)");
  EXPECT_EQ(markdown_text("1.02 [1.01, 1.03] <= 5, iolock_mmaplock"),
            "1.02 [1.01, 1.03] <= 5, iolock_mmaplock");
  EXPECT_EQ(markdown_text("a\nb"), "a\\nb");
}

TEST(CsvText, IsQuotedWhereItMustBeAndStaysOnItsLine) {
  EXPECT_EQ(csv_text("plain"), "plain");
  EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_text("said \"so\""), "\"said \"\"so\"\"\"");
  EXPECT_EQ(csv_text(" trimmed by readers"), "\" trimmed by readers\"");
  EXPECT_EQ(csv_text("one\r\ntwo"), "one\\r\\ntwo");
  EXPECT_EQ(csv_text("\x1b[31m"), "\\x1b[31m");
}

TEST(HtmlText, NoCharacterIsMarkup) {
  EXPECT_EQ(html_text("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(html_text("\x1b\u202e\xff"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(WrappedText, CountsCharactersAndNotBytes) {
  EXPECT_EQ(wrapped_text("", "µµµµ µµµµ", 2, 9), "µµµµ µµµµ\n");
  EXPECT_EQ(wrapped_text("- ", "one two three", 2, 9), "- one two\n  three\n");
}

TEST(WrappedText, ShowsWhatItWraps) {
  EXPECT_THAT(wrapped_text("", "evil \x1b[2J row", 0, 80), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace daxrace
