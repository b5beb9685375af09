#include "bench/report/report.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/cli/cli.hpp"
#include "bench/cli/table_options.hpp"
#include "bench/report/data.hpp"
#include "bench/report/gnuplot.hpp"
#include "bench/report/html.hpp"
#include "bench/report/origins.hpp"
#include "bench/report/page.hpp"
#include "bench/report/plots.hpp"
#include "bench/report/run_records.hpp"
#include "bench/report/svg.hpp"
#include "harness/results/answer/answer_text.hpp"
#include "harness/results/answer/answer_words.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/histogram.hpp"
#include "tests/episode_row.hpp"

namespace daxrace {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* kHostile = "<script>alert('x')</script>\"&\x02";

/// Pages are too long to be printed by a matcher.
bool holds(const std::string& page, const std::string& part) { return page.find(part) != std::string::npos; }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

Row path_row(Row row, const std::string& path, std::uint64_t centre_ns) {
  Histogram latencies;
  for (std::uint64_t i = 0; i < 400; ++i) latencies.record(centre_ns + i % 20);
  row.path = path;
  row.verdict.clear();
  row.status.clear();
  row.lat_p50_ns = centre_ns + 10;
  row.lock_wait_sum_ns = 400 * 100;
  row.zap_sum_ns = 400 * 50;
  row.wait_p99_ns = 900;
  row.wait_max_ns = 7000 + row.repetition.value_or(0);
  row.ops_per_s = 4000;
  row.lat_hist = latencies.encode();
  return row;
}

/// `mixed` under three protocols, six blocks each; `ext4` takes 500 ns more than the reference.
std::vector<Row> mixed_rows() {
  std::vector<Row> rows;
  for (std::uint64_t block = 1; block <= 6; ++block) {
    for (const auto& [protocol, ns] :
         {std::pair("iolock_mmaplock", 2000), std::pair("ext4", 2500), std::pair("none", 1000)}) {
      rows.push_back(episode_row("mixed", protocol, block));
      rows.back().placement = "local";
      rows.push_back(path_row(rows.back(), "punch", static_cast<std::uint64_t>(ns)));
    }
  }
  return rows;
}

TableOptions contended() {
  TableOptions options;
  options.uncontended = [](std::string_view) { return false; };
  return options;
}

class Report : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "daxrace_report_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  void put_rows(const std::string& name, const std::vector<Row>& rows) const {
    std::string text = csv_header() + "\n";
    for (const Row& row : rows) text += csv_line(row) + "\n";
    put(name, text);
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  /// The page of one file, without plots unless a program is named.
  std::string page_of(const std::vector<Row>& rows, const std::string& gnuplot = "") {
    put_rows("x.csv", rows);
    ReportOptions options;
    options.files = {path("x.csv")};
    return report_page(options, gnuplot, why_no_plots_);
  }
  /// Bad input: exit 2, one line on stderr that holds `text`.
  void expect_refused(const std::vector<std::string>& arguments, const std::string& text) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(command_line(arguments), 2) << text;
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "") << text;
    const std::string err = testing::internal::GetCapturedStderr();
    EXPECT_THAT(err, HasSubstr(text));
    EXPECT_EQ(count_of(err, "\n"), 1U) << err;
  }

  std::string directory_;
  std::string why_no_plots_;
};

// What it says

TEST_F(Report, ShowsVerdictsCostAndWaits) {
  const std::string page = page_of(mixed_rows());
  EXPECT_TRUE(holds(page,
                    "<p class=\"good\"><strong>PROMISES BROKEN: none. Harm where nothing was promised: 0 of "
                    "18 episodes.</strong></p>"));
  EXPECT_TRUE(holds(page, "<td class=\"wrap kept\"><span class=\"v\">kept</span>"));
  EXPECT_TRUE(holds(page, "<td class=clear>+500ns [+500ns, +500ns]<td>1.25 [1.25, 1.25]<td>6"));
  EXPECT_TRUE(holds(page, "<td>900ns<td>7.01us")) << "p99 and longest wait";
}

