#include "harness/live/staging/cell_wire.hpp"

#include <cstring>

namespace daxrace::kernel {
namespace {

/// Numbers as they lie in memory, and strings and lists behind their length: both ends are the same program.
class Writer {
 public:
  void number(std::uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(const std::string& value) {
    number(value.size());
    out_ += value;
  }
  template <class List>
  void list(const List& values) {
    number(values.size());
    for (const std::string& value : values) text(value);
  }
  const std::string& out() const { return out_; }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(const std::string& in) : in_(in) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, in_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string text() {
    const std::size_t length = number();
    at_ += length;
    return in_.substr(at_ - length, length);
  }
  std::vector<std::string> list() {
    std::vector<std::string> values(number());
    for (std::string& value : values) value = text();
    return values;
  }

 private:
  const std::string& in_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_wire(const Message& message) {
  const CellResult& cell = message.cell;
  Writer writer;
  writer.number(static_cast<std::uint64_t>(cell.operation));
  writer.number(static_cast<std::uint64_t>(cell.access));
  writer.number(static_cast<std::uint64_t>(cell.outcome));
  writer.number(cell.began_ns);
  writer.number(cell.duration_ns);
  for (const std::string& text : {cell.what, cell.where, cell.freed_by}) writer.text(text);
  writer.list(cell.report);
  writer.list(cell.log);
  writer.list(message.waits);
  writer.number(message.error ? 1 : 0);
  writer.number(message.error ? static_cast<std::uint64_t>(message.error->code()) : 0);
  writer.text(message.error ? message.error->what() : "");
  Writer whole;
  whole.text(writer.out());
  return whole.out();
}

std::optional<Message> take_message(std::string& received) {
  std::uint64_t length = 0;
  if (received.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, received.data(), sizeof length);
  if (received.size() - sizeof length < length) return std::nullopt;
  Reader reader(received);
  reader.number();
  Message message;
  message.cell.operation = static_cast<Operation>(reader.number());
  message.cell.access = static_cast<Access>(reader.number());
  message.cell.outcome = static_cast<Outcome>(reader.number());
  message.cell.began_ns = reader.number();
  message.cell.duration_ns = reader.number();
  message.cell.what = reader.text();
  message.cell.where = reader.text();
  message.cell.freed_by = reader.text();
  message.cell.report = reader.list();
  message.cell.log = reader.list();
  for (std::string& wait : reader.list()) message.waits.insert(std::move(wait));
  const bool failed = reader.number() != 0;
  const auto code = static_cast<Exit>(reader.number());
  const std::string why = reader.text();
  if (failed) message.error.emplace(why, code);
  received.erase(0, sizeof length + length);
  return message;
}

}  // namespace daxrace::kernel
