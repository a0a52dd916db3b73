// SPDX-License-Identifier: Apache-2.0
//
// What the static look refuses, each rule by itself: one number at a time is made wrong in a file that is accepted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>

#include "elf_image.hpp"
#include "loader/elf_file.hpp"
#include "loader/elf_look.hpp"
#include "temp_folder.hpp"

namespace rayo {
namespace {

using rayo_test::ElfImage;
using rayo_test::TempFolder;

constexpr const char *kNoQuery = "does not export rayo_plugin_query";

std::string reason_of(const std::vector<char> &bytes) {
  const TempFolder folder;
  folder.write("made.so", bytes);
  return look_at_elf(folder / "made.so").reason;
}

std::vector<char> words(const std::vector<uint32_t> &values) {
  std::vector<char> out(values.size() * sizeof(uint32_t));
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

struct Change {
  const char *text;  // in the reason; "" = accepted all the same
  std::function<void(ElfImage &)> make;
};

void check(const std::vector<Change> &changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    ElfImage image;
    changes[i].make(image);
    const std::string reason = reason_of(image.bytes());
    if (*changes[i].text == '\0') {
      EXPECT_EQ(reason, "") << "change " << i;
    } else {
      EXPECT_NE(reason.find(changes[i].text), std::string::npos)
          << "change " << i << ": '" << changes[i].text << "' in: " << reason;
    }
  }
}

TEST(ElfRefusals, OfTheHeader) {
  check({
      {"", [](ElfImage &) {}},
      {"not an ELF file", [](ElfImage &e) { e.head.e_ident[0] = 0; }},
      {"unknown ELF version", [](ElfImage &e) { e.head.e_ident[EI_VERSION] = 2; }},
      {"unknown ELF version", [](ElfImage &e) { e.head.e_version = 2; }},
      {"program headers of 55 bytes", [](ElfImage &e) { e.head.e_phentsize = 55; }},
      {"is damaged: 129 program headers", [](ElfImage &e) { e.head.e_phnum = 129; }},
      {"program headers lie outside its 3456 bytes", [](ElfImage &e) { e.head.e_phoff = 3456 - 4 * 56 + 1; }},
      {"program headers lie outside", [](ElfImage &e) { e.head.e_phoff = ~uint64_t{0}; }},
      {"section headers of 65 bytes", [](ElfImage &e) { e.head.e_shentsize = 65; }},
      {"", [](ElfImage &e) { e.head.e_shnum = 0, e.head.e_shentsize = 0; }},
      {"its section headers end at byte 3457, the file at 3456", [](ElfImage &e) { ++e.head.e_shoff; }},
      {"its section headers end at", [](ElfImage &e) { e.head.e_shoff = 1u << 20; }},
  });
  ElfImage no_segments;
  no_segments.head.e_phnum = 1;  // and then none, which bytes() would fill in
  std::vector<char> bytes = no_segments.bytes();
  bytes[offsetof(Elf64_Ehdr, e_phnum)] = 0;
  EXPECT_NE(reason_of(bytes).find("0 program headers"), std::string::npos);
  bytes.resize(sizeof(Elf64_Ehdr) - 1);
  EXPECT_NE(reason_of(bytes).find("63 bytes hold no ELF header"), std::string::npos);
  bytes.resize(3);
  EXPECT_NE(reason_of(bytes).find("not an ELF file"), std::string::npos);
}

TEST(ElfRefusals, OfTheSegments) {
  constexpr uint64_t kHighest = uint64_t{1} << 40;
  check({
      {"a segment of 3456 bytes at 1 lies outside its 3456 bytes", [](ElfImage &e) { e.load().p_offset = 1; }},
      {"lies outside", [](ElfImage &e) { e.segments[3].p_filesz = 4000; }},
      {"", [](ElfImage &e) { e.segments[3].p_type = PT_NULL, e.segments[3].p_filesz = 4000; }},
      {"impossible address or size", [](ElfImage &e) { e.segments[3] = {PT_LOAD, PF_R, 0, kHighest + 1, 0, 8, 8, 1}; }},
      {"", [](ElfImage &e) { e.segments[3] = {PT_LOAD, PF_R, 0, kHighest, 0, 8, 8, 1}; }},
      {"impossible address or size", [](ElfImage &e) { e.load().p_memsz = kHighest + 1; }},
      {"", [](ElfImage &e) { e.load().p_memsz = kHighest; }},
      {"impossible address or size", [](ElfImage &e) { e.load().p_memsz = ElfImage::kEnd - 1; }},
      {"overlap or are out of order",
       [](ElfImage &e) { e.segments[3] = {PT_LOAD, PF_R, 0, ElfImage::kEnd - 1, 0, 8, 8, 1}; }},
      {"", [](ElfImage &e) { e.segments[3] = {PT_LOAD, PF_R, 0, ElfImage::kEnd, 0, 8, 8, 0}; }},
      {"is misaligned", [](ElfImage &e) { e.load().p_align = 0x1800; }},
      {"is misaligned", [](ElfImage &e) { e.segments[3] = {PT_LOAD, PF_R, 8, 0x2000, 0, 8, 8, 0x1000}; }},
      {"", [](ElfImage &e) { e.segments[3] = {PT_LOAD, PF_R, 8, 0x2008, 0, 8, 8, 0x1000}; }},
      {"it has no load segment", [](ElfImage &e) { e.load().p_type = PT_NULL; }},
      {"it has no dynamic section", [](ElfImage &e) { e.segments[1].p_type = PT_NULL; }},
  });
}

TEST(ElfRefusals, OfTheDynamicSection) {
  check({
      {"its dynamic section has no end", [](ElfImage &e) { e.dynamic.back().d_tag = DT_DEBUG; }},
      {"its dynamic section has no end", [](ElfImage &e) { e.segments[1].p_filesz = sizeof(Elf64_Dyn) - 1; }},
      {"its dynamic section has no end",  // more entries than any file has
       [](ElfImage &e) {
         e.tail.resize(1025 * sizeof(Elf64_Dyn));
         for (size_t i = 0; i < 1024; ++i) e.tail[i * sizeof(Elf64_Dyn)] = DT_DEBUG;
         e.segments[1].p_offset = ElfImage::kEnd, e.segments[1].p_filesz = e.tail.size();
       }},
      {"names no symbol table", [](ElfImage &e) { e.tag(DT_SYMTAB) = 0; }},
      {"names no symbol table", [](ElfImage &e) { e.tag(DT_STRTAB) = 0; }},
      {"names no symbol table", [](ElfImage &e) { e.tag(DT_SYMENT) = 23; }},
      {"names no symbol table", [](ElfImage &e) { e.tag(DT_GNU_HASH) = e.tag(DT_HASH) = 0; }},
      {"", [](ElfImage &e) { e.tag(DT_HASH) = 0; }},
      {"", [](ElfImage &e) { e.without_gnu(); }},
  });
}

TEST(ElfRefusals, OfTheSymbol) {
  const auto binding = [](unsigned char to) {
    return [to](ElfImage &e) { e.query().st_info = ELF64_ST_INFO(to, STT_FUNC); };
  };
  const auto visibility = [](unsigned char to) { return [to](ElfImage &e) { e.query().st_other = to; }; };
  check({
      {"does not define rayo_plugin_query", [](ElfImage &e) { e.query().st_shndx = SHN_UNDEF; }},
      {"but not as a function", [](ElfImage &e) { e.query().st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT); }},
      {"but not as a function", [](ElfImage &e) { e.query().st_value = ElfImage::kEnd; }},
      {"", [](ElfImage &e) { e.query().st_value = ElfImage::kEnd - 1; }},
      {"but not as a function", [](ElfImage &e) { e.load().p_flags = PF_R; }},
      {"but not as a function",  // below the code
       [](ElfImage &e) {
         e.load().p_flags = PF_R;
         e.segments[3] = {PT_LOAD, PF_R | PF_X, 0, 0x2000, 0, 64, 64, 1};
       }},
      {"", binding(STB_WEAK)},
      {"hides rayo_plugin_query", binding(STB_LOCAL)},
      {"hides rayo_plugin_query", binding(STB_GNU_UNIQUE)},
      {"", visibility(STV_PROTECTED)},
      {"hides rayo_plugin_query", visibility(STV_HIDDEN)},
      {"hides rayo_plugin_query", visibility(STV_INTERNAL)},
      // The name must stand there whole, inside of the strings and of the file.
      {kNoQuery, [](ElfImage &e) { e.strings.back() = 'x', e.strings += '\0'; }},
      {kNoQuery, [](ElfImage &e) { e.strings[8] = 'A'; }},
      {kNoQuery, [](ElfImage &e) { e.tag(DT_STRSZ) = 7 + 17; }},
      {"", [](ElfImage &e) { e.tag(DT_STRSZ) = 7 + 18; }},
      {kNoQuery, [](ElfImage &e) { e.query().st_name = ~0u; }},
      {kNoQuery, [](ElfImage &e) { e.tag(DT_STRTAB) = ElfImage::kEnd - 8; }},
      {kNoQuery, [](ElfImage &e) { e.tag(DT_SYMTAB) = ElfImage::kEnd - 2 * sizeof(Elf64_Sym) - 8; }},
      {kNoQuery, [](ElfImage &e) { e.tag(DT_SYMTAB) = ~uint64_t{0} - 8; }},
  });
}

TEST(ElfRefusals, OfTheGnuHashTable) {
  check({
      {kNoQuery, [](ElfImage &e) { e.tag(DT_GNU_HASH) = ElfImage::kEnd - 8; }},
      {kNoQuery, [](ElfImage &e) { e.gnu[0] = 0; }},
      {kNoQuery, [](ElfImage &e) { e.gnu[2] = ~0u; }},             // the buckets would lie outside
      {kNoQuery, [](ElfImage &e) { e.gnu[1] = 2; }},               // the bucket names a symbol before the first
      {kNoQuery, [](ElfImage &e) { e.gnu[6] = 0; }},               // an empty bucket
      {kNoQuery, [](ElfImage &e) { e.gnu[7] |= 1; }},              // the chain ends before it
      {kNoQuery, [](ElfImage &e) { e.gnu[8] ^= 2; }},              // another hash
      {kNoQuery, [](ElfImage &e) { e.gnu[6] = 3; }},               // beyond the chain: zeros, to the limit
      {kNoQuery, [](ElfImage &e) { e.gnu[6] = 0x10000; }},         // the chain would lie outside
      {kNoQuery, [](ElfImage &e) { e.gnu[1] = e.gnu[6] = ~0u; }},  // the last symbol there can be
      {kNoQuery,
       [](ElfImage &e) {  // longer than any chain is followed
         e.tail.resize(8192 * 4);
         e.load().p_filesz = e.load().p_memsz = ElfImage::kEnd + e.tail.size();
         e.gnu[1] = 0, e.gnu[6] = (ElfImage::kEnd - ElfImage::kGnuAt) / 4;
       }},
      {"", [](ElfImage &e) { e.gnu[2] = 0, e.gnu.erase(e.gnu.begin() + 4, e.gnu.begin() + 6); }},
      // Another symbol of the same hash comes first.
      {"", [](ElfImage &e) { e.gnu[7] = ElfImage::gnu_hash(ElfImage::kQuery) & ~1u; }},
  });
}

TEST(ElfRefusals, OfTheSysvHashTable) {
  const auto sysv = [](const std::function<void(ElfImage &)> &make) {
    return [make](ElfImage &e) {
      e.without_gnu();
      make(e);
    };
  };
  check({
      {"", sysv([](ElfImage &) {})},
      {kNoQuery, sysv([](ElfImage &e) { e.tag(DT_HASH) = ElfImage::kEnd - 4; })},
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[0] = 0; })},
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[0] = ~0u; })},  // the bucket lies outside, whatever the hash
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[2] = 0; })},    // an empty bucket
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[2] = 3; })},    // beyond the chains
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[4] = 0; })},    // the chain ends before it
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[4] = 1; })},    // a circle
      {kNoQuery, sysv([](ElfImage &e) { e.sysv[1] = ~0u, e.sysv[2] = 0x10000; })},  // the chain would lie outside
      {"", sysv([](ElfImage &e) { e.sysv[2] = 2; })},
  });
}

