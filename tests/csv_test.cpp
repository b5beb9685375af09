#include "harness/results/csv.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/result_table.hpp"
#include "harness/results/row_check.hpp"
#include "tests/refuse_flock.hpp"

namespace daxrace {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// The columns as they were published. A released column never moves, and new ones stand after these.
constexpr std::string_view kPublishedHeader =
    "schema,run_id,git_commit,time_utc,host,cpu,kernel,emulated,target,backing,device,fs,mount_options,"
    "granularity,"
    "frame_bytes,entry_bytes,pmem_node,placement,cpus,mem_nodes,overcommitted,protocol,refcount_regime,lock,"
    "workload,"
    "load,offered_per_s,threads,oracle,perturb,discard,file_pages,queue_depth,seed,path,repetition,ops,"
    "duration_ns,"
    "ops_per_s,lat_min_ns,lat_p50_ns,lat_p90_ns,lat_p99_ns,lat_p999_ns,lat_max_ns,resp_p50_ns,resp_p99_ns,"
    "resp_max_ns,"
    "lock_wait_sum_ns,break_wait_sum_ns,dio_wait_sum_ns,lease_wait_sum_ns,shootdown_sum_ns,zap_sum_ns,wait_"
    "p99_ns,"
    "wait_max_ns,faults_real,retries,freed_busy,stale_access,corruption,misplaced,stale_data,unflushed,leak,"
    "hang,"
    "promises,violated,verdict,status,reason,lat_hist,served_share,remark,resp_hist";

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::usage);
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "no error";
}

Row sample_row() {
  Row row;
  row.run_id = "20180726T220901-1a2b3c";
  row.host = "pmem1";
  row.protocol = "iolock_mmaplock";
  row.path = "punch";
  row.offered_per_s = 2000.5;
  row.threads = 2;
  row.oracle = true;
  row.perturb = false;
  row.repetition = 3;
  row.lat_p50_ns = 1520;
  return row;
}

/// A row with every column filled with something awkward, where that could have been written.
Row random_row(std::mt19937_64& random) {
  const std::vector<std::string> texts{"",      "a",       "a,b",    "say \"x\"", "\"",  ",",
                                       " lead", "trail\t", "ümlaut", "'",         "a;b", "\\"};
  Row row;
  row.protocol = "ext4";
  for (const Column& column : kColumns) {
    if (column.name == "schema" || column.name == "protocol") continue;
    std::visit(
        [&](auto member) {
          auto& field = row.*member;
          using Field = std::decay_t<decltype(field)>;
          if constexpr (std::is_same_v<Field, Row::Text>) {
            field = texts[random() % texts.size()];
          } else if (random() % 4 == 0) {
            field.reset();
          } else if constexpr (std::is_same_v<Field, Row::Count>) {
            field = random() >> (random() % 64);
          } else if constexpr (std::is_same_v<Field, Row::Real>) {
            field = static_cast<double>(random()) / static_cast<double>(1 + random() % 1000);
          } else {
            field = random() % 2 == 0;
          }
          if (unsound(row)) field = {};
        },
        column.member);
  }
  row.host = "pmem1";
  return row;
}

constexpr int kCannotRunHere = 77;

/// Runs `body` in a process of its own, whose limits and mounts end with it. Returns the exit status.
template <class Body>
int run_in_child(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class Csv : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "daxrace_csv_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string file(const std::string& name = "x.csv") const { return directory_ + "/" + name; }
  std::string written(const std::vector<Row>& rows, const std::string& name = "x.csv") const {
    CsvWriter writer(file(name), OpenMode::create_new, "pmem1");
    for (const Row& row : rows) writer.write(row);
    return file(name);
  }

  std::string directory_;
};

TEST_F(Csv, HeaderStartsWithThePublishedColumnsInTheirOrder) {
  EXPECT_EQ(csv_header().substr(0, kPublishedHeader.size()), kPublishedHeader);
}

