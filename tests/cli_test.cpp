#include "bench/cli/cli.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/cli/help.hpp"
#include "bench/cli/options.hpp"
#include "harness/base/error.hpp"
#include "harness/load/workload.hpp"
#include "tests/sanitized.hpp"

namespace daxrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome daxrace_with(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = command_line(arguments);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

/// Bad input: exit 2, nothing on stdout, one line on stderr that holds `text`.
void expect_refused(const std::vector<std::string>& arguments, const std::string& text) {
  const Outcome outcome = daxrace_with(arguments);
  EXPECT_EQ(outcome.code, 2) << text;
  EXPECT_EQ(outcome.out, "") << text;
  EXPECT_THAT(outcome.err, HasSubstr(text));
  EXPECT_THAT(outcome.err, StartsWith("daxrace: "));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
}

std::string line_count_of(const std::string& text) { return std::to_string(std::ranges::count(text, '\n')); }

/// RunOptions after one option of the table was given those values.
RunOptions after(const std::string& name, const std::vector<std::string>& values) {
  RunOptions options;
  const OptionTable table = run_option_table(options);
  apply_option(*find_option(table, name), values);
  return options;
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() : path_(testing::TempDir() + "daxrace-config-" + std::to_string(getpid()) + ".ini") {}
  ~ConfigFile() override { std::filesystem::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string path_;
};

// Words

TEST(BadInput, NamesTheNearestWord) {
  expect_refused({"run", "--protocol=iolok"}, "unknown protocol 'iolok'; did you mean 'iolock'?");
  expect_refused({"run", "--workload=gup_vs_puch"}, "did you mean 'gup_vs_punch'?");
  expect_refused({"run", "--placement=locl"}, "did you mean 'local'?");
  expect_refused({"run", "--lock=rwsm"}, "did you mean 'rwsem'?");
  expect_refused({"run", "--thread=2"}, "did you mean 'threads'?");
  expect_refused({"rn"}, "did you mean 'run'?");
  expect_refused({"run", "--refcount=ref2"}, "--refcount:");
}

TEST(BadInput, NamesAllWordsWhereNoneIsNear) {
  expect_refused({"run", "--load=burst"}, "there are: paced, closed");
  expect_refused({"run", "--protocol=something"}, "lease_break");
}

TEST(BadInput, IsRefusedBeforeAnythingIsTouched) {
  const std::string file = testing::TempDir() + "daxrace-never-written.csv";
  std::filesystem::remove(file);
  expect_refused({"run", "--out=" + file, "--threads=0"}, "--threads=0");
  expect_refused({"run", "--out=" + file, "--duration=5"}, "a time with its unit");
  expect_refused({"run", "--out=" + file, "--cpus=x"}, "--cpus=x");
  expect_refused({"run", "--out=" + file, "--cpus=100000"}, "--cpus");
  expect_refused({"run", "--out=" + file, "--filter=("}, "not a regular expression");
  expect_refused({"run", "--out=" + file, "--filter=nothing_like_it"}, "--dry-run");
  expect_refused({"run", "--out=" + file, "--benchmark_filter=threads:9$"}, "--dry-run");
  expect_refused({"run", "--out=" + file, "stray"}, "only options");
  expect_refused({"run", "--out=" + file, "--workload=all,foo"}, "unknown workload 'foo'");
  expect_refused({"run", "--out=" + file, "--rate=1e308"}, "at most 1e9");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(BadInput, IncludesOptionsThatDoNotGoTogether) {
  expect_refused({"run", "--time=1m", "--repetitions=2"}, "--time and --repetitions");
  expect_refused({"run", "--append"}, "--out=FILE");
  expect_refused({"run", "--out=a", "--append", "--force"}, "--append and --force");
  expect_refused({"run", "--out=a", "--resume=b"}, "different files");
  expect_refused({"run", "--seed=1", "--seed=2"}, "given 2 times");
  expect_refused({"run", "--load=closed", "--threads=2"}, "roles decide");
  expect_refused({"run", "--perturb", "--lock=rwsem,pthread_rwlock"}, "--perturb and --lock=pthread_rwlock");
  expect_refused({"run", "--perturb", "--oracle=off"}, "--perturb and --oracle=off");
  expect_refused({"run", "--resume=/nowhere/x.csv"}, "no such file");
  expect_refused({"run", "--rate=2", "--sweep-rate"}, "--rate and --sweep-rate");
  expect_refused({"run", "--tables", "--no-table"}, "--tables and --no-table");
}

TEST(BadInput, IncludesAMissingVerb) {
  expect_refused({"--threads=2"}, "a verb comes first");
  expect_refused({"list", "--threads=2"}, "unknown option 'threads'");
  expect_refused({"list", "--format=xml"}, "there are: text, json");
  expect_refused({"list", "--benchmark_filter=x"}, "unknown option");
}

TEST(BadInput, NamesWhatBeginsOrEndsWithTheWord) {
  expect_refused({"litmus", "--operation=truncate"}, "did you mean 'truncate_down' or 'truncate_up'?");
  expect_refused({"compare", "a.csv", "b.csv", "--by=commit"},
                 "unknown column 'commit'; did you mean 'git_commit'?");
  expect_refused({"compare", "a.csv", "b.csv", "--by=foo"}, "unknown column 'foo'; there are: git_commit,");
}

TEST(BadInput, IsNotHiddenByAll) {
  expect_refused({"litmus", "--protocol=all,exr4"}, "unknown protocol 'exr4'; did you mean 'ext4'?");
  expect_refused({"litmus", "--access=x,all"}, "unknown access 'x'");
  expect_refused({"litmus", "--release=all,x"}, "unknown release 'x'");
  expect_refused({"explore", "--protocol=all,exr4"}, "did you mean 'ext4'?");
  expect_refused({"explore", "--scenario=all,x"}, "unknown scenario 'x'");
}

/// Forty names in a line are no answer.
TEST(BadInput, NamesTheThreeNearestOptionsAndWhereAllStand) {
  expect_refused({"run", "--completely-different=1"}, "all: daxrace run --help");
}

TEST(BadInput, IncludesStandardOutputWhereAFileIsNeeded) {
  expect_refused({"run", "--out=-"}, "--out=-: a file is needed");
}

TEST(Help, IsAVerbToo) {
  const auto printed = [](const std::vector<std::string>& words) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(command_line(words), 0);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(printed({"help"}), printed({"--help"}));
  EXPECT_EQ(printed({"help", "run"}), printed({"run", "--help"}));
  expect_refused({"help", "rn"}, "did you mean 'run'?");
  expect_refused({"helpless"}, "list, env. See 'daxrace help'.");
  expect_refused({"litmus", "--protocol=xfs"}, "'iolock_mmaplock', with pNFS 'lease_break'");
}

TEST(Help, WithoutAVerbSaysInAScreenWhatEachAnswersAndWhatToCallFirst) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(command_line({}), 2);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_LE(std::ranges::count(text, '\n'), 10);
  EXPECT_THAT(text, HasSubstr("First: daxrace litmus"));
  for (const VerbText& verb : verb_texts()) EXPECT_THAT(text, HasSubstr("  " + std::string(verb.name) + " "));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(BadInput, IncludesRandomInterleavingWithTheReason) {
  expect_refused({"run", "--benchmark_enable_random_interleaving=true"}, "interleaving is ours");
}

TEST(Backing, IsReadWithItsPath) {
  EXPECT_EQ(parse_backing("memory"), (BackingChoice{Backing::memory, ""}));
  EXPECT_EQ(parse_backing("fsdax:/mnt/a:b"), (BackingChoice{Backing::fsdax, "/mnt/a:b"}));
  EXPECT_EQ(parse_backing("devdax:/dev/dax0.0").text(), "devdax:/dev/dax0.0");
  for (const char* bad : {"fsdax", "fsdax:", "memory:x", "", ":", "pmem:/x"})
    EXPECT_THROW(parse_backing(bad), Error) << bad;
}

// Values

TEST(Options, TakeListsWithCommasOrByRepetition) {
  EXPECT_THAT(after("threads", {"1,2", "4"}).threads, ElementsAre(1U, 2U, 4U));
  EXPECT_THAT(after("threads", {"2,2,2"}).threads, ElementsAre(2U));
  EXPECT_THAT(after("protocol", {"ext4,none"}).protocols, ElementsAre("ext4", "none"));
  EXPECT_EQ(after("protocol", {"all"}).protocols, protocol_names());
  EXPECT_EQ(after("workload", {"all"}).workloads, workload_names());
}

TEST(Options, MayStandWithoutAValueWhereTheHelpSaysSo) {
  EXPECT_TRUE(after("perturb", {}).perturb);
  EXPECT_EQ(after("perturb", {}).perturb_seed, std::nullopt);
  EXPECT_EQ(after("perturb", {"7"}).perturb_seed, 7U);
  EXPECT_THAT(after("sweep-rate", {}).rates, SizeIs(7));
  EXPECT_THAT(after("sweep-rate", {"1,2"}).rates, ElementsAre(1.0, 2.0));
  EXPECT_THROW(after("threads", {}), Error);
  EXPECT_THROW(after("threads", {""}), Error);
  EXPECT_THROW(after("dry-run", {"x"}), Error);
}

TEST(Options, GiveTheSameOnTheCommandLineWithBlankOrEqualsSign) {
  const auto with_equals =
      daxrace_with({"run", "--dry-run", "--workload=fault", "--protocol=none", "--threads=2", "--perturb"});
  const auto with_blank = daxrace_with(
      {"run", "--workload", "fault", "--perturb", "--protocol", "none", "--threads", "2", "--dry-run"});
  EXPECT_EQ(with_equals.code, 0) << with_equals.err;
  EXPECT_EQ(with_equals.out, with_blank.out);
  EXPECT_THAT(with_equals.out, StartsWith("fault/none/memory/local/threads:2/perturb:on  x5"));
}

TEST_F(ConfigFile, IsReadAndTheCommandLineWins) {
  write(
      "# a matrix\n[run]\nworkload = fault,load\nprotocol = none\nrepetitions = 2\nperturb = true\n"
      "no-table = false\n[list]\nformat = json\n");
  const auto from_file = daxrace_with({"run", "--dry-run", "--config=" + path_});
  EXPECT_EQ(from_file.code, 0) << from_file.err;
  EXPECT_THAT(from_file.out, HasSubstr("fault/none/memory/local/threads:1/perturb:on  x2"));
  EXPECT_THAT(from_file.out, HasSubstr("load/none/"));
  const auto both = daxrace_with({"run", "--dry-run", "--config=" + path_, "--workload=store"});
  EXPECT_THAT(both.out, HasSubstr("store/none/memory/local/threads:1/perturb:on  x2"));
  EXPECT_THAT(both.out, Not(HasSubstr("fault/")));
}

TEST_F(ConfigFile, IsRefusedWhereItIsWrong) {
  write("wrkload = fault\n");
  expect_refused({"run", "--config=" + path_}, "did you mean 'workload'?");
  write("[run]\nthreads = many\n");
  expect_refused({"run", "--config=" + path_}, "--threads=many");
  expect_refused({"run", "--config=/nowhere/x.ini"}, "--config=/nowhere/x.ini");
  for (const std::string no_file : {"/", "/dev/zero", "/dev/null"})
    expect_refused({"run", "--dry-run", "--config=" + no_file}, "is not a configuration file");
  write(std::string("workload = load\0\xff\n", 18));
  expect_refused({"run", "--dry-run", "--config=" + path_}, "a NUL byte in line 1");
  write("[runn]\nworkload = load\n");
  expect_refused({"run", "--dry-run", "--config=" + path_}, "unknown verb 'runn'; did you mean 'run'?");
  write("[run]\nconfig = another.ini\n");
  expect_refused({"run", "--dry-run", "--config=" + path_}, "it names another file");
  write("[run]\nworkload load\n");
  expect_refused({"run", "--dry-run", "--config=" + path_}, "line 2");
}

// What it says of itself

TEST(DryRun, TellsNamesRepetitionsTimeAndSeed) {
  const auto outcome =
      daxrace_with({"run", "--dry-run", "--workload=mixed", "--protocol=ext4,none", "--seed=9"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("mixed/ext4/memory/local/threads:"));
  EXPECT_THAT(outcome.out, HasSubstr("2 configurations, 10 episodes, about 3 s, seed 9"));
}

TEST(DryRun, ShowsWhatABenchmarkFilterLeaves) {
  const auto outcome = daxrace_with(
      {"run", "--dry-run", "--workload=mixed", "--protocol=ext4,none", "--benchmark_filter=^mixed/ext4"});
  EXPECT_THAT(outcome.out, HasSubstr("1 configuration, 5 episodes"));
}

/// Thousands of episodes are planned, and nothing is opened. Of CPU time, since the machine may be busy.
TEST(PerfDryRun, TakesNoTimeHoweverManyEpisodesItPlans) {
  const std::clock_t before = std::clock();
  const auto outcome = daxrace_with({"run", "--dry-run", "--until=decided:2%:punch", "--time=20m"});
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("configurations, at most "));
  EXPECT_LT(seconds, kSanitized ? 100 : 10);
}

TEST(Help, NamesEveryOptionWithItsDefaultAndTheExitCodes) {
  RunOptions options;
  const OptionTable table = run_option_table(options);
  const auto outcome = daxrace_with({"run", "--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const OptionSpec& spec : table) {
    EXPECT_THAT(outcome.out, HasSubstr("--" + std::string{spec.name}));
    EXPECT_FALSE(spec.help.empty()) << spec.name;
    EXPECT_EQ(spec.takes == Takes::nothing, spec.value.empty()) << spec.name;
  }
  for (const char* code : {"    0  ", "    1  ", "    2  ", "   77  ", "  130  "})
    EXPECT_THAT(outcome.out, HasSubstr(code));
  EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
}

/// A terminal has 80 columns, and text that it wraps by itself cannot be read.
TEST(Help, FitsEightyColumns) {
  std::vector<std::string> texts = {daxrace_with({}).out + daxrace_with({}).err, daxrace_with({"help"}).out};
  for (const VerbText& verb : verb_texts())
    texts.push_back(daxrace_with({std::string(verb.name), "--help"}).out);
  for (const std::string& text : texts) {
    EXPECT_GT(text.size(), 100U);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

/// A command that was broken for want of room is still one to a shell.
TEST(Help, ExamplesCanBeCopied) {
  std::string help = daxrace_with({"litmus", "--help"}).out;
  for (std::size_t at = 0; (at = help.find(" \\\n      ", at)) != std::string::npos;)
    help.replace(at, 9, " ");
  EXPECT_THAT(help, HasSubstr("\n  daxrace litmus --protocol=mmaplock --operation=punch --access=aio_write "
                              "--refcount=ref1 --explain\n"));
}

TEST(Help, HasEachOptionOnce) {
  RunOptions options;
  std::set<std::string_view> names;
  for (const OptionSpec& spec : run_option_table(options))
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
}

TEST(Help, ShowsExamplesThatParse) {
  for (const VerbText& verb : verb_texts()) {
    std::istringstream lines{std::string{verb.examples}};
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line.substr(0, line.find('#')));
      std::vector<std::string> arguments;
      for (std::string word; words >> word;) arguments.push_back(word);
      ASSERT_EQ(arguments.front(), "daxrace");
      arguments.erase(arguments.begin());
      if (verb.name != "run") continue;
      for (std::string& word : arguments) std::erase(word, '\'');
      std::erase_if(arguments, [](const std::string& word) { return word.starts_with("--resume"); });
      arguments.emplace_back("--dry-run");
      if (std::ranges::count(arguments, "--dry-run") > 1) arguments.pop_back();
      const auto outcome = daxrace_with(arguments);
      EXPECT_EQ(outcome.code, 0) << line << '\n' << outcome.err;
    }
  }
}

TEST(Version, TellsCommitCompilerFlagsAndBuildType) {
  const auto outcome = daxrace_with({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(line_count_of(outcome.out), "5");
  for (const char* word : {"daxrace ", "commit ", "compiler ", "flags ", "build type "})
    EXPECT_THAT(outcome.out, HasSubstr(word));
}

TEST(List, NamesEveryProtocolAndWorkload) {
  const auto outcome = daxrace_with({"list"});
  EXPECT_EQ(outcome.code, 0);
  for (const std::string& name : protocol_names()) EXPECT_THAT(outcome.out, HasSubstr("  " + name + " "));
  for (const std::string& name : workload_names()) EXPECT_THAT(outcome.out, HasSubstr("  " + name + " "));
}

}  // namespace
}  // namespace daxrace