/// `mixed_rows` with a pin in each, under which `none` does harm.
std::vector<Row> harmed_rows() {
  std::vector<Row> rows;
  for (Row row : mixed_rows()) {
    if (row.protocol == "none") {
      row.promises = "";
      row.violated = row.path == kAllPaths ? "H4" : "";
      if (row.path == kAllPaths) row.verdict = "expected";
    }
    rows.push_back(row);
    if (row.path == kAllPaths) continue;
    row.path = "gup_slow";
    rows.push_back(row);
  }
  return rows;
}

/// Green is for what was promised, put to the test and kept; harm has a colour and a sign of its own.
TEST_F(Report, TheMatrixTellsKeptFromHarmAndFromWhatWasNotTested) {
  const std::string page = page_of(harmed_rows());
  const auto cell = [](const std::string& name, const std::string& letter) {
    return fmt::format("<td class=\"cell {0}\"><abbr title=\"{0}\">{1}</abbr>", name, letter);
  };
  const std::string untested = cell("untested", "-");
  EXPECT_TRUE(holds(page, "<th scope=row>ext4" + untested + untested + untested + cell("kept", "k")));
  EXPECT_TRUE(holds(page, "<th scope=row>none" + untested + untested + untested + cell("harm", "X") +
                              untested + cell("unseen", ".")));
  EXPECT_TRUE(holds(page, "<p class=\"warn\"><strong>PROMISES BROKEN: none. Harm")) << "not green";
  EXPECT_TRUE(holds(page, "Harm was seen under none (4)."));
}

