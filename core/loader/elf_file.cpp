// SPDX-License-Identifier: Apache-2.0
//
// Sources: the ELF-64 object file format (version 1.5 draft 2); the System V gABI, chapter 5 (hash table); the GNU hash
// section as glibc reads it.
#include "loader/elf_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "base/uninterrupted.hpp"

namespace rayo {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "add this machine's e_machine value"
#endif

// Limits far above any real plugin, so that hostile counts cost nothing.
constexpr uint16_t kMaxSegments = 128;
constexpr uint64_t kMaxDynamicEntries = 1024;
constexpr uint32_t kMaxChain = 4096;

bool inside(uint64_t offset, uint64_t bytes, uint64_t size) { return offset <= size && bytes <= size - offset; }

std::string file_kind(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  return "a device";
}

}  // namespace

// What PT_DYNAMIC says about the symbol table; addresses as the file claims them, 0 = absent.
struct ElfFile::DynamicTables {
  uint64_t symbols = 0;
  uint64_t strings = 0;
  uint64_t strings_size = 0;
  uint64_t symbol_size = 0;
  uint64_t gnu_hash = 0;
  uint64_t sysv_hash = 0;
};

ElfFile::~ElfFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool ElfFile::read(uint64_t offset, void *out, uint64_t bytes) const {
  if (!inside(offset, bytes, size_)) return false;
  auto *at = static_cast<char *>(out);
  while (bytes > 0) {
    const ssize_t got = uninterrupted([&] { return ::pread(fd_, at, bytes, static_cast<off_t>(offset)); });
    if (got <= 0) return false;
    at += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<uint64_t>(got);
  }
  return true;
}

std::string ElfFile::open(const std::string &path, struct stat *out_stat) {
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd_ < 0) return fmt::format("cannot be opened: {}", std::strerror(errno));
  if (::fstat(fd_, out_stat) != 0) return fmt::format("cannot be examined: {}", std::strerror(errno));
  if (!S_ISREG(out_stat->st_mode)) return fmt::format("is {}, not a file", file_kind(out_stat->st_mode));
  size_ = static_cast<uint64_t>(out_stat->st_size);
  if (size_ == 0) return "is empty (0 bytes)";

  Elf64_Ehdr header{};
  unsigned char magic[SELFMAG] = {};
  if (!read(0, magic, sizeof magic) || std::memcmp(magic, ELFMAG, SELFMAG) != 0) return "is not an ELF file";
  if (!read(0, &header, sizeof header)) return fmt::format("is truncated: {} bytes hold no ELF header", size_);
  if (std::string reason = check_header(header); !reason.empty()) return reason;

  segments_.resize(header.e_phnum);
  if (!read(header.e_phoff, segments_.data(), uint64_t{header.e_phnum} * sizeof(Elf64_Phdr))) {
    return fmt::format("is truncated or damaged: its program headers lie outside its {} bytes", size_);
  }
  return check_segments();
}

std::string ElfFile::check_header(const Elf64_Ehdr &header) const {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return "is not a 64-bit ELF file (class must be ELFCLASS64)";
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return "is not little-endian";
  if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT) return "has an unknown ELF version";
  if (header.e_machine != kMachine) {
    return fmt::format("is for another machine (ELF machine {}, here {})", header.e_machine, kMachine);
  }
  if (header.e_type != ET_DYN) return fmt::format("is no shared object (ELF type {}, not 3)", header.e_type);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxSegments) {
    return fmt::format("is damaged: {} program headers of {} bytes", header.e_phnum, header.e_phentsize);
  }
  // Loading needs no section headers, but a linker writes them last: a cut file shows here.
  if (header.e_shnum != 0) {
    if (header.e_shentsize != sizeof(Elf64_Shdr)) {
      return fmt::format("is damaged: section headers of {} bytes", header.e_shentsize);
    }
    if (!inside(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), size_)) {
      return fmt::format("is truncated: its section headers end at byte {}, the file at {}",
                         header.e_shoff + uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), size_);
    }
  }
  return "";
}

