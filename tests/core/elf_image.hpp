// SPDX-License-Identifier: Apache-2.0
//
// A small plugin file made by hand: every number in it can be changed. One load segment holds the whole file at address
// 0, so that addresses are offsets.
#pragma once

#include <elf.h>
#include <rayo/plugin.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace rayo_test {

struct ElfImage {
  static constexpr const char *kQuery = "rayo_plugin_query";
  // Where the parts lie.
  static constexpr uint64_t kDynamicAt = 0x400, kSymbolsAt = 0x600, kStringsAt = 0x700, kGnuAt = 0x800, kSysvAt = 0x900,
                            kNotesAt = 0xa00, kCodeAt = 0xc00, kSectionsAt = 0xd00, kEnd = 0xd80;

  Elf64_Ehdr head{};
  std::vector<Elf64_Phdr> segments;  // load, dynamic, note, stack
  std::vector<Elf64_Dyn> dynamic;
  std::vector<Elf64_Sym> symbols;  // null, "other", the query
  std::string strings;
  std::vector<uint32_t> gnu;   // buckets, first symbol, Bloom words, shift; one Bloom word; bucket; chain
  std::vector<uint32_t> sysv;  // buckets, chains; bucket; chains
  std::vector<char> notes;
  rayo_note_desc note{};
  std::vector<char> tail;  // behind all of it, in the load segment too

  ElfImage() {
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_ident[EI_VERSION] = EV_CURRENT;
    head.e_version = EV_CURRENT;
#if defined(__x86_64__)
    head.e_machine = EM_X86_64;
#else
    head.e_machine = EM_AARCH64;
#endif
    head.e_type = ET_DYN;
    head.e_phentsize = sizeof(Elf64_Phdr);
    head.e_phoff = sizeof head;
    head.e_shentsize = sizeof(Elf64_Shdr);
    head.e_shoff = kSectionsAt;
    head.e_shnum = 2;
    const auto add_segment = [this](uint32_t type, uint64_t at, uint64_t bytes, uint32_t flags, uint64_t alignment) {
      segments.push_back({type, flags, at, at, at, bytes, bytes, alignment});
    };
    add_segment(PT_LOAD, 0, kEnd, PF_R | PF_X, 0x1000);
    add_segment(PT_DYNAMIC, kDynamicAt, 0, PF_R, 8);
    add_segment(PT_NOTE, kNotesAt, 0, PF_R, 4);
    add_segment(PT_GNU_STACK, 0, 0, PF_R, 16);
    for (const auto &[tag, value] : {std::pair<int64_t, uint64_t>{DT_SYMTAB, kSymbolsAt},
                                     {DT_STRTAB, kStringsAt},
                                     {DT_STRSZ, 0},
                                     {DT_SYMENT, sizeof(Elf64_Sym)},
                                     {DT_SONAME, 1},
                                     {DT_GNU_HASH, kGnuAt},
                                     {DT_HASH, kSysvAt},
                                     {DT_NULL, 0}}) {
      dynamic.push_back({tag, {value}});
    }
    strings = std::string("\0other\0", 7) + kQuery + '\0';
    symbols.resize(3);
    for (size_t i : {1, 2}) {
      symbols[i].st_name = i == 1 ? 1 : 7;
      symbols[i].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
      symbols[i].st_shndx = 1;
      symbols[i].st_value = kCodeAt;
    }
    gnu = {1, 1, 1, 6, ~0u, ~0u, 1, gnu_hash("other") & ~1u, gnu_hash(kQuery) | 1u};
    sysv = {1, 3, 1, 0, 2, 0};
    note.version = 1;
    note.abi_version = RAYO_ABI_VERSION;
    note.abi_min = RAYO_ABI_OLDEST;
    note.tiers = RAYO_TIER_HOST;
    std::strcpy(note.name, "made");
    std::strcpy(note.vendor, "Test");
  }

  Elf64_Phdr &load() { return segments[0]; }
  Elf64_Phdr &note_segment() { return segments[2]; }
  Elf64_Sym &query() { return symbols[2]; }
  uint64_t &tag(int64_t tag) {
    return std::find_if(dynamic.begin(), dynamic.end(), [tag](const Elf64_Dyn &each) { return each.d_tag == tag; })
        ->d_un.d_val;
  }
  // The sysv table alone, as older linkers write.
  void without_gnu() { tag(DT_GNU_HASH) = 0; }

  static uint32_t gnu_hash(const std::string &name) {
    uint32_t hash = 5381;
    for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
    return hash;
  }
  // An ELF note, padded to `alignment`.
  static std::vector<char> elf_note(const std::string &owner, uint32_t type, const void *data, size_t bytes,
                                    size_t alignment = 4) {
    const auto padded = [alignment](size_t size) { return (size + alignment - 1) / alignment * alignment; };
    const uint32_t words[] = {static_cast<uint32_t>(owner.size() + 1), static_cast<uint32_t>(bytes), type};
    std::vector<char> out(padded(padded(sizeof words + owner.size() + 1) + bytes));
    std::memcpy(out.data(), words, sizeof words);
    std::memcpy(out.data() + sizeof words, owner.c_str(), owner.size() + 1);
    if (bytes != 0) std::memcpy(out.data() + padded(sizeof words + owner.size() + 1), data, bytes);
    return out;
  }
  std::vector<char> rayo_note(size_t alignment = 4) const {
    return elf_note("Rayo", RAYO_NOTE_TYPE, &note, sizeof note, alignment);
  }
  void add_note(const std::vector<char> &each) { notes.insert(notes.end(), each.begin(), each.end()); }

  // Sizes that are 0 become what they are: number of segments, bytes of dynamic section, strings and notes.
  std::vector<char> bytes() const {
    ElfImage whole = *this;
    if (whole.notes.empty()) whole.notes = rayo_note();
    if (whole.head.e_phnum == 0) whole.head.e_phnum = static_cast<uint16_t>(segments.size());
    for (Elf64_Phdr &each : whole.segments) {
      if (each.p_filesz != 0) continue;
      if (each.p_type == PT_DYNAMIC) each.p_filesz = each.p_memsz = dynamic.size() * sizeof(Elf64_Dyn);
      if (each.p_type == PT_NOTE) each.p_filesz = each.p_memsz = whole.notes.size();
    }
    for (Elf64_Dyn &each : whole.dynamic) {
      if (each.d_tag == DT_STRSZ && each.d_un.d_val == 0) each.d_un.d_val = strings.size();
    }
    std::vector<char> out(kEnd);
    const auto put = [&out](uint64_t at, const auto &part) {
      const size_t bytes = part.size() * sizeof part[0];
      if (out.size() < at + bytes) out.resize(at + bytes);
      if (bytes != 0) std::memcpy(out.data() + at, part.data(), bytes);
    };
    put(0, std::vector<Elf64_Ehdr>{whole.head});
    put(sizeof head, whole.segments);
    put(kDynamicAt, whole.dynamic);
    put(kSymbolsAt, whole.symbols);
    put(kStringsAt, whole.strings);
    put(kGnuAt, whole.gnu);
    put(kSysvAt, whole.sysv);
    put(kNotesAt, whole.notes);
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
  }
};

}  // namespace rayo_test