TEST_F(Csv, EveryColumnHasItsOwnNameMemberAndMeaning) {
  std::set<std::string_view> names;
  std::vector<Column::Member> members;
  for (const Column& column : kColumns) {
    EXPECT_TRUE(names.insert(column.name).second) << column.name;
    EXPECT_EQ(std::count(members.begin(), members.end(), column.member), 0) << column.name;
    members.push_back(column.member);
    EXPECT_FALSE(column.meaning.empty()) << column.name;
    EXPECT_EQ(&column_named(column.name), &column);
  }
  EXPECT_THROW(column_named("latency"), Error);
}

TEST_F(Csv, KeyIsMadeOfThePublishedColumnsOnly) {
  const std::set<std::string_view> published{"target",      "backing",         "fs",       "granularity",
                                             "frame_bytes", "placement",       "protocol", "lock",
                                             "load",        "offered_per_s",   "workload", "threads",
                                             "oracle",      "refcount_regime", "perturb",  "discard",
                                             "file_pages",  "queue_depth",     "path"};
  std::set<std::string_view> keys;
  for (const Column& column : kColumns) {
    if (column.is_key) keys.insert(column.name);
  }
  EXPECT_EQ(keys, published);
}

TEST_F(Csv, KeyTextStaysTheSame) {
  EXPECT_EQ(key_of(sample_row()), ",,,,,,iolock_mmaplock,,,,,2000.5,2,1,0,,,,punch");
  EXPECT_EQ(key_of(sample_row(), {"path", "protocol"}), ",,,,,,,,,,2000.5,2,1,0,,,");
}

TEST_F(Csv, KeyChangesWithEveryKeyColumnAndWithNoOther) {
  for (const Column& column : kColumns) {
    Row row = sample_row();
    std::visit(
        [&](auto member) {
          using Field = std::decay_t<decltype(row.*member)>;
          if constexpr (std::is_same_v<Field, Row::Text>) {
            row.*member += "x";
          } else if constexpr (std::is_same_v<Field, Row::Flag>) {
            row.*member = !(row.*member).value_or(false);
          } else {
            row.*member = (row.*member).value_or(0) + 1;
          }
        },
        column.member);
    EXPECT_EQ(key_of(row) != key_of(sample_row()), column.is_key) << column.name;
  }
}

TEST_F(Csv, KeysOfDifferentFieldsNeverMeet) {
  Row one;
  one.target = "a,b";
  Row other;
  other.target = "a";
  other.backing = "b";
  EXPECT_NE(key_of(one, {"fs"}), key_of(other));
}

TEST_F(Csv, RandomRowsComeBackAsTheyWereWritten) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Row> rows;
    for (int i = 0; i < 20; ++i) rows.push_back(random_row(random));
    const CsvFile read = read_csv(written(rows, std::to_string(seed) + ".csv"));
    EXPECT_EQ(read.dropped_lines, 0U);
    ASSERT_EQ(read.rows, rows);
  }
}

TEST_F(Csv, LineEndsAndNulNeverStandInAField) {
  Row row = sample_row();
  row.reason = std::string("first\nsecond\r\nthird\0!", 21);
  const std::string path = written({row});
  const std::string text = read_text(path);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
  EXPECT_EQ(read_csv(path).rows[0].reason, "first\\nsecond\\r\\nthird!");
}

TEST_F(Csv, NumbersThatAreNotFiniteAreAbsent) {
  Row row = sample_row();
  row.ops_per_s = std::numeric_limits<double>::quiet_NaN();
  row.offered_per_s = std::numeric_limits<double>::infinity();
  const Row back = read_csv(written({row})).rows[0];
  EXPECT_FALSE(back.ops_per_s.has_value());
  EXPECT_FALSE(back.offered_per_s.has_value());
}