/// One answer, and one wording of it, wherever it is read.
TEST_F(Report, ThePageSaysWhatTheScreenSays) {
  put("x.run.json", R"({"runs":[{"run_id":"run1","violations":[{"configuration":"mixed/none/memory",
    "repetition":1,"seed":7,"what":"inode 1","detector":"corruption","hazard":"H4"}]}]})");
  const std::string page = page_of(harmed_rows());
  RunRecords records;
  read_run_records(path("x.csv"), {"run1"}, records);
  const OriginRows origin = origins_of(harmed_rows(), records, usual_table_options()).front();
  std::size_t said = 0;
  std::istringstream lines(answer_text(origin.answer, {.columns = 10'000, .files = {"x.csv"}}));
  for (std::string line; std::getline(lines, line);) {
    if (!line.ends_with('.') && !line.ends_with("ref1")) continue;
    line = std::regex_replace(html::escaped(line), std::regex(" +"), " ");
    EXPECT_TRUE(holds(page, line)) << line;
    ++said;
  }
  EXPECT_GE(said, 4U) << "promises, who is safe, where the time goes, a story";
  EXPECT_TRUE(holds(page, "One story: none, mixed: corruption H4: inode 1."));
  for (const ProtocolAnswer& one : origin.answer.protocols) {
    std::string row = "<th scope=row>" + one.protocol;
    for (const HazardOutcome outcome : one.outcomes)
      row += fmt::format("<td class=\"cell {0}\"><abbr title=\"{0}\">{1}</abbr>", name_of(outcome),
                         letter_of(outcome));
    EXPECT_TRUE(holds(page, row)) << one.protocol;
  }
}

TEST_F(Report, HoldsNoPathOfTheReadersMachine) {
  const std::string page = page_of(mixed_rows());
  EXPECT_FALSE(holds(page, directory_));
  EXPECT_TRUE(holds(page, "<dt>file</dt><dd>x.csv</dd>"));
}

TEST_F(Report, TakesTheFilesOfADirectoryAndEachRowOnce) {
  std::vector<Row> others = mixed_rows();
  for (Row& row : others) row.run_id = "run2";
  put_rows("a.csv", mixed_rows());
  put_rows("b.csv", others);
  ReportOptions options;
  options.files = {directory_};
  EXPECT_TRUE(holds(report_page(options, "", why_no_plots_), "36 episodes: "));
  std::filesystem::copy_file(path("a.csv"), path("copy.csv"));
  expect_refused({"report", path("a.csv"), path("copy.csv"), "--out=" + path("x.html")},
                 "copy.csv:2: the same run, configuration and repetition as " + path("a.csv") + ":2");
  expect_refused({"report", path("a.csv"), path("a.csv"), "--out=" + path("x.html")},
                 "a.csv: is given twice");
}

TEST_F(Report, GoesToStandardOutputWhenAsked) {
  put_rows("x.csv", mixed_rows());
  testing::internal::CaptureStdout();
  EXPECT_EQ(command_line({"report", path("x.csv"), "--no-plots", "--out=-"}), 0);
  EXPECT_TRUE(testing::internal::GetCapturedStdout().starts_with("<!DOCTYPE html>"));
  EXPECT_FALSE(std::filesystem::exists("-"));
}

TEST_F(Report, SplitsTheMeanIntoItsPhases) {
  const ReportData data = sort_rows(mixed_rows(), {}, contended());
  const PathSample& sample = data.origins.front().scenarios.front().samples.at("punch").at("none");
  EXPECT_DOUBLE_EQ(sample.mean.phases[static_cast<std::size_t>(Phase::lock_wait)], 100);
  EXPECT_DOUBLE_EQ(sample.mean.phases[static_cast<std::size_t>(Phase::zap)], 50);
  EXPECT_NEAR(sample.mean.rest(), 1010 - 150, 30);
}

TEST_F(Report, BrokenPromisesAndHangsStandAtTheTop) {
  std::vector<Row> rows = mixed_rows();
  rows[0].verdict = "broken";
  rows[0].violated = "H4";
  rows[0].freed_busy = 3;
  rows[2].status = "hang";
  rows[2].reason = "punch waits";
  const std::string page = page_of(rows);
  EXPECT_THAT(page, HasSubstr("<p class=\"bad\"><strong>BROKEN</strong> iolock_mmaplock H4 in mixed, 1 "
                              "episode<br><code>daxrace report --explain x.csv</code></p>"));
  EXPECT_THAT(page,
              HasSubstr("<p class=\"bad\"><strong>HANG</strong> ext4 in mixed, 1 episode: punch waits<br>"));
  EXPECT_FALSE(holds(page, "PROMISES BROKEN: none"));
  EXPECT_TRUE(holds(page, "<span class=\"v\">broken 1/6</span><small>H4</small>"));
  EXPECT_TRUE(holds(page, "hang: punch waits"));
}

TEST_F(Report, RowsOfDifferentCommitsAreNeverMerged) {
  std::vector<Row> rows = mixed_rows();
  std::vector<Row> others = mixed_rows();
  for (Row& row : others) row.git_commit = "ffffffffffff";
  rows.insert(rows.end(), others.begin(), others.end());
  const ReportData data = sort_rows(rows, {}, contended());
  ASSERT_THAT(data.origins, SizeIs(2));
  EXPECT_EQ(data.origins[0].scenarios.front().samples.at("punch").at("none").latencies.count(), 2400U);
}

TEST_F(Report, EmulatedAndPerturbedTimesStayOut) {
  std::vector<Row> rows = mixed_rows();
  for (Row& row : rows) row.emulated = "tcg+memmap";
  const std::string page = page_of(rows);
  EXPECT_TRUE(holds(page, "No episode of these files has times that may be compared."));
  EXPECT_TRUE(holds(page, "18 emulated CPU (tcg)"));
  EXPECT_FALSE(holds(page, "Is a layout change starved?")) << "a section with nothing in it";
}

TEST_F(Report, ThreadsAndPlacementAreComparedWhereBothAreThere) {
  std::vector<Row> rows = mixed_rows();
  std::vector<Row> more = mixed_rows();
  for (Row& row : more) row.threads = 4;
  std::vector<Row> remote = mixed_rows();
  for (Row& row : remote) {
    row.placement = "remote";
    if (row.path != kAllPaths) row = path_row(row, "punch", 4000);
  }
  EXPECT_FALSE(holds(page_of(rows), "How does it scale?")) << "a section with nothing in it";
  EXPECT_FALSE(holds(page_of(rows), "Local or remote?"));
  rows.insert(rows.end(), more.begin(), more.end());
  rows.insert(rows.end(), remote.begin(), remote.end());
  const std::string page = page_of(rows);
  EXPECT_TRUE(holds(page, "<th scope=col>4 threads"));
  EXPECT_THAT(page, HasSubstr("<td>2.00us<td>4.00us<td>2.00")) << "local, remote and their ratio";
}

TEST_F(Report, TimelinesCommandAndEnvironmentComeFromTheRunReport) {
  put("x.run.json",
      R"({"schema":1,"runs":[{"run_id":"other","outcome":"ok"},{"run_id":"run1","outcome":"interrupted",
    "command_line":["daxrace","run","--filter=^a b$"],"environment":{"governor":"powersave","mitigations":{"mds":"none"}},
    "violations":[{"configuration":"realloc/none","repetition":1,"seed":7,"detector":"corruption","hazard":"H3",
    "what":"inode 1","timeline":["free blk","VIOLATION here"]}],
    "violations_not_shown":{"realloc/none":{"corruption":5}},"hangs":[]}]})");
  const std::string page = page_of(mixed_rows());
  EXPECT_TRUE(holds(page, "ended: interrupted"));
  EXPECT_TRUE(holds(page, "daxrace run &#39;--filter=^a b$&#39;"));
  EXPECT_TRUE(holds(page, "<dt>governor</dt><dd>powersave</dd>"));
  EXPECT_TRUE(holds(page, "corruption H3: inode 1"));
  EXPECT_TRUE(holds(page, "<span class=\"hit\">VIOLATION here</span>"));
  EXPECT_TRUE(holds(page, "5 more of the same kinds"));
  EXPECT_FALSE(holds(page, "does not know run"));
}

