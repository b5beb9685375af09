#include "harness/live/observe/canaries.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"

namespace daxrace::kernel {
namespace {

constexpr KernelVersion kNever = 0;
constexpr KernelVersion kToday = 99'99;

constexpr std::string_view kDax = "fs/dax.c";
constexpr std::string_view kExt4 = "fs/ext4/inode.c";
constexpr std::array<std::string_view, 5> kFiles = {kDax, "mm/truncate.c", "fs/xfs/xfs_file.c",
                                                    "fs/xfs/xfs_inode.c", kExt4};
constexpr std::array<std::string_view, 2> kModules = {"xfs", "ext4"};

constexpr std::array<Canary, 11> kCanaries = {{
    {"dax_disassociate_entry", kDax, 1, kToday,
     "an entry is removed while somebody holds its page (from 6.15: one of the pages of a 2 MiB entry)"},
    {"truncate_folio_batch_exceptionals", "mm/truncate.c", 615, kToday,
     "truncation meets entries that no break of layouts removed"},
    {"dax_insert_entry", kDax, 1, kToday,
     "a fault maps a page that has an owner, or whose entry changed under its lock"},
    {"dax_delete_mapping_entry", kDax, 1, kToday, "an entry that is to be removed is not there"},
    {"dax_layout_busy_page_range", kDax, 1, kToday, "the scan for busy pages meets what is no DAX entry"},
    {"xfs_break_layouts", "fs/xfs/", 1, kToday, "layouts are to be broken for a reason that is none"},
    {"ext4_break_layouts", kExt4, 1, kToday, "layouts are broken without the lock that keeps faults out"},
    {"ext4_truncate", kExt4, 1, kToday, "blocks are freed without the lock that keeps I/O out"},
    {"ext4_punch_hole", kExt4, 612, kToday, "the same, of a hole"},
    {"lockdep", "/proc/lockdep", kNever, kNever, "locks are taken in an order that can deadlock"},
    {"hung task detector", "/proc/sys/kernel/hung_task_timeout_secs", 1, kToday,
     "a task sleeps uninterruptibly for two minutes"},
}};

/// The running kernel's memory.
class Kcore {
 public:
  Kcore() : file_(open("/proc/kcore", O_RDONLY | O_CLOEXEC)) {
    Elf64_Ehdr header{};
    if (!file_ || pread(file_.get(), &header, sizeof header, 0) != ssize_t{sizeof header})
      throw Skipped(fmt::format("/proc/kcore: {}", std::strerror(errno)));
    segments_.resize(header.e_phnum);
    const auto bytes = static_cast<ssize_t>(segments_.size() * sizeof(Elf64_Phdr));
    if (pread(file_.get(), segments_.data(), static_cast<std::size_t>(bytes),
              static_cast<off_t>(header.e_phoff)) != bytes)
      throw Skipped("/proc/kcore has no headers");
  }
  /// As much as there is at an address of the kernel.
  std::vector<char> read(std::uint64_t address, std::size_t bytes) const {
    std::vector<char> out(bytes);
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
          address >= segment.p_vaddr + segment.p_memsz)
        continue;
      const auto offset = static_cast<off_t>(segment.p_offset + (address - segment.p_vaddr));
      const ssize_t n = pread(file_.get(), out.data(), bytes, offset);
      out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
      return out;
    }
    return {};
  }
  std::string text(std::uint64_t address) const {
    constexpr std::size_t kLongest = 64;
    const auto bytes = read(address, kLongest);
    return {bytes.begin(), std::ranges::find(bytes, '\0')};
  }

 private:
  FileDescriptor file_;
  std::vector<Elf64_Phdr> segments_;
};

struct Symbols {
  std::vector<std::pair<std::uint64_t, std::string>> functions;  ///< by address
  std::uint64_t table = 0, table_end = 0;

  std::string function_at(std::uint64_t address) const {
    auto at = std::ranges::upper_bound(functions, address, {}, &std::pair<std::uint64_t, std::string>::first);
    if (at == functions.begin()) return "";
    const std::string& name = (--at)->second;
    return name.substr(0, name.find('.'));  // without .isra.0 and .cold
  }
};

Symbols read_symbols() {
  Symbols symbols;
  std::ifstream in("/proc/kallsyms");
  if (!in) throw Skipped(fmt::format("/proc/kallsyms: {}", std::strerror(errno)));
  bool named = false;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::uint64_t address = 0;
    char kind = 0;
    std::string name;
    words >> std::hex >> address >> kind >> name;
    if (name == "__start___bug_table") symbols.table = address;
    named = named || name == "__start___bug_table";
    if (name == "__stop___bug_table") symbols.table_end = address;
    if (kind == 't' || kind == 'T') symbols.functions.emplace_back(address, std::move(name));
  }
  if (symbols.table == 0 || symbols.table_end <= symbols.table)
    throw Skipped(!named           ? "/proc/kallsyms has no __start___bug_table"
                  : geteuid() != 0 ? "/proc/kallsyms shows no addresses: needs root"
                                   : "/proc/kallsyms shows no addresses (kernel.kptr_restrict)");
  std::ranges::sort(symbols.functions);
  return symbols;
}

/// The entries of the bug table have a format text in between from 7.x on.
struct Layout {
  std::size_t size, file, line;
};
constexpr std::array<Layout, 2> kLayouts = {{{12, 4, 8}, {16, 8, 12}}};