TEST_F(Csv, CreateNewRefusesAFileWithResults) {
  const std::string path = written({sample_row()});
  const std::string before = read_text(path);
  EXPECT_EQ(error_of([&] { CsvWriter(path, OpenMode::create_new, "pmem1"); }),
            path + ": exists: use --append or --force");
  EXPECT_EQ(read_text(path), before);
}

TEST_F(Csv, ALockThatFailsIsToldForWhatItIs) {
  const RefuseFlock refused(ENOLCK);
  EXPECT_EQ(error_of([&] { CsvWriter(file(), OpenMode::create_new, "pmem1"); }),
            file() + ": cannot be locked: No locks available");
}

TEST_F(Csv, FileWithoutAnyRowIsNotLeftBehind) {
  { const CsvWriter writer(file(), OpenMode::create_new, "pmem1"); }
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Csv, AppendAddsRowsAndNoSecondHeader) {
  const std::string path = written({sample_row()});
  {
    CsvWriter writer(path, OpenMode::append, "pmem1");
    writer.write(sample_row());
    EXPECT_EQ(writer.rows(), 1U);
    EXPECT_FALSE(writer.cut_partial_line());
  }
  EXPECT_EQ(read_csv(path).rows.size(), 2U);
}

TEST_F(Csv, AppendRefusesAnotherHost) {
  const std::string path = written({sample_row()});
  EXPECT_THAT(error_of([&] { CsvWriter(path, OpenMode::append, "pmem2"); }), HasSubstr("host \"pmem1\""));
}

TEST_F(Csv, AppendRefusesAnotherSetOfColumns) {
  write_text(file(), csv_header() + ",later\n");
  EXPECT_THAT(error_of([&] { CsvWriter(file(), OpenMode::append, "pmem1"); }), HasSubstr("another version"));
}

TEST_F(Csv, AppendCutsHalfALineThatAKilledRunLeft) {
  const std::string path = written({sample_row(), sample_row()});
  const std::string whole = read_text(path);
  write_text(path, whole + "1,2018,half");
  {
    CsvWriter writer(path, OpenMode::append, "pmem1");
    EXPECT_TRUE(writer.cut_partial_line());
    writer.write(sample_row());
  }
  EXPECT_EQ(read_text(path), whole + csv_line(sample_row()) + "\n");
}

TEST_F(Csv, ForceKeepsTheOldResultsUntilTheFirstNewRow) {
  const std::string path = written({sample_row(), sample_row()});
  const std::string before = read_text(path);
  { const CsvWriter writer(path, OpenMode::replace, "pmem2"); }
  EXPECT_EQ(read_text(path), before);
  {
    CsvWriter writer(path, OpenMode::replace, "pmem2");
    writer.write(sample_row());
  }
  EXPECT_EQ(read_text(path), csv_header() + "\n" + csv_line(sample_row()) + "\n");
}

TEST_F(Csv, ForceNeverReplacesAFileThatIsNotOurs) {
  write_text(file("thesis.tex"), "\\documentclass{article}\n");
  EXPECT_THAT(error_of([&] { CsvWriter(file("thesis.tex"), OpenMode::replace, "pmem1"); }),
              HasSubstr("not a result file of daxrace"));
  EXPECT_EQ(read_text(file("thesis.tex")), "\\documentclass{article}\n");
}

TEST_F(Csv, OnlyRegularFilesAreWritten) {
  EXPECT_THAT(error_of([&] { CsvWriter("/dev/null", OpenMode::append, "pmem1"); }),
              HasSubstr("not a regular file"));
  EXPECT_THAT(error_of([&] { CsvWriter(directory_, OpenMode::append, "pmem1"); }),
              HasSubstr("cannot be written"));
  EXPECT_THAT(error_of([&] { CsvWriter(file("no/such/x.csv"), OpenMode::create_new, "pmem1"); }),
              HasSubstr("No such file"));
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { CsvWriter(file("fifo"), OpenMode::append, "pmem1"); }),
              HasSubstr("not a regular file"));
}

