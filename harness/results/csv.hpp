#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace daxrace {

/// The schema's major number. Columns are only ever added at the end; anything else is a new major.
inline constexpr std::string_view kCsvSchema = "1";
/// The value of the column `path` in the row that stands for a whole episode.
inline constexpr std::string_view kAllPaths = "all";

/// One line of a result file: an episode (`path` = `all`: verdict, detectors, status, reason) or one path of
/// it (its latencies). An empty string or optional is an absent value, and an empty field in the file.
struct Row {
  using Text = std::string;
  using Count = std::optional<std::uint64_t>;
  using Real = std::optional<double>;
  using Flag = std::optional<bool>;

  Text schema{kCsvSchema};
  Text run_id, git_commit, time_utc, host, cpu, kernel, emulated;
  Text target, backing, device, fs, mount_options, granularity;
  Count frame_bytes, entry_bytes, pmem_node;
  Text placement, cpus, mem_nodes;
  Flag overcommitted;
  Text protocol, refcount_regime, lock, workload, load;
  Real offered_per_s;
  Count threads;
  Flag oracle, perturb;
  Text discard;
  Count file_pages, queue_depth, seed;
  Text path;
  Count repetition, ops, duration_ns;
  Real ops_per_s;
  Count lat_min_ns, lat_p50_ns, lat_p90_ns, lat_p99_ns, lat_p999_ns, lat_max_ns;
  Count resp_p50_ns, resp_p99_ns, resp_max_ns;
  Count lock_wait_sum_ns, break_wait_sum_ns, dio_wait_sum_ns, lease_wait_sum_ns, shootdown_sum_ns, zap_sum_ns;
  Count wait_p99_ns, wait_max_ns, faults_real, retries;
  Count freed_busy, stale_access, corruption, misplaced, stale_data, unflushed, leak, hang;
  Text promises, violated, verdict, status, reason, lat_hist;
  Real served_share;
  Text remark, resp_hist;

  friend bool operator==(const Row&, const Row&) = default;
};

/// A column: everything that header line, writer, reader, key and documentation need to know of it.
struct Column {
  using Member = std::variant<Row::Text Row::*, Row::Count Row::*, Row::Real Row::*, Row::Flag Row::*>;

  std::string_view name;
  bool is_key;
  Member member;  ///< its type is the column's kind: text, unsigned number, real number, or 0/1
  std::string_view meaning;
};

