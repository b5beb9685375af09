#include "harness/live/run/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/load/pacer.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::uint8_t kFileNumber = 1;
constexpr std::uint8_t kVictimNumber = 2;

off_t offset_of(PageOffset page) { return off_t{page} * static_cast<off_t>(kIoBytes); }

// --- an access beyond the end of the file is a SIGBUS: the truncation was first

thread_local sigjmp_buf* sigbus_return = nullptr;

void on_sigbus(int) {
  if (sigbus_return != nullptr) siglongjmp(*sigbus_return, 1);
  signal(SIGBUS, SIG_DFL);  // not ours: die of it
}

void install_sigbus() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_handler = on_sigbus;
    action.sa_flags = SA_NODEFER;  // no mask to restore, so that sigsetjmp makes no system call
    return sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  static_cast<void>(installed);
}

/// Loads, or stores if `word` is not null. False: beyond the end.
[[gnu::noinline]] bool access_word(std::byte* at, const std::uint64_t* word, std::uint64_t* seen) {
  sigjmp_buf environment;
  if (sigsetjmp(environment, 0) != 0) {
    sigbus_return = nullptr;
    return false;
  }
  sigbus_return = &environment;
  if (word != nullptr) {
    store_word(at, *word);
  } else {
    *seen = load_word(at);
  }
  sigbus_return = nullptr;
  return true;
}

[[noreturn]] void fail(const char* what) { throw Error(fmt::format("{}: {}", what, std::strerror(errno))); }

/// What may stay in flight while the worker goes on.
bool is_direct_io(Op op) {
  return op == Op::gup_read || op == Op::gup_write || op == Op::gup_cold || op == Op::aio_read ||
         op == Op::aio_write;
}

void write_page(int fd, PageOffset page, Stamp stamp) {
  const NodeBuffer buffer(kIoBytes, -1);
  std::memset(buffer.data(), 0, kIoBytes);
  stamp_buffer(buffer.data(), stamp);
  if (pwrite(fd, buffer.data(), kIoBytes, offset_of(page)) != static_cast<ssize_t>(kIoBytes)) fail("write");
}

}  // namespace

// --- sightings

void Sightings::add(Detector detector, Hazard hazard, std::string what) {
  const std::scoped_lock lock(mutex_);
  ++seen_[static_cast<std::size_t>(detector)];
  violated_.add(hazard);
  if (violations_.size() < kKept) violations_.push_back({detector, hazard, std::move(what), {}});
}

void Sightings::move_to(EpisodeResult& result) {
  const std::scoped_lock lock(mutex_);
  result.detected = seen_;
  result.violated = violated_;
  result.violations = std::move(violations_);
}

// --- ground