TEST_F(Csv, SecondWriterIsRefusedWhileTheFirstOneLives) {
  {
    CsvWriter first(file(), OpenMode::create_new, "pmem1");
    first.write(sample_row());
    for (const OpenMode mode : {OpenMode::create_new, OpenMode::append, OpenMode::replace}) {
      EXPECT_THAT(error_of([&] { CsvWriter(file(), mode, "pmem1"); }),
                  HasSubstr("another daxrace is writing"));
    }
    first.write(sample_row());
  }
  EXPECT_EQ(read_csv(file()).rows.size(), 2U);
  EXPECT_NO_THROW(CsvWriter(file(), OpenMode::append, "pmem1"));
}

TEST_F(Csv, RowsOfAKilledProcessAreAllThere) {
  const int status = run_in_child([&] {
    CsvWriter writer(file(), OpenMode::create_new, "pmem1");
    for (int i = 0; i < 3; ++i) writer.write(sample_row());
    raise(SIGKILL);
  });
  ASSERT_EQ(status, 128 + SIGKILL);
  EXPECT_EQ(read_csv(file()).rows.size(), 3U);
}

/// Writes rows until that fails; what is left must be whole rows and an error that says why.
void expect_whole_rows_when_full(const std::string& path, const std::string& why) {
  std::size_t rows = 0;
  std::string error = "no error";
  {
    CsvWriter writer(path, OpenMode::create_new, "pmem1");
    Row row = sample_row();
    row.reason = std::string(3001, 'x');
    error = error_of([&] {
      for (; rows < 2000; ++rows) writer.write(row);
    });
    EXPECT_EQ(writer.rows(), rows);
  }
  EXPECT_THAT(error, HasSubstr(path));
  EXPECT_THAT(error, HasSubstr(why));
  ASSERT_GT(rows, 0U);
  const CsvFile left = read_csv(path);
  EXPECT_EQ(left.rows.size(), rows);
  EXPECT_EQ(left.dropped_lines, 0U);
}

TEST_F(Csv, FileSizeLimitLeavesWholeRowsAndOneClearError) {
  EXPECT_EQ(run_in_child([&] {
              const rlimit limit{50'000, 50'000};
              setrlimit(RLIMIT_FSIZE, &limit);
              expect_whole_rows_when_full(file(), "disk full");
            }),
            0);
}

// A write that starts at the limit is answered with a signal before it is with an error.
TEST_F(Csv, FileThatHasReachedItsSizeLimitDoesNotKillTheRun) {
  EXPECT_EQ(run_in_child([&] {
              std::signal(SIGXFSZ, SIG_DFL);  // whoever started us may have ignored it
              CsvWriter writer(file(), OpenMode::create_new, "pmem1");
              writer.write(sample_row());
              const rlim_t size = std::filesystem::file_size(file());
              const rlimit limit{size, size};
              setrlimit(RLIMIT_FSIZE, &limit);
              EXPECT_THAT(error_of([&] { writer.write(sample_row()); }), HasSubstr("File too large"));
            }),
            0);
  EXPECT_EQ(read_csv(file()).rows.size(), 1U);
}

TEST_F(Csv, FullDiskLeavesWholeRowsAndOneClearError) {
  const int status = run_in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("daxrace", directory_.c_str(), "tmpfs", 0, "size=64k") != 0) {
      _exit(kCannotRunHere);
    }
    expect_whole_rows_when_full(file(), "disk full");
  });
  if (status == kCannotRunHere) GTEST_SKIP() << "mounting a small tmpfs takes root";
  EXPECT_EQ(status, 0);
}