std::string ElfFile::check_segments() const {
  uint64_t last_end = 0;
  bool loads = false;
  for (const Elf64_Phdr &segment : segments_) {
    if (segment.p_type != PT_NULL && !inside(segment.p_offset, segment.p_filesz, size_)) {
      return fmt::format("is truncated or damaged: a segment of {} bytes at {} lies outside its {} bytes",
                         segment.p_filesz, segment.p_offset, size_);
    }
    if (segment.p_type != PT_LOAD) continue;
    constexpr uint64_t kHighest = uint64_t{1} << 40;  // 1 TiB: no plugin is larger, every sum below stays exact
    if (segment.p_vaddr > kHighest || segment.p_memsz > kHighest || segment.p_filesz > segment.p_memsz) {
      return "is damaged: a load segment has an impossible address or size";
    }
    if (segment.p_vaddr < last_end) return "is damaged: its load segments overlap or are out of order";
    if (segment.p_align > 1 && ((segment.p_align & (segment.p_align - 1)) != 0 ||
                                ((segment.p_vaddr - segment.p_offset) & (segment.p_align - 1)) != 0)) {
      return "is damaged: a load segment is misaligned";
    }
    last_end = segment.p_vaddr + segment.p_memsz;
    loads = true;
  }
  return loads ? "" : "is damaged: it has no load segment";
}

// Reads from where the loader would put `address`.
bool ElfFile::read_memory(uint64_t address, void *out, uint64_t bytes) const {
  for (const Elf64_Phdr &segment : segments_) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const uint64_t into = address - segment.p_vaddr;
    if (inside(into, bytes, segment.p_filesz)) return read(segment.p_offset + into, out, bytes);
  }
  return false;
}

std::string ElfFile::read_dynamic(DynamicTables *out) const {
  const Elf64_Phdr *dynamic = nullptr;
  for (const Elf64_Phdr &segment : segments_) {
    if (segment.p_type == PT_DYNAMIC) dynamic = &segment;
  }
  if (dynamic == nullptr) return "is no shared object: it has no dynamic section";
  const uint64_t entries = dynamic->p_filesz / sizeof(Elf64_Dyn);
  bool ended = false;
  for (uint64_t i = 0; i < entries && i < kMaxDynamicEntries && !ended; ++i) {
    Elf64_Dyn entry{};
    if (!read(dynamic->p_offset + i * sizeof entry, &entry, sizeof entry)) break;
    switch (entry.d_tag) {
      case DT_NULL:
        ended = true;
        break;
      case DT_SYMTAB:
        out->symbols = entry.d_un.d_ptr;
        break;
      case DT_STRTAB:
        out->strings = entry.d_un.d_ptr;
        break;
      case DT_STRSZ:
        out->strings_size = entry.d_un.d_val;
        break;
      case DT_SYMENT:
        out->symbol_size = entry.d_un.d_val;
        break;
      case DT_GNU_HASH:
        out->gnu_hash = entry.d_un.d_ptr;
        break;
      case DT_HASH:
        out->sysv_hash = entry.d_un.d_ptr;
        break;
      default:
        break;
    }
  }
  if (!ended) return "is damaged: its dynamic section has no end";
  if (out->symbols == 0 || out->strings == 0 || out->symbol_size != sizeof(Elf64_Sym) ||
      (out->gnu_hash == 0 && out->sysv_hash == 0)) {
    return "is damaged: its dynamic section names no symbol table";
  }
  return "";
}