Ground::Ground(EpisodeConfig episode, std::shared_ptr<const Directory> dir, Peer* the_peer)
    : config(std::move(episode)), directory(std::move(dir)), peer(the_peer) {
  install_sigbus();
  file = directory->create("run-file");
  victim = directory->create("run-victim");
  for (PageOffset page = 0; page < config.file_pages; ++page)
    write_page(file.get(), page, {kFileNumber, Hazard::h2, page, 1});
  if (ftruncate(victim.get(), offset_of(kVictimPages)) != 0) fail("ftruncate");
  if (fsync(file.get()) != 0) fail("fsync");
  if (!directory->facts().dax)
    direct = FileDescriptor(open(directory->path_of("run-file").c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
  const std::size_t bytes = std::size_t{config.file_pages} * kIoBytes;
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) fail("mmap");
  mapping = static_cast<std::byte*>(at);
  madvise(mapping, bytes, MADV_RANDOM);
}

Ground::~Ground() {
  unmap();
  directory->unlink("run-file");
  directory->unlink("run-victim");
}

void Ground::unmap() noexcept {
  if (mapping != nullptr) munmap(mapping, std::size_t{config.file_pages} * kIoBytes);
  mapping = nullptr;
}

std::string why_not(Op op, const FsFacts& facts) {
  switch (op) {
    case Op::lease:
      return "lease: layout leases are the kernel's own, no system call takes one";
    case Op::aio_read:
    case Op::aio_write:
      return facts.dax ? "aio: direct I/O of a DAX file is a synchronous copy, nothing is in flight" : "";
    case Op::zero:
      return facts.zero_range ? "" : fmt::format("zero: no zero range on this {}", facts.fs);
    case Op::collapse:
    case Op::insert:
      return facts.shift
                 ? ""
                 : fmt::format("collapse, insert: {} does not shift the pages of a file here", facts.fs);
    default:
      return "";
  }
}

// --- worker

Worker::Worker(Ground& ground, std::uint32_t id, std::uint32_t workers, Busy& busy, Recorder& recorder)
    : ground_(ground),
      config_(ground.config),
      id_(id),
      mix_(mix_of(config_, id, workers)),
      own_(pages_of(config_, id, workers)),
      written_(pages_to_write(config_, own_)),
      busy_(busy),
      recorder_(recorder),
      random_(config_.seed * 1'000'003 + id + 1),
      buffer_(kIoBytes, node_of_worker(config_, id)),
      shifts_(config_.workload->shifts()) {
  for (std::size_t op = 0; op < left_out_.size(); ++op)
    left_out_[op] = !why_not(static_cast<Op>(op), ground.directory->facts()).empty();
  if (ground.peer == nullptr) return;
  io_.emplace();
  if (config_.queue_depth == 1) return;
  requests_.emplace(*ground.peer, ground.direct.get(), config_.queue_depth);
  request_buffers_ = NodeBuffer(config_.queue_depth * kIoBytes, node_of_worker(config_, id));
}

void Worker::run() {
  constexpr std::size_t kSomeSpans = 1 << 14;
  spans_.tid = gettid();
  if (ground_.wants_spans) spans_.list.reserve(kSomeSpans);
  if (config_.load == Load::paced) {
    run_paced();
  } else {
    run_closed();
  }
  while (requests_ && !requests_->empty()) reap(true);
}

void Worker::run_paced() {
  const double interval = static_cast<double>(Clock::from_ns(1'000'000'000)) / mix_.rate_per_s;
  Pacer<> pacer({ground_.clock, interval, config_.placement.overcommitted, random_, recorder_});
  pacer.run(
      [this] {
        if (requests_) reap(false);
      },
      [this](Clock::Ticks intended, bool measured) { perform(mix_.draw(random_), intended, measured); });
}

void Worker::run_closed() {
  while (!ground_.clock.stop.load(std::memory_order_relaxed)) {
    const Clock::Ticks now = Clock::now();
    if (now >= ground_.clock.end) break;
    perform(mix_.draw(random_), 0, now >= ground_.clock.measure);
  }
}

void Worker::perform(Op op, Clock::Ticks intended, bool measured) {
  if (left_out_[static_cast<std::size_t>(op)]) return;
  if (requests_) reap(false);
  if (requests_ && is_direct_io(op)) return start_request(op, intended, measured);
  busy_.op.store(static_cast<std::uint8_t>(op), std::memory_order_relaxed);
  busy_.since_ns.store(Clock::monotonic_ns(), std::memory_order_release);
  const std::uint64_t faults = thread_page_faults();
  const auto done = make(op);
  const std::uint64_t faulted = thread_page_faults() - faults;
  busy_.since_ns.store(0, std::memory_order_release);
  busy_.done.fetch_add(1, std::memory_order_relaxed);
  if (done && measured)
    count(done->path, done->effective, faulted, {intended, start_, end_}, {start_ns_, end_ns_});
}

/// The path by what the kernel counted: a translation was there, or a fault made it.
void Worker::count(Path path, bool effective, std::uint64_t faults, const Timing& timing, Span span) {
  if (faults > 0 && (path == Path::load || path == Path::store)) path = Path::fault;
  if (faults > 0 && path == Path::gup_fast) path = Path::gup_slow;
  recorder_.effective_ops += effective || path == Path::fault;
  recorder_.record(path, timing, {});
  span.path = path;
  if (ground_.wants_spans) spans_.list.push_back(span);
  recorder_.paths[static_cast<std::size_t>(path)].faults_real += faults;
}

std::optional<Worker::Done> Worker::make(Op op) {
  const PageOffset at = page();
  switch (op) {
    case Op::touch_read:
      return touch(at, false);
    case Op::touch_write:
      return touch(at, true);
    case Op::refault:
      madvise(ground_.at(at), kIoBytes, MADV_DONTNEED);
      return touch(at, true);
    case Op::read:
      return read(at);
    case Op::write:
      return write(page_to_write());
    case Op::aio_read:
      return aio(at, false);
    case Op::aio_write:
      return aio(page_to_write(), true);
    case Op::gup_cold:
      madvise(ground_.at(at), kIoBytes, MADV_DONTNEED);
      return gup(at, false);
    case Op::gup_read:
    case Op::gup_write:
      return gup(at, op == Op::gup_write);
    case Op::munmap:
      return munmap_one(at);
    case Op::evict:
      return evict();
    case Op::fill_and_punch:
      touch(at, true);
      return punch(at);
    case Op::punch:
      return punch(at);
    case Op::zero:
      return zero(page_to_write());
    case Op::collapse:
      return collapse(page_to_write());
    case Op::insert:
      return insert();
    case Op::truncate_down:
    case Op::truncate_up:
      return truncate(op == Op::truncate_down);
    case Op::fsync:
      return fsync_file();
    case Op::victim:
      victim();
      return std::nullopt;
    case Op::lease:
      break;
  }
  return std::nullopt;
}

Stamp Worker::stamp(PageOffset page, Hazard writer) {
  return {kFileNumber, writer, page, ground_.sequence.fetch_add(1, std::memory_order_relaxed)};
}

void Worker::failed(long result) {
  ++recorder_.io_errors;
  recorder_.last_io_error = static_cast<int>(result);
}

/// Zero is a hole; a mixture is a copy beside a device's. Anything else must be this file's, of this page or
/// of one from where a shift can have brought it.
void Worker::check(const std::byte* bytes, std::size_t sectors, PageOffset page, Hazard reader) {
  if (!config_.oracle) return;
  for (std::size_t i = 0; i < sectors; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i * kSectorBytes, sizeof word);
    if (word == 0 || !Stamp::is_whole(word)) continue;
    const Stamp seen = Stamp::from(word);
    if (seen.ino == kFileNumber && (seen.page == page || (shifts_ && is_one_shift_away(seen.page, page))))
      continue;
    const bool other = seen.ino != kFileNumber;
    ground_.sightings.add(other ? Detector::corruption : Detector::misplaced, reader,
                          fmt::format("page {} of the file held page {} of file {}, write {}", page,
                                      seen.page, seen.ino, seen.sequence));
    return;
  }
}

std::optional<Worker::Done> Worker::touch(PageOffset page, bool write) {
  const std::uint64_t word = stamp(page, Hazard::h1).word();
  std::uint64_t seen = 0;
  bool there = false;
  timed([&] {
    there = access_word(ground_.at(page), write ? &word : nullptr, &seen);
    return 0L;
  });
  if (!there) return std::nullopt;
  if (!write) check(reinterpret_cast<const std::byte*>(&seen), 1, page, Hazard::h1);
  return Done{write ? Path::store : Path::load, false};
}

std::optional<Worker::Done> Worker::read(PageOffset page) {
  const long n =
      timed([&] { return long{pread(ground_.file.get(), buffer_.data(), kIoBytes, offset_of(page))}; });
  if (n < 0) failed(-errno);
  if (n != static_cast<long>(kIoBytes)) return std::nullopt;
  check(buffer_.data(), kStampsPerPage, page, Hazard::h2);
  return Done{Path::read, true};
}

std::optional<Worker::Done> Worker::write(PageOffset page) {
  stamp_buffer(buffer_.data(), stamp(page, Hazard::h2));
  const long n =
      timed([&] { return long{pwrite(ground_.file.get(), buffer_.data(), kIoBytes, offset_of(page))}; });
  if (n != static_cast<long>(kIoBytes)) failed(n < 0 ? -errno : -EIO);
  return Done{Path::write, true};
}

std::optional<Worker::Done> Worker::aio(PageOffset page, bool write) {
  if (write) stamp_buffer(buffer_.data(), stamp(page, Hazard::h3));
  const auto offset = static_cast<std::uint64_t>(offset_of(page));
  const long n = timed([&] {
    return write ? io_->write(ground_.direct.get(), buffer_.data(), kIoBytes, offset)
                 : io_->read(ground_.direct.get(), buffer_.data(), kIoBytes, offset);
  });
  if (n < 0) failed(n);
  if (n != static_cast<long>(kIoBytes)) return std::nullopt;
  if (!write) check(buffer_.data(), kStampsPerPage, page, Hazard::h3);
  return Done{write ? Path::aio_write : Path::aio_read, true};
}

/// At a queue depth the request stays in flight while the worker goes on.
void Worker::start_request(Op op, Clock::Ticks intended, bool measured) {
  busy_.op.store(static_cast<std::uint8_t>(op), std::memory_order_relaxed);
  busy_.since_ns.store(Clock::monotonic_ns(), std::memory_order_release);
  while (requests_->full()) reap(true);
  RequestQueue::Flight flight = op == Op::aio_read || op == Op::aio_write ? aio_flight(op) : pin_flight(op);
  flight.measured = measured;
  flight.timing.intended = intended;
  requests_->submit(flight);
  busy_.since_ns.store(0, std::memory_order_release);
}

RequestQueue::Flight Worker::pin_flight(Op op) {
  const PageOffset at = page();
  if (op == Op::gup_cold) madvise(ground_.at(at), kIoBytes, MADV_DONTNEED);
  const PeerLayout layout{config_.file_pages};
  RequestQueue::Flight flight;
  flight.page = at;
  flight.memory = ground_.at(at);
  if (op == Op::gup_write) {
    flight.kind = RequestQueue::Kind::peer_read;
    flight.slot = layout.stamped(Hazard::h4, at);
  } else {
    flight.kind = RequestQueue::Kind::peer_write;
    flight.slot = layout.scratch(id_, config_.queue_depth, requests_->next());
  }
  return flight;
}

RequestQueue::Flight Worker::aio_flight(Op op) {
  RequestQueue::Flight flight;
  flight.memory = request_buffers_.data() + requests_->next() * kIoBytes;
  if (op == Op::aio_write) {
    flight.kind = RequestQueue::Kind::file_write;
    flight.page = page_to_write();
    stamp_buffer(flight.memory, stamp(flight.page, Hazard::h3));
  } else {
    flight.kind = RequestQueue::Kind::file_read;
    flight.page = page();
  }
  return flight;
}

void Worker::reap(bool wait) {
  const auto done = [this](const RequestQueue::Flight& flight, long result) { end_request(flight, result); };
  if (wait) {
    requests_->wait(done);
  } else {
    requests_->reap(done);
  }
}

void Worker::end_request(const RequestQueue::Flight& flight, long result) {
  using Kind = RequestQueue::Kind;
  busy_.done.fetch_add(1, std::memory_order_relaxed);
  const bool pin = flight.kind == Kind::peer_read || flight.kind == Kind::peer_write;
  if (pin ? result == -EFAULT : flight.kind == Kind::file_read && result == 0)
    return;  // beyond the end by then
  if (result != static_cast<long>(kIoBytes)) return failed(result < 0 ? result : -EIO);
  if (flight.kind == Kind::peer_write) check_some_of_peer(flight.slot, flight.page);
  if (flight.kind == Kind::file_read) check(flight.memory, kStampsPerPage, flight.page, Hazard::h3);
  if (!flight.measured) return;
  const Path path = pin ? Path::gup_fast : flight.kind == Kind::file_read ? Path::aio_read : Path::aio_write;
  count(path, true, flight.faults, flight.timing, {flight.start_ns, flight.end_ns});
}

/// What the device has read out of the page, every now and then.
void Worker::check_some_of_peer(std::size_t slot, PageOffset page) {
  constexpr std::uint32_t kCheckOneIn = 16;
  if (random_.below(kCheckOneIn) != 0) return;
  if (io_->read(ground_.peer->fd(), buffer_.data(), kIoBytes, ground_.peer->offset_of(slot)) ==
      static_cast<long>(kIoBytes))
    check(buffer_.data(), kStampsPerPage, page, Hazard::h4);
}

/// The mapping as the buffer of the peer's I/O: the pages are pinned for as long as the peer takes.
std::optional<Worker::Done> Worker::gup(PageOffset page, bool into_mapping) {
  const PeerLayout layout{config_.file_pages};
  const std::size_t slot =
      into_mapping ? layout.stamped(Hazard::h4, page) : layout.scratch(id_, config_.queue_depth, 0);
  const std::uint64_t offset = ground_.peer->offset_of(slot);
  const long n = timed([&] {
    return into_mapping ? io_->read(ground_.peer->fd(), ground_.at(page), kIoBytes, offset)
                        : io_->write(ground_.peer->fd(), ground_.at(page), kIoBytes, offset);
  });
  if (n == -EFAULT) return std::nullopt;  // beyond the end by now
  if (n != static_cast<long>(kIoBytes)) {
    failed(n < 0 ? n : -EIO);
    return std::nullopt;
  }
  if (!into_mapping) check_some_of_peer(slot, page);
  return Done{Path::gup_fast, true};
}

std::optional<Worker::Done> Worker::munmap_one(PageOffset page) {
  void* at = mmap(nullptr, kIoBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ground_.file.get(), offset_of(page));
  if (at == MAP_FAILED) return std::nullopt;
  const bool there = madvise(at, kIoBytes, MADV_POPULATE_READ) == 0;
  timed([&] { return long{munmap(at, kIoBytes)}; });
  if (!there) return std::nullopt;
  return Done{Path::munmap, true};
}

std::optional<Worker::Done> Worker::evict() {
  const std::string name = fmt::format("run-evict-{}", id_);
  FileDescriptor file = ground_.directory->create(name);
  ground_.directory->unlink(name);
  write_page(file.get(), 0, {static_cast<std::uint8_t>(3 + id_), Hazard::h2, 0, 1});
  timed([&] {
    file.reset();
    return 0L;
  });
  return Done{Path::evict, true};
}

bool Worker::has_data(PageOffset page) const {
  return lseek(ground_.file.get(), offset_of(page), SEEK_DATA) == offset_of(page);
}

bool Worker::change_layout(int mode, PageOffset first, std::uint32_t pages) {
  const long error =
      timed([&] { return long{fallocate(ground_.file.get(), mode, offset_of(first), offset_of(pages))}; });
  if (error != 0) failed(-errno);
  return error == 0;
}

/// Where nobody else writes to the page, it must read as zero now.
void Worker::check_zero(PageOffset page, const char* after) {
  if (config_.workload->uncontended && config_.oracle &&
      pread(ground_.file.get(), buffer_.data(), kIoBytes, offset_of(page)) ==
          static_cast<ssize_t>(kIoBytes) &&
      std::any_of(buffer_.data(), buffer_.data() + kIoBytes, [](std::byte b) { return b != std::byte{0}; }))
    ground_.sightings.add(Detector::stale_data, Hazard::h8,
                          fmt::format("page {} is not zero after its {}", page, after));
}

std::optional<Worker::Done> Worker::punch(PageOffset page) {
  const bool data = has_data(page);
  if (!change_layout(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page, 1)) return std::nullopt;
  check_zero(page, "punch");
  return Done{data ? Path::punch : Path::punch_hole, data};
}

std::optional<Worker::Done> Worker::zero(PageOffset page) {
  const bool data = has_data(page);
  if (!change_layout(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, page, 1)) return std::nullopt;
  check_zero(page, "zero range");
  if (!data) return std::nullopt;
  return Done{Path::zero, true};
}

std::optional<Worker::Done> Worker::collapse(PageOffset first) {
  if (!ground_.shift.begin_collapse()) return std::nullopt;
  if (!change_layout(FALLOC_FL_COLLAPSE_RANGE, first, kShiftPages)) {
    ground_.shift.whole();
    return std::nullopt;
  }
  ground_.shift.collapsed_at(first);
  return Done{Path::collapse, true};
}

std::optional<Worker::Done> Worker::insert() {
  const std::optional<PageOffset> first = ground_.shift.begin_insert();
  if (!first) return std::nullopt;
  if (!change_layout(FALLOC_FL_INSERT_RANGE, *first, kShiftPages)) {
    ground_.shift.collapsed_at(*first);
    return std::nullopt;
  }
  if (own_.contains(*first)) check_zero(*first, "insert range");
  ground_.shift.whole();
  return Done{Path::insert, true};
}

std::optional<Worker::Done> Worker::truncate(bool down) {
  const off_t size = offset_of(down ? std::max(config_.file_pages / 2, 1U) : config_.file_pages);
  if (timed([&] { return long{ftruncate(ground_.file.get(), size)}; }) != 0) {
    failed(-errno);
    return std::nullopt;
  }
  return Done{down ? Path::truncate_down : Path::truncate_up, down};
}

std::optional<Worker::Done> Worker::fsync_file() {
  if (timed([&] { return long{fsync(ground_.file.get())}; }) != 0) {
    failed(-errno);
    return std::nullopt;
  }
  return Done{Path::fsync, true};
}

/// A page of another file: written, and read and freed again later. What it holds then must be what was
/// written.
void Worker::victim() {
  const std::uint32_t at = random_.below(Ground::kVictimPages);
  auto& state = ground_.victim_pages[at];
  const std::uint8_t before = state.exchange(2);
  if (before == 2) return;
  const Stamp own{kVictimNumber, Hazard::h2, at, 1};
  if (before == 0) {
    stamp_buffer(buffer_.data(), own);
    const bool written =
        pwrite(ground_.victim.get(), buffer_.data(), kIoBytes, offset_of(at)) == ssize_t{kIoBytes};
    state.store(written ? 1 : 0);
    return;
  }
  std::uint64_t word = own.word();
  if (pread(ground_.victim.get(), buffer_.data(), kIoBytes, offset_of(at)) == ssize_t{kIoBytes})
    std::memcpy(&word, buffer_.data(), sizeof word);
  if (config_.oracle && word != own.word()) {
    const Stamp seen = Stamp::from(word);
    const Hazard writer = Stamp::is_whole(word) && word != 0 ? seen.writer : Hazard::h2;
    ground_.sightings.add(
        Detector::corruption, writer,
        fmt::format("the victim's page {} held page {} of file {}", at, seen.page, seen.ino));
  }
  fallocate(ground_.victim.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_of(at), kIoBytes);
  state.store(0);
}

}  // namespace daxrace::kernel