TEST_F(Csv, TruncatedLastLineIsDroppedAndCounted) {
  const std::string path = written({sample_row(), sample_row()});
  const std::string text = read_text(path);
  const std::size_t second = text.find('\n', text.find('\n') + 1) + 1;
  for (std::size_t size = second + 1; size < text.size(); size += 7) {
    write_text(path, text.substr(0, size));
    const CsvFile read = read_csv(path);
    EXPECT_EQ(read.rows.size(), 1U);
    EXPECT_EQ(read.dropped_lines, 1U);
  }
}

/// A line of a file from before there was the column. Nothing in it may be quoted from there on.
std::string before(std::string_view column, std::string line) {
  const auto at = std::ranges::find(kColumns, column, &Column::name);
  for (auto last = kColumns.end(); last != at; --last) line.resize(line.rfind(','));
  return line;
}

TEST_F(Csv, OlderFileWithoutTheLastColumnsIsRead) {
  const std::string header = csv_header().substr(0, csv_header().find(",promises"));
  const std::string line = csv_line(sample_row());
  write_text(file(), header + "\n" + before("promises", line) + "\n");
  EXPECT_EQ(read_csv(file()).rows, std::vector<Row>{sample_row()});
}

/// As it was written before there were `served_share` and `remark`.
std::string line_of_old_file(const std::string& status, const std::string& reason) {
  Row row = sample_row();
  row.status = status;
  row.reason = reason;
  return before("served_share", csv_line(row)) + "\n";
}

TEST_F(Csv, OlderFileSaysInItsReasonsWhatIsNowAShareAndARemark) {
  write_text(file(), csv_header().substr(0, csv_header().find(",served_share")) + "\n" +
                         line_of_old_file("ok", "saturated: 52.3 % of the offered load served; left out: x") +
                         line_of_old_file("ok", "left out: x") + line_of_old_file("hang", "worker 0 waits") +
                         line_of_old_file("ok", "saturated: 99.0 % of the offered load served") +
                         line_of_old_file("ok", "saturated") + line_of_old_file("ok", ""));
  const std::vector<Row> rows = read_csv(file()).rows;
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_DOUBLE_EQ(rows[0].served_share.value(), 0.523);
  EXPECT_EQ(rows[0].remark, "saturated: 52.3 % of the offered load served; left out: x");
  EXPECT_EQ(rows[0].reason, "");
  EXPECT_EQ(rows[1].served_share, std::nullopt);
  EXPECT_EQ(rows[1].remark, "left out: x");
  EXPECT_EQ(rows[2].reason, "worker 0 waits") << "that is why it is not ok";
  EXPECT_EQ(rows[2].remark, "");
  for (const std::size_t i : {0, 3, 4}) EXPECT_EQ(cost_exclusion(rows[i]), "saturated") << i;
  EXPECT_EQ(cost_exclusion(rows[5]), "");
}

TEST_F(Csv, WordsDecideNothingWhereTheShareIsKnown) {
  Row row = sample_row();
  row.status = "ok";
  row.served_share = 1;
  row.reason = row.remark = "not saturated";
  EXPECT_EQ(cost_exclusion(read_csv(written({row})).rows[0]), "");
}

TEST_F(Csv, NewerFileWithFurtherColumnsIsRead) {
  write_text(file(), csv_header() + ",later\n" + csv_line(sample_row()) + ",whatever\n");
  EXPECT_EQ(read_csv(file()).rows, std::vector<Row>{sample_row()});
}

TEST_F(Csv, WindowsLineEndsAndByteOrderMarkAreRead) {
  write_text(file(), "\xEF\xBB\xBF" + csv_header() + "\r\n" + csv_line(sample_row()) + "\r\n");
  EXPECT_EQ(read_csv(file()).rows, std::vector<Row>{sample_row()});
}

struct Malformed {
  std::string name;
  std::string text;
  std::string message;
};

class MalformedCsv : public Csv, public testing::WithParamInterface<Malformed> {};

TEST_P(MalformedCsv, IsRefusedWithFileAndLine) {
  write_text(file(), GetParam().text);
  EXPECT_THAT(error_of([&] { read_csv(file()); }), HasSubstr(file() + GetParam().message));
}

