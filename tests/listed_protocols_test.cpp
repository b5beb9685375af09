#include "harness/results/listed_protocols.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

using testing::EndsWith;
using testing::StartsWith;

class ListedProtocolsOf : public testing::Test {
 protected:
  ListedProtocolsOf()
      : directory_(testing::TempDir() + "daxrace-listed-" + std::to_string(getpid())),
        csv_(directory_ + "/x.csv") {
    std::filesystem::create_directories(directory_);
  }
  ~ListedProtocolsOf() override { std::filesystem::remove_all(directory_); }

  void report(const std::string& runs) const {
    std::ofstream(directory_ + "/x.run.json") << R"({"schema": 1, "runs": [)" << runs << "]}";
  }
  static Row row(const std::string& run_id, const std::string& protocol) {
    Row row;
    row.run_id = run_id;
    row.host = "pmem1";
    row.protocol = protocol;
    row.path = "punch";
    return row;
  }
  std::string complaint(const std::string& run_id, const std::string& protocol) const {
    return ListedProtocols(csv_).complaint_of(row(run_id, protocol)).value_or("none");
  }
  std::string error_of_reading() const {
    try {
      (void)read_csv(csv_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::string directory_, csv_;
};

TEST_F(ListedProtocolsOf, ARunAreAllThatItsRowsMayHave) {
  report(R"({"run_id": "a", "options": {"protocol": "all"}, "protocols": ["none", "ext4"]},
            {"run_id": "b", "protocols": ["kernel"]})");
  EXPECT_EQ(complaint("a", "none"), "none");
  EXPECT_EQ(complaint("a", "ext4"), "none");
  EXPECT_EQ(complaint("b", "kernel"), "none");
  EXPECT_EQ(complaint("a", "exr4"),
            "protocol is \"exr4\", not one of none, ext4 (" + directory_ + "/x.run.json)");
  EXPECT_NE(complaint("b", "ext4"), "none");
}

/// Reports had no list once; what was asked for is one.
TEST_F(ListedProtocolsOf, AnOldRunAreThoseThatItWasAskedFor) {
  report(R"({"run_id": "a", "options": {"protocol": "none,ext4"}}, {"run_id": "b", "options": {}},
            {"run_id": "c", "options": {"protocol": "all,none"}})");
  EXPECT_EQ(complaint("a", "ext4"), "none");
  EXPECT_NE(complaint("a", "exr4"), "none");
  EXPECT_EQ(complaint("b", "exr4"), "none") << "nothing was asked for by name";
  EXPECT_EQ(complaint("c", "exr4"), "none") << "who knows what all were";
}

TEST_F(ListedProtocolsOf, AnOldRunInPiecesAreNotKnown) {
  report(R"({"run_id": "a", "options": {"protocol": "none"}},
            {"run_id": "b", "options": {"protocol": "ext4", "resume": "x.csv"}})");
  EXPECT_EQ(complaint("a", "ext4"), "none") << "the rows of both may bear the first one's name";
}

TEST_F(ListedProtocolsOf, RunsThatNobodyTellsOfAreNotKnown) {
  EXPECT_EQ(complaint("a", "exr4"), "none");
  report(R"({"run_id": "a", "protocols": ["none"]})");
  EXPECT_EQ(complaint("killed", "exr4"), "none");
  std::ofstream(directory_ + "/x.run.json") << "{damaged";
  EXPECT_EQ(complaint("a", "exr4"), "none");
}

TEST_F(ListedProtocolsOf, AFileHoldForItsReaderAndItsWriter) {
  report(R"({"run_id": "a", "protocols": ["none", "ext4"]})");
  std::ofstream(csv_) << csv_header() << '\n'
                      << csv_line(row("a", "none")) << '\n'
                      << csv_line(row("a", "exr4")) << '\n';
  EXPECT_THAT(error_of_reading(), EndsWith("x.run.json)"));
  EXPECT_THAT(error_of_reading(), StartsWith(csv_ + ":3: protocol is \"exr4\","));
  EXPECT_THROW(CsvWriter(csv_, OpenMode::append, "pmem1"), Error);
}

}  // namespace
}  // namespace daxrace