// Whether symbol `index` is called `name`; then *reason says what is wrong with it, "" = a function that can be called.
bool ElfFile::is_symbol(const DynamicTables &tables, uint32_t index, std::string_view name, std::string *reason) const {
  Elf64_Sym symbol{};
  char text[64] = {};
  if (name.size() + 1 > sizeof text) return false;
  if (!read_memory(tables.symbols + uint64_t{index} * sizeof symbol, &symbol, sizeof symbol)) return false;
  if (!inside(symbol.st_name, name.size() + 1, tables.strings_size)) return false;
  if (!read_memory(tables.strings + symbol.st_name, text, name.size() + 1)) return false;
  if (text[name.size()] != '\0' || std::memcmp(text, name.data(), name.size()) != 0) return false;

  const unsigned char binding = ELF64_ST_BIND(symbol.st_info);
  const unsigned char visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  bool in_code = false;
  for (const Elf64_Phdr &segment : segments_) {
    in_code = in_code || (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 &&
                          symbol.st_value >= segment.p_vaddr && symbol.st_value - segment.p_vaddr < segment.p_filesz);
  }
  if (symbol.st_shndx == SHN_UNDEF) {
    *reason = fmt::format("does not define {} (it only refers to it)", name);
  } else if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || !in_code) {
    *reason = fmt::format("exports {}, but not as a function", name);
  } else if ((binding != STB_GLOBAL && binding != STB_WEAK) ||
             (visibility != STV_DEFAULT && visibility != STV_PROTECTED)) {
    *reason = fmt::format("hides {}: it must be a global symbol of default visibility", name);
  } else {
    reason->clear();
  }
  return true;
}

bool ElfFile::look_up_gnu(const DynamicTables &tables, std::string_view name, std::string *reason) const {
  struct {
    uint32_t buckets, first_symbol, bloom_words, bloom_shift;
  } head{};
  if (!read_memory(tables.gnu_hash, &head, sizeof head) || head.buckets == 0) return false;
  uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
  const uint64_t buckets = tables.gnu_hash + sizeof head + uint64_t{head.bloom_words} * 8;
  const uint64_t chains = buckets + uint64_t{head.buckets} * 4;
  uint32_t index = 0;
  if (!read_memory(buckets + uint64_t{hash % head.buckets} * 4, &index, 4) || index < head.first_symbol) return false;
  for (uint32_t step = 0; step < kMaxChain; ++step, ++index) {
    uint32_t entry = 0;
    if (!read_memory(chains + uint64_t{index - head.first_symbol} * 4, &entry, 4)) return false;
    if ((entry | 1u) == (hash | 1u) && is_symbol(tables, index, name, reason)) return true;
    if ((entry & 1u) != 0 || index == std::numeric_limits<uint32_t>::max()) return false;
  }
  return false;
}

bool ElfFile::look_up_sysv(const DynamicTables &tables, std::string_view name, std::string *reason) const {
  struct {
    uint32_t buckets, chains;
  } head{};
  if (!read_memory(tables.sysv_hash, &head, sizeof head) || head.buckets == 0) return false;
  uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4) + static_cast<unsigned char>(c);
    const uint32_t high = hash & 0xf0000000u;
    hash = (hash ^ (high >> 24)) & ~high;
  }
  const uint64_t buckets = tables.sysv_hash + sizeof head;
  const uint64_t chains = buckets + uint64_t{head.buckets} * 4;
  uint32_t index = 0;
  if (!read_memory(buckets + uint64_t{hash % head.buckets} * 4, &index, 4)) return false;
  for (uint32_t step = 0; step < kMaxChain && index != STN_UNDEF && index < head.chains; ++step) {
    if (is_symbol(tables, index, name, reason)) return true;
    if (!read_memory(chains + uint64_t{index} * 4, &index, 4)) return false;
  }
  return false;
}

std::string ElfFile::find_function(std::string_view name) const {
  DynamicTables tables;
  if (std::string reason = read_dynamic(&tables); !reason.empty()) return reason;
  std::string reason = fmt::format("does not export {}: it is not a Rayo plugin", name);
  // The dynamic linker prefers the GNU table where there is one; so does this.
  if (tables.gnu_hash != 0) {
    look_up_gnu(tables, name, &reason);
  } else {
    look_up_sysv(tables, name, &reason);
  }
  return reason;
}

}  // namespace rayo