std::string sample_with(std::string_view from, std::string_view to) {
  std::string line = csv_line(sample_row());
  line.replace(line.find(from), from.size(), to);
  return csv_header() + "\n" + csv_line(sample_row()) + "\n" + line + "\n";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, MalformedCsv,
    testing::Values(
        Malformed{"Empty", "", ": no header line"}, Malformed{"HalfAHeader", "schema,run_id", ": no header"},
        Malformed{"AnotherTable", "name,age\nx,1\n", ":1: column 1 is \"name\""},
        Malformed{"SwappedColumns", "schema,git_commit,run_id\n", ":1: column 2"},
        Malformed{"NewerSchema", sample_with("1,", "2,"), ":3: schema \"2\""},
        Malformed{"NoSchema", sample_with("1,", ","), ":3: schema \"\""},
        Malformed{"SchemaLikeOurs", sample_with("1,", "10,"), ":3: schema \"10\""},
        Malformed{"WordForNumber", sample_with("1520", "fast"), ":3: lat_p50_ns is \"fast\", not a whole"},
        Malformed{"NoProtocol", sample_with("iolock_mmaplock", ""), ":3: protocol is \"\", not a name"},
        Malformed{"NegativeNumber", sample_with("1520", "-1"), ":3: lat_p50_ns"},
        Malformed{"HugeNumber", sample_with("1520", "99999999999999999999"), ":3: lat_p50_ns"},
        Malformed{"NanRate", sample_with("2000.5", "nan"), ":3: offered_per_s"},
        Malformed{"WordForFlag", sample_with(",1,0,", ",yes,0,"), ":3: oracle is \"yes\", not 0 or 1"},
        Malformed{"MissingColumn", sample_with(",1520", ""), ":3: has fewer columns"},
        Malformed{"FurtherColumn", sample_with(",1520", ",1,1520"), ":3: has more columns"},
        Malformed{"QuotedLineEnd", sample_with("1520", "\"15\n20\""), ":3: a quoted field"},
        Malformed{"NulByte", sample_with("1520", std::string(1, '\0')), ":3: a NUL byte"},
        Malformed{"CarriageReturn", sample_with("1520", "15\r20"), ":3: a carriage return within"}),
    [](const auto& one) { return one.param.name; });

TEST_F(Csv, MissingFileIsOneClearLine) {
  EXPECT_THAT(error_of([&] { read_csv(file("none.csv")); }),
              EndsWith("none.csv: cannot be read: No such file or directory"));
  EXPECT_THAT(error_of([&] { read_csv(directory_); }), HasSubstr("Is a directory"));
}

TEST_F(Csv, FileOfManyBlocksIsReadInOrder) {
  constexpr std::uint64_t kRows = 12'000;
  std::string text = csv_header() + "\n";
  for (std::uint64_t i = 0; i < kRows; ++i) {
    Row row = sample_row();
    row.seed = i;
    row.reason = std::string(3000, 'A');
    text += csv_line(row) + "\n";
  }
  ASSERT_GT(text.size(), std::size_t{32} << 20);  // more than two blocks of the reader
  write_text(file(), text);
  const CsvFile read = read_csv(file());
  ASSERT_EQ(read.rows.size(), kRows);
  for (std::uint64_t i = 0; i < kRows; ++i) ASSERT_EQ(read.rows[i].seed, i);
}

TEST_F(Csv, DocumentationNamesEveryColumnAndTheKey) {
  std::ostringstream doc;
  write_header_doc(doc);
  const std::string text = doc.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<std::ptrdiff_t>(kColumns.size()) + 2);
  EXPECT_THAT(text, HasSubstr("| `protocol` | key | "));
  EXPECT_THAT(text, HasSubstr("| `lat_p50_ns` |  | "));
}

}  // namespace
}  // namespace daxrace