TEST_F(Report, AMissingRunReportIsSaid) {
  EXPECT_TRUE(holds(page_of(mixed_rows()), "x.run.json: not there"));
}

TEST_F(Report, ARunReportThatIsNoneIsRefused) {
  put_rows("x.csv", mixed_rows());
  put("x.run.json", "[1, 2");
  expect_refused({"report", path("x.csv"), "--out=" + path("x.html")},
                 "x.run.json: is not a run report of daxrace");
}

TEST_F(Report, ARunReportOfOddTypesIsReadForWhatItHolds) {
  put("x.run.json", R"({"runs":[{"run_id":"run1","command_line":{"a":1},"violations":[7,{"timeline":"x"}],
    "environment":[1],"violations_not_shown":{"a":3,"b":{"c":"d"}},"hangs":"none"}]})");
  EXPECT_TRUE(holds(page_of(mixed_rows()), "Run run1"));
}

// What it must never do

TEST_F(Report, NothingOfTheInputIsMarkup) {
  std::vector<Row> rows = mixed_rows();
  for (Row& row : rows) {
    // What is free text: a word outside a closed set, or a name that is none, is refused on reading.
    for (Row::Text* text :
         {&row.host, &row.cpu, &row.kernel, &row.git_commit, &row.reason, &row.remark, &row.fs})
      *text = kHostile;
  }
  put("x.run.json", R"({"runs":[{"run_id":"run1","outcome":"<script>","command_line":["<script>"],
    "environment":{"<script>":"<script>"},"hangs":[{"configuration":"<script>","report":["<script>"]}]}]})");
  const std::string page = page_of(rows);
  EXPECT_FALSE(holds(page, "<script"));
  EXPECT_TRUE(holds(page, "&lt;script&gt;alert(&#39;x&#39;)"));
  EXPECT_EQ(count_of(page, "\x02"), 0U);
}

TEST_F(Report, NothingOfTheInputIsSpokenToGnuplot) {
  const Plot plot = interval_plot({{{"'; system('touch /tmp/owned') #", 0}, {1, 2, 3}}}, "added");
  EXPECT_THAT(plot.script, Not(HasSubstr("system")));
  EXPECT_THAT(plot.labels, testing::Contains(HasSubstr("system")));
}