/// The table of columns, in file order.
inline constexpr auto kColumns = std::to_array<Column>({
    {"schema", false, &Row::schema, "version of this table; columns are only ever added at its end"},
    {"run_id", false, &Row::run_id, "one per invocation; names the run in the .run.json beside the CSV"},
    {"git_commit", false, &Row::git_commit, "commit of daxrace; -dirty if the tree had uncommitted changes"},
    {"time_utc", false, &Row::time_utc, "when the run started"},
    {"host", false, &Row::host, "host name"},
    {"cpu", false, &Row::cpu, "CPU model"},
    {"kernel", false, &Row::kernel, "uname -r"},
    {"emulated", false, &Row::emulated,
     "empty on real hardware; else tcg, kvm or vm, and +memmap for pmem made of DRAM"},
    {"target", true, &Row::target, "engine or kernel"},
    {"backing", true, &Row::backing, "memory, file, fsdax or devdax"},
    {"device", false, &Row::device, "block or dax device under the backing"},
    {"fs", true, &Row::fs, "file system under the backing"},
    {"mount_options", false, &Row::mount_options, "of that file system"},
    {"granularity", true, &Row::granularity, "byte, cache_line or page, as libpmem2 says"},
    {"frame_bytes", true, &Row::frame_bytes, "size of a frame"},
    {"entry_bytes", false, &Row::entry_bytes, "size that one translation covers"},
    {"pmem_node", false, &Row::pmem_node, "NUMA node of the region's pages, read back; empty if unknown"},
    {"placement", true, &Row::placement, "local, remote, interleave or none, relative to pmem_node"},
    {"cpus", false, &Row::cpus, "CPUs of the workers, read back"},
    {"mem_nodes", false, &Row::mem_nodes, "NUMA nodes of the workers' buffers, read back"},
    {"overcommitted", false, &Row::overcommitted, "1: more workers than CPUs; kept out of cost tables"},
    {"protocol", true, &Row::protocol, "lock protocol of the layout changes"},
    {"refcount_regime", true, &Row::refcount_regime,
     "ref1: a page is idle at 1; ref0: at 0, mappings hold references"},
    {"lock", true, &Row::lock, "implementation of IOLOCK and MMAPLOCK"},
    {"workload", true, &Row::workload, "preset"},
    {"load", true, &Row::load, "paced: fixed offered load; closed: as fast as it goes, no latency ratios"},
    {"offered_per_s", true, &Row::offered_per_s, "intended starts per second of the whole mix"},
    {"threads", true, &Row::threads, "workers"},
    {"oracle", true, &Row::oracle, "1: every access was checked"},
    {"perturb", true, &Row::perturb, "1: seeded delays between the steps; latencies mean nothing then"},
    {"discard", true, &Row::discard, "what happens to a freed frame's storage: zap or punch"},
    {"file_pages", true, &Row::file_pages, "pages of the file under test"},
    {"queue_depth", true, &Row::queue_depth, "I/O in flight per worker"},
    {"seed", false, &Row::seed, "of schedules and choices"},
    {"path", true, &Row::path, "all: the episode; else the operation by its outcome"},
    {"repetition", false, &Row::repetition,
     "block of the interleaved run, in which every configuration runs once"},
    {"ops", false, &Row::ops, "operations; in a row `all` the effective ones"},
    {"duration_ns", false, &Row::duration_ns, "of the measured part"},
    {"ops_per_s", false, &Row::ops_per_s, "ops over duration"},
    {"lat_min_ns", false, &Row::lat_min_ns, "service time (start to end), smallest"},
    {"lat_p50_ns", false, &Row::lat_p50_ns,
     "service time, median; quantiles with fewer than 10 samples beyond are empty"},
    {"lat_p90_ns", false, &Row::lat_p90_ns, "service time, 90 %"},
    {"lat_p99_ns", false, &Row::lat_p99_ns, "service time, 99 %"},
    {"lat_p999_ns", false, &Row::lat_p999_ns, "service time, 99.9 %"},
    {"lat_max_ns", false, &Row::lat_max_ns, "service time, longest"},
    {"resp_p50_ns", false, &Row::resp_p50_ns,
     "response time (intended start to end), median; empty under closed load"},
    {"resp_p99_ns", false, &Row::resp_p99_ns, "response time, 99 %"},
    {"resp_max_ns", false, &Row::resp_max_ns, "response time, longest"},
    {"lock_wait_sum_ns", false, &Row::lock_wait_sum_ns,
     "time spent waiting for locks, all operations together"},
    {"break_wait_sum_ns", false, &Row::break_wait_sum_ns, "waiting for busy pages"},
    {"dio_wait_sum_ns", false, &Row::dio_wait_sum_ns, "waiting for direct I/O in flight"},
    {"lease_wait_sum_ns", false, &Row::lease_wait_sum_ns, "waiting for recalled layout leases"},
    {"shootdown_sum_ns", false, &Row::shootdown_sum_ns, "waiting for accesses through removed translations"},
    {"zap_sum_ns", false, &Row::zap_sum_ns, "removing real translations (madvise)"},
    {"wait_p99_ns", false, &Row::wait_p99_ns,
     "lock, break, dio and lease waits of an operation together, 99 %"},
    {"wait_max_ns", false, &Row::wait_max_ns, "the same, longest"},
    {"faults_real", false, &Row::faults_real, "page faults that the kernel counted for the workers"},
    {"retries", false, &Row::retries, "times that an operation started over"},
    {"freed_busy", false, &Row::freed_busy, "blocks freed while their page was in use"},
    {"stale_access", false, &Row::stale_access, "accesses to a frame that was freed under them"},
    {"corruption", false, &Row::corruption, "another file's data read back"},
    {"misplaced", false, &Row::misplaced, "the right file's data at the wrong offset"},
    {"stale_data", false, &Row::stale_data, "data older than a punch, or zero after a finished write"},
    {"unflushed", false, &Row::unflushed, "stored pages that an fsync missed"},
    {"leak", false, &Row::leak, "counts not idle, leases or frames missing at the end"},
    {"hang", false, &Row::hang, "operations that outlived their bound"},
    {"promises", false, &Row::promises, "hazards that the protocol claims to stop, as H1+H4"},
    {"violated", false, &Row::violated, "hazards seen"},
    {"verdict", false, &Row::verdict, "kept, broken, finding, expected, unseen or none"},
    {"status", false, &Row::status, "ok, hang, starved, inconclusive, skipped or error"},
    {"reason", false, &Row::reason, "why the status is not ok"},
    {"lat_hist", false, &Row::lat_hist, "service times as a log-linear histogram, to merge repetitions"},
    {"served_share", false, &Row::served_share,
     "part of the offered load that was begun in the measured time, 0 to 1; below 0.99 the episode is "
     "saturated; empty under closed load"},
    {"remark", false, &Row::remark, "whatever else is worth knowing, such as what had to be left out"},
    {"resp_hist", false, &Row::resp_hist, "response times, as lat_hist; empty under closed load"},
});