TEST(ElfRefusals, ALongNameIsNotLookedFor) {
  ElfImage image;
  const std::string name(64, 'x');
  image.query().st_name = static_cast<Elf64_Word>(image.strings.size());
  image.strings += name + '\0';
  image.gnu[8] = ElfImage::gnu_hash(name) | 1u;
  const TempFolder folder;
  folder.write("made.so", image.bytes());
  ElfFile file;
  struct stat info {};
  ASSERT_EQ(file.open(folder / "made.so", &info), "");
  EXPECT_NE(file.find_function(name).find("does not export"), std::string::npos);
}

TEST(ElfRefusals, OfTheNote) {
  check({
      {"has a damaged or unknown .note.rayo section (version 2)", [](ElfImage &e) { e.note.version = 2; }},
      {"its name or vendor does not end", [](ElfImage &e) { std::memset(e.note.name, 'a', sizeof e.note.name); }},
      {"its name or vendor does not end", [](ElfImage &e) { std::memset(e.note.vendor, 'a', sizeof e.note.vendor); }},
      {"name is not [a-z][a-z0-9_]*", [](ElfImage &e) { e.note.name[0] = '\0'; }},
      {"name is not", [](ElfImage &e) { e.note.name[0] = '{'; }},
      {"name is not", [](ElfImage &e) { e.note.name[0] = '`'; }},
      {"name is not", [](ElfImage &e) { e.note.name[1] = 'A'; }},
      {"name is not", [](ElfImage &e) { e.note.name[1] = '{'; }},
      {"name is not", [](ElfImage &e) { e.note.name[1] = '/'; }},
      {"name is not", [](ElfImage &e) { e.note.name[1] = ':'; }},
      {"", [](ElfImage &e) { std::strcpy(e.note.name, "a_09z"); }},
      {"a note without a tier (tiers 0x4)", [](ElfImage &e) { e.note.tiers = 4; }},
      {"", [](ElfImage &e) { e.note.tiers = RAYO_TIER_DEVICE; }},
      {"has no .note.rayo section", [](ElfImage &e) { e.note_segment().p_type = PT_NULL; }},
      {"has no .note.rayo section", [](ElfImage &e) { e.note_segment().p_filesz = 8; }},
  });
}