TEST_F(Report, ReferencesNothingOutsideItself) {
  const std::string page = page_of(mixed_rows());
  const std::regex outside(R"((src|href)\s*=\s*["'](?!#))");
  EXPECT_FALSE(std::regex_search(page, outside));
  EXPECT_FALSE(holds(page, "@import"));
  EXPECT_TRUE(holds(page, "default-src 'none'"));
}

TEST_F(Report, EveryScrollingRegionCanBeReachedByKeyboard) {
  const std::string page = page_of(mixed_rows());
  EXPECT_GT(count_of(page, "class=\"scroll\""), 3U);
  EXPECT_EQ(count_of(page, "class=\"scroll\""),
            count_of(page, "class=\"scroll\" tabindex=\"0\" role=\"region\""));
  EXPECT_EQ(count_of(page, "<pre"), count_of(page, "<pre tabindex=\"0\""));
  EXPECT_TRUE(holds(page, "<a class=\"skip\" href=\"#main\">"));
}

// Plots

/// As gnuplot 5.4 writes it.
std::string gnuplots(const std::string& drawn) {
  return R"(<?xml version="1.0"?><svg viewBox="0 0 1 1"><title>Gnuplot</title><desc>Produced</desc>
<g id="gnuplot_canvas"><rect x="0" y="0" width="1" height="1" fill="none"/><defs><circle id='gpPt5'/></defs>
<g fill="none" color="black" stroke="currentColor" stroke-width="0.80" stroke-linecap="butt">)" +
         drawn + "</g></g></svg>";
}

TEST(InlineSvg, SpeaksForItselfInTheColoursOfThePage) {
  Plot plot;
  plot.title = "a < b";
  plot.labels = {"x & @0@"};
  const std::string out =
      inline_svg(gnuplots(R"svg(<path stroke='rgb(  1,   1,   4)' d='M1.00,2.00 L3.06,4.00  '/>
<polygon fill = 'rgb(  2,   2,   3)' points = '1.00,1.00 2.00,1.00 2.00,3.00 1.00,3.00'/>
<g transform="translate(5.00,6.25)" stroke="none" fill="black" text-anchor="end"><text>@0@</text></g>
<use xlink:href='#gpPt5' transform='translate(1.00,2.00) scale(2.40)' color='rgb(  1,   1,   4)'/>
<use xlink:href='#gpPt6' transform='translate(1.00,2.00) scale(2.40)' color='rgb(  1,   1,   4)'/>)svg"),
                 plot);
  EXPECT_THAT(out, HasSubstr("<title>a &lt; b</title>"));
  EXPECT_THAT(out, HasSubstr("<path class=\"p4\" d=\"M1,2L3.1,4\"/>"));
  EXPECT_THAT(out, HasSubstr("<path class=\"f3\" d=\"M1,1H2V3H1z\"/>"));
  EXPECT_THAT(out, HasSubstr("<text x=\"5\" y=\"6.3\" class=\"e\">x &amp; @0@</text>"))
      << "a label is not looked at again";
  EXPECT_THAT(out, HasSubstr("<circle class=\"p4\" cx=\"1\" cy=\"2\" r=\"2.4\"/>")) << "a ring";
  EXPECT_THAT(out, HasSubstr("<circle class=\"q4\" cx=\"1\" cy=\"2\" r=\"2.4\"/>")) << "a disc";
  for (const char* const gone : {"Gnuplot", "<?xml", "gpPt", "<rect", "id="})
    EXPECT_THAT(out, Not(HasSubstr(gone)));
}

/// Every attribute that gnuplot repeats is a page that no mailing list takes.
TEST(InlineSvg, SaysNothingTwice) {
  const std::string border =
      "<path stroke='black' d='M9.00,9.00 L9.00,1.00 L20.00,1.00 M20.00,9.00 M9.00,9.00  '/>";
  const std::string tick = "<path stroke='black' d='M9.00,9.00 L9.00,8.00  '/>";
  const std::string one = "<path stroke='rgb(  1,   1,   2)' d='M1.00,1.00 L2.00,1.00 '/>";
  const std::string other = "<path stroke='rgb(  1,   1,   2)' d='M1.00,3.00 L2.00,3.00 '/>";
  const std::string out = inline_svg(gnuplots(border + tick + one + other + border), Plot());
  EXPECT_TRUE(out.ends_with(
      "</title><path class=\"p2\" d=\"M1,1H2M1,3H2\"/><path class=\"a\" d=\"M9,9V1H20M9,9V8\"/></svg>"))
      << out;
}