/// The header line, without a line end.
std::string csv_header();
/// One row as a line, without a line end. CR and LF in a field become the two characters \r and \n, NUL is
/// dropped; a real number that is not finite is absent.
std::string csv_line(const Row& row);
/// One column of a row as its field text, before quoting.
std::string field_text(const Row& row, const Column& column);
/// The column of that name; throws Error if there is none.
const Column& column_named(std::string_view name);

/// What identifies a configuration and path across runs: the key columns, without those named in `except`
/// (`key_of(row, {"path", "protocol"})`: what the rows of one comparison share).
std::string key_of(const Row& row, std::initializer_list<std::string_view> except = {});

/// What becomes of an existing result file.
enum class OpenMode : std::uint8_t {
  create_new,  ///< refused if it exists (an empty file does not count)
  append,      ///< rows are added; schema, columns and host must be the same
  replace      ///< --force: a result file is emptied when the first row is written, not before
};

/// Writes rows to a file that nobody else writes to meanwhile.
/// Each row is one write(2) to an O_APPEND file; the header goes out with the first row. A file that was
/// created and got no row is removed again.
class CsvWriter {
 public:
  /// Throws Error: the file exists, is not a regular one, is of another host or schema, or is being written
  /// to.
  CsvWriter(std::string path, OpenMode mode, std::string_view host);
  ~CsvWriter();
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  /// Throws Error if the row could not be written whole (disk full); the file then ends with the row before
  /// it.
  void write(const Row& row);
  const std::string& path() const { return path_; }
  /// Rows written by this writer.
  std::size_t rows() const { return rows_; }
  /// append: whether half a last line, left by a killed run, was cut off.
  bool cut_partial_line() const { return cut_partial_line_; }

 private:
  void open_and_lock();
  void check_existing(OpenMode mode, std::string_view host);
  void refuse_foreign_file() const;
  [[noreturn]] void undo_and_throw(std::int64_t size, const std::string& why);

  std::string path_;
  int fd_ = -1;
  bool created_ = false;
  bool needs_header_ = true;
  bool empty_first_ = false;
  bool cut_partial_line_ = false;
  std::size_t rows_ = 0;
};

/// What a result file holds.
struct CsvFile {
  std::vector<Row> rows;
  /// Lines dropped because the file ends in the middle of them (a killed run): 0 or 1. Say so to the user.
  std::size_t dropped_lines = 0;
};

/// Reads a result file. Files of the same major schema with fewer columns (older) or more (newer) are read:
/// what is missing is absent, what is unknown is ignored. Throws Error naming file and line for anything
/// malformed, and for another major schema. Where a file is older than `served_share` and `remark`, a row
/// that is ok has its reason as its remark, and its share out of that.
CsvFile read_csv(const std::string& path);

/// Takes the rows of a file one by one; the row is valid during the call only.
using RowSink = std::function<void(const Row& row, std::size_t line)>;
/// The same without keeping the rows, for files of any size. Returns the number of dropped lines.
std::size_t scan_csv(const std::string& path, const RowSink& use);
/// The same for the text of a file; `name` stands in errors.
std::size_t scan_csv_text(const std::string& name, std::string_view text, const RowSink& use);

/// The table of columns as markdown, for the README of results.
void write_header_doc(std::ostream& out);

}  // namespace daxrace
