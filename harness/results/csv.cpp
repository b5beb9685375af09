#include "harness/results/csv.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#define CSV_IO_NO_THREAD
#include <libfccp/csv.h>
#pragma GCC diagnostic pop

#include "harness/base/error.hpp"
#include "harness/base/split.hpp"
#include "harness/base/text.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/results/listed_protocols.hpp"
#include "harness/results/row_check.hpp"

namespace daxrace {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

std::string text_of(const Row::Text& value) { return value; }
std::string text_of(const Row::Count& value) { return value ? fmt::format("{}", *value) : ""; }
std::string text_of(const Row::Real& value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : "";
}
std::string text_of(const Row::Flag& value) { return value ? (*value ? "1" : "0") : ""; }

template <class Number>
bool parse_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_into(std::string_view text, Row::Text& value) {
  value = text;
  return true;
}

bool parse_into(std::string_view text, Row::Count& value) {
  value.reset();
  if (text.empty()) return true;
  std::uint64_t number = 0;
  if (!parse_number(text, number)) return false;
  value = number;
  return true;
}

bool parse_into(std::string_view text, Row::Real& value) {
  value.reset();
  if (text.empty()) return true;
  double number = 0;
  if (!parse_number(text, number) || !std::isfinite(number)) return false;
  value = number;
  return true;
}

bool parse_into(std::string_view text, Row::Flag& value) {
  value.reset();
  if (text.empty()) return true;
  if (text != "0" && text != "1") return false;
  value = text == "1";
  return true;
}

std::string_view kind_of(const Column& column) {
  constexpr std::array<std::string_view, 4> kKinds = {"text", "a whole number", "a number", "0 or 1"};
  return kKinds[column.member.index()];
}

class ReadOnlyFile {
 public:
  explicit ReadOnlyFile(const std::string& path)
      : path_(path), fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {
    if (fd_ < 0) throw Error(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  ~ReadOnlyFile() { close(fd_); }
  ReadOnlyFile(const ReadOnlyFile&) = delete;
  ReadOnlyFile& operator=(const ReadOnlyFile&) = delete;

  /// Fewer than `size` bytes only at the end.
  std::size_t read(char* block, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got = ::read(fd_, block + done, size - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(fmt::format("{}: cannot be read: {}", path_, std::strerror(errno)));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  std::string path_;
  int fd_;
};

std::string read_all(const std::string& path) {
  const ReadOnlyFile file(path);
  std::string text;
  std::array<char, 1 << 16> block;
  while (const std::size_t got = file.read(block.data(), block.size())) text.append(block.data(), got);
  return text;
}

/// Cuts a last line without its line end off; true if there was one.
bool drop_partial_line(std::string& text) {
  const std::size_t end = text.rfind('\n');
  const std::size_t whole = end == std::string::npos ? 0 : end + 1;
  if (whole == text.size()) return false;
  text.resize(whole);
  return true;
}

/// The header's columns must be ours in our order: fewer (an older file) or more (a newer one).
std::size_t check_header(const std::string& path, std::string line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.ends_with('\r')) line.pop_back();
  const std::vector<std::string_view> names = split_at(',', line);
  for (std::size_t i = 0; i < std::min(names.size(), kColumns.size()); ++i) {
    if (names[i] != kColumns[i].name)
      throw Error(fmt::format("{}:1: column {} is \"{}\", not \"{}\": not a result file of daxrace", path,
                              i + 1, names[i].substr(0, 40), kColumns[i].name));
  }
  return names.size();
}

void check_schema(const std::string& path, unsigned line, std::string_view schema) {
  if (schema.substr(0, schema.find('.')) == kCsvSchema) return;
  throw Error(fmt::format("{}:{}: schema \"{}\" is unknown to this daxrace, which reads schema {}", path,
                          line, schema.substr(0, 40), kCsvSchema));
}

using Fields = std::array<const char*, kColumns.size()>;
constexpr std::size_t kServedShare = [] {
  std::size_t i = 0;
  while (kColumns[i].name != "served_share") ++i;
  return i;
}();

/// Files older than `served_share` have remarks as reasons of rows that are ok, and say there what was
/// saturated.
void read_old_remark(Row& row) {
  constexpr std::string_view kSaturated = "saturated";
  row.served_share.reset();
  row.remark.clear();
  if (row.status != "ok") return;
  row.remark.swap(row.reason);
  const std::size_t at = row.remark.find(kSaturated);
  if (at == std::string::npos) return;
  // What was rounded to 99.0 % was less.
  row.served_share = std::nextafter(kLeastServedShare, 0);
  double percent = 0;
  const char* const number = row.remark.data() + std::min(at + kSaturated.size() + 2, row.remark.size());
  if (std::from_chars(number, row.remark.data() + row.remark.size(), percent).ec == std::errc())
    row.served_share = std::clamp(percent / 100, 0.0, *row.served_share);
}

/// Fills `row` from one line; a row that is used again keeps the memory of its texts.
void fill_row(Row& row, const std::string& path, unsigned line, const Fields& fields) {
  check_schema(path, line, fields[0] != nullptr ? fields[0] : "");
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (fields[i] == nullptr) continue;  // an older file without this column
    const bool parsed =
        std::visit([&](auto member) { return parse_into(fields[i], row.*member); }, kColumns[i].member);
    if (parsed) continue;
    throw Error(fmt::format("{}:{}: {} is \"{}\", not {}", path, line, kColumns[i].name,
                            std::string_view(fields[i]).substr(0, 40), kind_of(kColumns[i])));
  }
  if (fields[kServedShare] == nullptr) read_old_remark(row);
  if (const auto complaint = unsound(row)) throw Error(fmt::format("{}:{}: {}", path, line, *complaint));
}

/// Longer than any row can be; fast-cpp-csv-parser takes lines of up to 16 MiB.
constexpr std::size_t kLongestLine = (std::size_t{1} << 24) - 1;

/// Hands out the whole lines of a file, block by block, and keeps back what follows the last line end: the
/// half line of a killed run. Refuses what no result file holds before anybody parses it.
class WholeLines {
 public:
  using Pull = std::function<std::size_t(char* block, std::size_t size)>;  ///< 0 at the end

  WholeLines(std::string name, Pull pull) : name_(std::move(name)), pull_(std::move(pull)) {}

  /// Without taking it. Throws Error if there is none.
  std::string first_line() {
    if (next_ == whole_ && !refill())
      throw Error(fmt::format("{}: no header line: not a result file of daxrace", name_));
    return data_.substr(next_, data_.find('\n', next_) - next_);
  }

  std::size_t read(char* buffer, std::size_t wanted) {
    std::size_t given = 0;
    while (given < wanted && (next_ < whole_ || refill())) {
      const std::size_t part = std::min(wanted - given, whole_ - next_);
      std::memcpy(buffer + given, data_.data() + next_, part);
      next_ += part;
      given += part;
    }
    return given;
  }

  /// At the end: whether half a line was kept back.
  bool dropped_partial_line() const { return whole_ < data_.size(); }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 20;

  bool refill() {
    lines_ += std::count(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(whole_), '\n');
    data_.erase(0, whole_);
    next_ = whole_ = 0;
    while (whole_ == 0) {
      const std::size_t before = data_.size();
      if (before > kLongestLine)
        throw Error(fmt::format("{}:{}: a line of more than 16 MiB: not a result file of daxrace", name_,
                                lines_ + 1));
      data_.resize(before + kBlock);
      const std::size_t got = pull_(data_.data() + before, kBlock);
      data_.resize(before + got);
      if (got == 0) return false;
      const std::size_t end = data_.rfind('\n');
      whole_ = end == std::string::npos ? 0 : end + 1;
    }
    refuse_damage();
    return true;
  }

  /// No writer of ours puts NUL into a file, or CR anywhere but before LF.
  void refuse_damage() const {
    if (const std::size_t nul = data_.find('\0'); nul < whole_) refuse_at(nul, "a NUL byte");
    for (std::size_t cr = data_.find('\r'); cr < whole_; cr = data_.find('\r', cr + 1))
      if (data_[cr + 1] != '\n') refuse_at(cr, "a carriage return within the line");
  }

  [[noreturn]] void refuse_at(std::size_t place, std::string_view what) const {
    const auto line =
        lines_ + 1 + std::count(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(place), '\n');
    throw Error(fmt::format("{}:{}: {}: not a result file of daxrace, or a damaged one", name_, line, what));
  }

  std::string name_;
  Pull pull_;
  std::string data_;
  std::size_t next_ = 0;      ///< what was handed out ends here
  std::size_t whole_ = 0;     ///< the last line end in data_
  std::ptrdiff_t lines_ = 0;  ///< before data_
};

/// The parser wants to own its source, and drops it when it likes.
class Source : public io::ByteSourceBase {
 public:
  explicit Source(WholeLines& lines) : lines_(lines) {}
  int read(char* buffer, int size) override {
    return static_cast<int>(lines_.read(buffer, static_cast<std::size_t>(size)));
  }

 private:
  WholeLines& lines_;
};

using Reader = io::CSVReader<kColumns.size(), io::trim_chars<' ', '\t'>, io::double_quote_escape<',', '"'>>;

template <std::size_t... I>
void read_header_line(Reader& reader, std::index_sequence<I...>) {
  reader.read_header(io::ignore_missing_column | io::ignore_extra_column, std::string(kColumns[I].name)...);
}

template <std::size_t... I>
bool read_fields(Reader& reader, Fields& fields, std::index_sequence<I...>) {
  fields.fill(nullptr);
  return reader.read_row(fields[I]...);
}

/// Rows whose protocol is one that the report beside the file lists go on to `use`.
RowSink only_listed(const std::string& path, const RowSink& use) {
  return [path, use, listed = ListedProtocols(path)](const Row& row, std::size_t line) {
    if (const auto complaint = listed.complaint_of(row))
      throw Error(fmt::format("{}:{}: {}", path, line, *complaint));
    use(row, line);
  };
}

void read_rows(const std::string& path, Reader& reader, const RowSink& use) {
  constexpr auto kIndices = std::make_index_sequence<kColumns.size()>();
  Row row;
  const auto malformed = [&](std::string_view what) {
    return Error(fmt::format("{}:{}: {}", path, reader.get_file_line(), what));
  };
  try {
    read_header_line(reader, kIndices);
    for (Fields fields; read_fields(reader, fields, kIndices);) {
      fill_row(row, path, reader.get_file_line(), fields);
      use(row, reader.get_file_line());
    }
  } catch (const io::error::too_few_columns&) {
    throw malformed("has fewer columns than the header");
  } catch (const io::error::too_many_columns&) {
    throw malformed("has more columns than the header");
  } catch (const io::error::escaped_string_not_closed&) {
    throw malformed("a quoted field does not end on its line");
  } catch (const io::error::line_length_limit_exceeded&) {
    throw malformed("a line of more than 16 MiB: not a result file of daxrace");
  } catch (const io::error::base& error) {
    throw malformed(error.what());
  }
}

/// Returns the number of dropped lines.
std::size_t scan_lines(const std::string& path, WholeLines::Pull pull, const RowSink& use) {
  WholeLines lines(path, std::move(pull));
  check_header(path, lines.first_line());
  Reader reader(path, std::make_unique<Source>(lines));
  read_rows(path, reader, use);
  return lines.dropped_partial_line() ? 1 : 0;
}

/// A file size limit (ulimit -f) must come back from write(2) as an error; it must not kill a run in its
/// middle.
void survive_file_size_limit() {
  struct sigaction action {};
  if (sigaction(SIGXFSZ, nullptr, &action) == 0 && action.sa_handler == SIG_DFL)
    std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace

std::string csv_header() {
  std::string line;
  for (const Column& column : kColumns) {
    if (!line.empty()) line += ',';
    line += column.name;
  }
  return line;
}

std::string field_text(const Row& row, const Column& column) {
  return std::visit([&](auto member) { return text_of(row.*member); }, column.member);
}

std::string csv_line(const Row& row) {
  std::string line;
  for (const Column& column : kColumns) {
    if (&column != kColumns.data()) line += ',';
    line += csv_text(field_text(row, column));
  }
  return line;
}

const Column& column_named(std::string_view name) {
  const auto* const column =
      std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& c) { return c.name == name; });
  if (column == kColumns.end()) throw Error(fmt::format("no result column is named \"{}\"", name));
  return *column;
}

std::string key_of(const Row& row, std::initializer_list<std::string_view> except) {
  std::string key;
  for (const Column& column : kColumns) {
    if (!column.is_key || std::find(except.begin(), except.end(), column.name) != except.end()) continue;
    key += csv_text(field_text(row, column));
    key += ',';
  }
  if (!key.empty()) key.pop_back();
  return key;
}

CsvWriter::CsvWriter(std::string path, OpenMode mode, std::string_view host) : path_(std::move(path)) {
  survive_file_size_limit();
  try {
    open_and_lock();
    check_existing(mode, host);
  } catch (...) {
    if (fd_ >= 0) close(fd_);
    throw;
  }
}

CsvWriter::~CsvWriter() {
  if (created_ && rows_ == 0) unlink(path_.c_str());
  close(fd_);
}

void CsvWriter::open_and_lock() {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  fd_ = open(path_.c_str(), kFlags | O_CREAT | O_EXCL, 0666);
  created_ = fd_ >= 0;
  if (fd_ < 0 && errno == EEXIST) fd_ = open(path_.c_str(), kFlags);
  if (fd_ < 0) throw Error(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  struct stat facts {};
  if (fstat(fd_, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    throw Error(fmt::format("{}: is not a regular file: results need one", path_));
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      throw Error(fmt::format("{}: cannot be locked: {}", path_, std::strerror(errno)));
    throw Error(
        fmt::format("{}: another daxrace is writing to it: wait for it, or choose another --out", path_));
  }
}

void CsvWriter::check_existing(OpenMode mode, std::string_view host) {
  struct stat facts {};
  fstat(fd_, &facts);
  if (facts.st_nlink == 0)
    throw Error(fmt::format("{}: was removed while it was being opened: try again", path_));
  if (facts.st_size == 0) return;
  if (mode == OpenMode::create_new) throw Error(fmt::format("{}: exists: use --append or --force", path_));
  if (mode == OpenMode::replace) {
    refuse_foreign_file();
    empty_first_ = true;
    return;
  }
  std::string text = read_all(path_);
  cut_partial_line_ = drop_partial_line(text);
  if (text.empty())
    throw Error(fmt::format(
        "{}: its header line is not whole: nothing in it was finished; start anew with --force", path_));
  const auto whole = static_cast<off_t>(text.size());
  if (check_header(path_, text.substr(0, text.find('\n'))) != kColumns.size()) {
    throw Error(fmt::format("{}: its columns are those of another version: choose another --out", path_));
  }
  const auto check_host = [&](const Row& row, std::size_t) {
    if (row.host == host) return;
    throw Error(fmt::format("{}: holds results of host \"{}\", this is \"{}\": choose another --out", path_,
                            row.host, host));
  };
  scan_csv_text(path_, text, only_listed(path_, check_host));
  needs_header_ = false;
  if (cut_partial_line_ && ftruncate(fd_, whole) != 0) {
    throw Error(
        fmt::format("{}: cannot be truncated to its last whole line: {}", path_, std::strerror(errno)));
  }
}

// --force is about results; a slip of the pen in --out must not cost somebody a thesis.
void CsvWriter::refuse_foreign_file() const {
  const std::string_view start = "schema,run_id,";
  std::string found(start.size(), '\0');
  const ssize_t got = pread(fd_, found.data(), found.size(), 0);
  if (got == static_cast<ssize_t>(start.size()) && found == start) return;
  throw Error(fmt::format(
      "{}: is not a result file of daxrace and will not be replaced: choose another --out", path_));
}

void CsvWriter::undo_and_throw(std::int64_t size, const std::string& why) {
  const bool undone = ftruncate(fd_, size) == 0;
  throw Error(fmt::format("{}: {}; the {} rows before it are kept{}", path_, why, rows_,
                          undone ? "" : ", half a row follows them"));
}

void CsvWriter::write(const Row& row) {
  if (empty_first_ && ftruncate(fd_, 0) != 0) {
    throw Error(fmt::format("{}: cannot be emptied: {}", path_, std::strerror(errno)));
  }
  empty_first_ = false;
  const std::string text = (needs_header_ ? csv_header() + '\n' : std::string()) + csv_line(row) + '\n';
  struct stat before {};
  if (fstat(fd_, &before) != 0) throw Error(fmt::format("{}: {}", path_, std::strerror(errno)));
  ssize_t written = -1;
  do written = ::write(fd_, text.data(), text.size());
  while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(text.size())) {
    const bool full = written >= 0 || errno == ENOSPC;
    undo_and_throw(before.st_size, full ? "disk full, a row could not be written" : std::strerror(errno));
  }
  needs_header_ = false;
  ++rows_;
}

std::size_t scan_csv(const std::string& path, const RowSink& use) {
  const ReadOnlyFile file(path);
  return scan_lines(
      path, [&](char* block, std::size_t size) { return file.read(block, size); }, only_listed(path, use));
}

std::size_t scan_csv_text(const std::string& name, std::string_view text, const RowSink& use) {
  const auto pull = [rest = text](char* block, std::size_t size) mutable {
    const std::size_t part = rest.copy(block, size);
    rest.remove_prefix(part);
    return part;
  };
  return scan_lines(name, pull, use);
}

CsvFile read_csv(const std::string& path) {
  CsvFile out;
  out.dropped_lines = scan_csv(path, [&](const Row& row, std::size_t) { out.rows.push_back(row); });
  return out;
}

void write_header_doc(std::ostream& out) {
  out << "| column | key | meaning |\n| --- | --- | --- |\n";
  for (const Column& column : kColumns) {
    out << fmt::format("| `{}` | {} | {} |\n", column.name, column.is_key ? "key" : "", column.meaning);
  }
}

}  // namespace daxrace