/// What the page does not know is missed nowhere: there is no plot, and the page says why.
TEST(InlineSvg, RefusesWhatItDoesNotKnow) {
  EXPECT_ANY_THROW(inline_svg("no picture", Plot()));
  EXPECT_ANY_THROW(inline_svg(gnuplots("<ellipse/>"), Plot()));
  EXPECT_ANY_THROW(inline_svg(gnuplots("<path stroke='red' d='M1,1 L2,2'/>"), Plot()));
  EXPECT_ANY_THROW(inline_svg(gnuplots("<path stroke='black' d='M1,1 C2,2'/>"), Plot()));
  EXPECT_ANY_THROW(inline_svg(gnuplots("<use xlink:href='#gpPt9' color='black'/>"), Plot()));
}

TEST_F(Report, WithoutGnuplotTheReasonStandsInThePage) {
  const std::string page = page_of(mixed_rows(), "gnuplot-that-is-not-there");
  EXPECT_THAT(why_no_plots_, HasSubstr("is not installed (Debian: apt install gnuplot-nox)"));
  EXPECT_TRUE(holds(page, "<p class=\"warn\">No plots: gnuplot-that-is-not-there is not installed"));
  EXPECT_FALSE(holds(page, "class=\"plot\""));
}

TEST_F(Report, AGnuplotThatFailsIsQuoted) {
  put("bad", "#!/bin/sh\necho 'line 3: no such terminal' >&2\nexit 4\n");
  std::filesystem::permissions(path("bad"), std::filesystem::perms::owner_all);
  page_of(mixed_rows(), path("bad"));
  EXPECT_THAT(why_no_plots_, HasSubstr("failed with status 4: line 3: no such terminal"));
}

TEST_F(Report, PlotsAreTextWithATableBehindEach) {
  const std::string page = page_of(mixed_rows(), "gnuplot");
  if (why_no_plots_.find("not installed") != std::string::npos) GTEST_SKIP() << why_no_plots_;
  ASSERT_EQ(why_no_plots_, "");
  EXPECT_EQ(count_of(page, "<svg class=\"plot\""), 6U) << "added and parts, on top and below; latency, wait";
  EXPECT_EQ(count_of(page, "<figure>"), 6U);
  EXPECT_EQ(count_of(page, "<summary>Numbers</summary>"), 6U);
  EXPECT_TRUE(holds(page, "iolock_mmaplock</text>"));
  EXPECT_FALSE(holds(page, "@0@"));
}

// The command line

TEST_F(Report, WritesThePageAndNamesIt) {
  put_rows("x.csv", mixed_rows());
  testing::internal::CaptureStdout();
  EXPECT_EQ(command_line({"report", path("x.csv"), "--no-plots", "--out=" + path("x.html"), "--title=A & B"}),
            0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), path("x.html") + "\n");
  EXPECT_THAT(text_of("x.html"), HasSubstr("<h1>A &amp; B</h1>"));
  testing::internal::CaptureStdout();
  EXPECT_EQ(command_line({"report", path("x.csv"), "--no-plots", "--out=" + path("x.html")}), 0) << "again";
  testing::internal::GetCapturedStdout();
}

TEST_F(Report, BadInputIsRefusedInOneLine) {
  put_rows("x.csv", mixed_rows());
  put_rows("none.csv", {});
  put("notes.html", "<p>mine</p>");
  expect_refused({"report"}, "give at least one result file");
  expect_refused({"report", path("absent.csv")}, "absent.csv: there is no such file");
  expect_refused({"report", path("none.csv")}, "none.csv: holds no rows");
  expect_refused({"report", path("x.csv"), "--outt=y"}, "did you mean 'out'?");
  expect_refused({"report", path("x.csv"), "--out=" + path("notes.html")}, "is not a report of daxrace");
  expect_refused({"report", path("x.csv"), "--out=" + path("x.csv")}, "is not a report of daxrace");
  expect_refused({"report", path("x.csv"), "--no-plots", "--out=" + path("no/such/x.html")},
                 "cannot be written");
  EXPECT_EQ(text_of("notes.html"), "<p>mine</p>");
}

}  // namespace
}  // namespace daxrace