TEST(ElfRefusals, OfTheNotesBesideIt) {
  const auto other = [](const std::string &owner, uint32_t type, size_t bytes = 20, size_t alignment = 4) {
    return ElfImage::elf_note(owner, type, std::vector<char>(bytes, 'i').data(), bytes, alignment);
  };
  check({
      {"", [&](ElfImage &e) { e.add_note(other("GNU", 3)), e.add_note(e.rayo_note()), e.add_note(other("GNU", 5)); }},
      {"",
       [&](ElfImage &e) {  // type and owner must both be right
         e.add_note(other("Rayo", RAYO_NOTE_TYPE + 1)), e.add_note(other("Raya", RAYO_NOTE_TYPE)),
             e.add_note(e.rayo_note());
       }},
      {"has 2 Rayo notes; exactly one is legal",
       [](ElfImage &e) { e.add_note(e.rayo_note()), e.add_note(e.rayo_note()); }},
      {"has no .note.rayo section",  // behind more notes than are read
       [&](ElfImage &e) {
         for (int i = 0; i < 64; ++i) e.add_note(other("G", 3, 0));
         std::vector<char> notes = std::move(e.notes);
         e.notes = {0};
         const std::vector<char> own = e.rayo_note();
         notes.insert(notes.end(), own.begin(), own.end());
         e.tail = notes, e.note_segment().p_offset = ElfImage::kEnd, e.note_segment().p_filesz = notes.size();
       }},
      {"has no .note.rayo section",  // behind more bytes than are read
       [&](ElfImage &e) {
         e.tail = other("G", 3, 64 * 1024);
         const std::vector<char> own = e.rayo_note();
         e.tail.insert(e.tail.end(), own.begin(), own.end());
         e.note_segment().p_offset = ElfImage::kEnd, e.note_segment().p_filesz = e.tail.size();
       }},
      // Padded to 8, as some linkers do.
      {"",
       [&](ElfImage &e) {
         e.add_note(other("GNU", 5, 12, 8)), e.add_note(e.rayo_note(8)), e.note_segment().p_align = 8;
       }},
      // A note whose sizes lead out of the segment ends the walk; what came before it counts.
      {"",
       [](ElfImage &e) {
         e.add_note(e.rayo_note()), e.add_note(words({5, ~0u, 1}));
       }},
      {"",
       [](ElfImage &e) {
         e.add_note(e.rayo_note()), e.add_note(words({~0u, 4, 1}));
       }},
      {"",
       [](ElfImage &e) {
         e.add_note(e.rayo_note()), e.add_note(words({5, 8}));
       }},
      {"has no .note.rayo section",
       [](ElfImage &e) {
         e.add_note(words({5, ~0u, 1})), e.add_note(e.rayo_note());
       }},
      // A shorter note is of no known version, a longer one is taken as far as it is known.
      {"(version 0)",
       [](ElfImage &e) { e.add_note(ElfImage::elf_note("Rayo", RAYO_NOTE_TYPE, &e.note, sizeof e.note - 4)); }},
      {"",
       [](ElfImage &e) {
         std::vector<char> longer(sizeof e.note + 16);
         std::memcpy(longer.data(), &e.note, sizeof e.note);
         e.add_note(ElfImage::elf_note("Rayo", RAYO_NOTE_TYPE, longer.data(), longer.size()));
       }},
  });
}

// The file is somebody's: it may shrink between any two reads. Cut at every word, it never gives more than it had.
TEST(ElfRefusals, OfAFileThatShrinksWhileItIsLookedAt) {
  const TempFolder folder;
  const std::vector<char> whole = ElfImage().bytes();
  size_t refused = 0;
  for (size_t size = 0; size <= whole.size(); size += 4) {
    folder.write("made.so", whole);
    ElfFile file;
    ElfLook look;
    ASSERT_EQ(file.open(folder / "made.so", &look.file), "");
    ASSERT_EQ(::truncate((folder / "made.so").c_str(), static_cast<off_t>(size)), 0);
    look_at_elf(file, &look);
    const bool all_there = size >= ElfImage::kNotesAt + ElfImage().rayo_note().size();
    EXPECT_EQ(look.reason.empty(), all_there) << size << ": " << look.reason;
    EXPECT_EQ(look.has_note, all_there) << size;
    refused += look.reason.empty() ? 0 : 1;
  }
  EXPECT_GT(refused, whole.size() / 8);
}

}  // namespace
}  // namespace rayo