template <class T>
T field(const std::vector<char>& bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Where a module's table begins, or 0: it is not loaded, or built in.
std::uint64_t table_of_module(std::string_view module) {
  std::ifstream in(fmt::format("/sys/module/{}/sections/__bug_table", module));
  std::uint64_t address = 0;
  in >> std::hex >> address;
  return address;
}

bool is_source(const std::string& file) { return file.ends_with(".c") || file.ends_with(".h"); }

/// The module that a source file is part of, if the kernel has it as a module.
std::string_view module_of(std::string_view source) {
  const auto* found = std::ranges::find_if(
      kModules, [&](std::string_view module) { return source.starts_with(fmt::format("fs/{}/", module)); });
  return found == kModules.end() ? "" : *found;
}

bool is_there(std::string_view module) {
  return module.empty() || access(fmt::format("/sys/module/{}", module).c_str(), F_OK) == 0;
}

class BugTables {
 public:
  BugTables() : symbols_(read_symbols()) {
    const Table image = read(symbols_.table, symbols_.table_end - symbols_.table);
    if (image.bytes.size() < 100 * kLayouts[1].size) throw Skipped("/proc/kcore gives no bug table");
    const auto fits = [&](const Layout& layout) {
      for (std::size_t i = 0; i < 20; ++i)
        if (!is_source(kcore_.text(image.pointed_at(i * layout.size + layout.file)))) return false;
      return true;
    };
    const auto* found = std::ranges::find_if(kLayouts, fits);
    if (found == kLayouts.end()) throw Skipped("this kernel's bug table is of another kind");
    layout_ = *found;
    tables_.push_back(image);
    for (const std::string_view module : kModules)
      if (const std::uint64_t table = table_of_module(module); table != 0)
        tables_.push_back(read(table, kLongestModule));
  }

  std::vector<Warning> of(std::span<const std::string_view> files) const {
    std::vector<Warning> found;
    std::map<std::uint64_t, std::string> names;  // thousands of entries, of a few hundred files
    for (const Table& table : tables_) {
      for (std::size_t at = 0; at + layout_.size <= table.bytes.size(); at += layout_.size) {
        const std::uint64_t pointer = table.pointed_at(at + layout_.file);
        std::string& file = names[pointer];
        if (file.empty()) file = kcore_.text(pointer);
        if (!is_source(file)) break;  // the end of a module's, whose length nobody tells
        if (std::ranges::find(files, file) == files.end()) continue;
        found.push_back({file, field<std::uint16_t>(table.bytes, at + layout_.line),
                         symbols_.function_at(table.pointed_at(at))});
      }
    }
    return found;
  }

 private:
  static constexpr std::size_t kLongestModule = std::size_t{16} * 1024;

  struct Table {
    std::uint64_t address = 0;
    std::vector<char> bytes;
    /// Pointers are relative to where they stand.
    std::uint64_t pointed_at(std::size_t at) const {
      return address + at + static_cast<std::uint64_t>(std::int64_t{field<std::int32_t>(bytes, at)});
    }
  };
  Table read(std::uint64_t address, std::size_t bytes) const {
    return {address, kcore_.read(address, bytes)};
  }

  Kcore kcore_;
  Symbols symbols_;
  std::vector<Table> tables_;
  Layout layout_{};
};

std::string kernels_text(const Canary& canary) {
  if (canary.last == kNever) return "none";
  const auto text = [](KernelVersion version) { return fmt::format("{}.{}", version / 100, version % 100); };
  if (canary.last != kToday) return "to " + text(canary.last);
  return canary.first > 1 ? "from " + text(canary.first) : "all";
}

}  // namespace

KernelVersion version_of(std::string_view release) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, major);
  if (error == std::errc{} && dot != end) std::from_chars(dot + 1, end, minor);
  return major * 100 + minor;
}

std::span<const Canary> canaries() { return kCanaries; }

std::vector<Warning> compiled_warnings(std::span<const std::string_view> files) {
  return BugTables().of(files);
}

std::vector<Sighting> canaries_here() {
  std::optional<std::vector<Warning>> warnings;
  std::string why_unknown;
  try {
    warnings = compiled_warnings(kFiles);
  } catch (const Skipped& reason) {
    why_unknown = reason.what();
  }
  std::vector<Sighting> seen;
  for (const Canary& canary : kCanaries) {
    if (!is_there(module_of(canary.source))) continue;
    Sighting sighting{&canary, std::nullopt, "", ""};
    if (canary.source.starts_with('/')) {
      sighting.here = access(std::string(canary.source).c_str(), F_OK) == 0;
    } else if (warnings) {
      for (const Warning& warning : *warnings)
        if (warning.function == canary.name && warning.file.starts_with(canary.source))
          sighting.where +=
              fmt::format("{}{}", sighting.where.empty() ? warning.file + ":" : ",", warning.line);
      sighting.here = !sighting.where.empty();
    }
    if (!sighting.here) sighting.why_unknown = why_unknown;
    seen.push_back(std::move(sighting));
  }
  return seen;
}

std::string canaries_markdown() {
  std::string out = "| canary | where | kernels | what it says |\n| --- | --- | --- | --- |\n";
  for (const Canary& canary : kCanaries)
    out += fmt::format("| `{}` | {} | {} | {} |\n", canary.name, canary.source, kernels_text(canary),
                       canary.says);
  return out;
}

}  // namespace daxrace::kernel
