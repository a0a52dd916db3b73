// SPDX-License-Identifier: Apache-2.0
#include "loader/elf_look.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.hpp"
#include "loader/elf_file.hpp"

namespace rayo {
namespace {

constexpr uint64_t kMaxNoteSegment = 64 * 1024;
constexpr uint32_t kMaxNotes = 64;

uint64_t padded(uint64_t bytes, uint64_t alignment) { return (bytes + alignment - 1) & ~(alignment - 1); }

// Name and vendor are fixed arrays that the file may have filled to the brim.
bool terminated(const char *text, size_t capacity) { return std::memchr(text, '\0', capacity) != nullptr; }

bool legal_name(const char *name) {
  if (*name < 'a' || *name > 'z') return false;
  return std::all_of(name, name + std::strlen(name),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// Walks the notes of one segment; every match of owner and type is copied to *out and counted.
uint32_t find_notes(const ElfFile &file, const Elf64_Phdr &segment, rayo_note_desc *out) {
  const uint64_t alignment = segment.p_align == 8 ? 8 : 4;
  const uint64_t end = segment.p_offset + std::min(segment.p_filesz, kMaxNoteSegment);
  uint64_t at = segment.p_offset;
  uint32_t found = 0;
  for (uint32_t i = 0; i < kMaxNotes && at < end; ++i) {
    Elf64_Nhdr head{};
    if (end - at < sizeof head || !file.read(at, &head, sizeof head)) break;
    const uint64_t owner = at + sizeof head;
    const uint64_t desc = at + padded(sizeof head + uint64_t{head.n_namesz}, alignment);
    const uint64_t next = padded(desc - at + head.n_descsz, alignment) + at;
    if (desc > end || head.n_descsz > end - desc) break;
    std::array<char, sizeof RAYO_NOTE_OWNER> text{};
    if (head.n_namesz == text.size() && head.n_type == RAYO_NOTE_TYPE && file.read(owner, text.data(), text.size()) &&
        std::memcmp(text.data(), RAYO_NOTE_OWNER, text.size()) == 0) {
      rayo_note_desc note{};
      if (!file.read(desc, &note, std::min<uint64_t>(head.n_descsz, sizeof note))) break;
      // A shorter note leaves version 0, a longer one is cut: both are judged by the caller.
      if (head.n_descsz < sizeof note) note.version = 0;
      *out = note;
      ++found;
    }
    at = next;
  }
  return found;
}

std::string check_note(const rayo_note_desc &note) {
  if (note.version != 1)
    return fmt::format("has a damaged or unknown {} section (version {})", RAYO_NOTE_SECTION, note.version);
  if (!terminated(note.name, sizeof note.name) || !terminated(note.vendor, sizeof note.vendor)) {
    return "has a damaged note: its name or vendor does not end";
  }
  if (!legal_name(note.name)) return "has a note whose name is not [a-z][a-z0-9_]*";
  if ((note.tiers & (RAYO_TIER_HOST | RAYO_TIER_DEVICE)) == 0)
    return fmt::format("has a note without a tier (tiers {:#x})", note.tiers);
  return "";
}

}  // namespace

ElfLook look_at_elf(const std::string &path) {
  ElfLook look;
  ElfFile file;
  look.reason = file.open(path, &look.file);
  if (look.reason.empty()) look_at_elf(file, &look);
  return look;
}

void look_at_elf(const ElfFile &file, ElfLook *out) {
  ElfLook &look = *out;
  uint32_t notes = 0;
  for (const Elf64_Phdr &segment : file.segments()) {
    if (segment.p_type == PT_NOTE) notes += find_notes(file, segment, &look.note);
  }
  std::string note_reason;
  if (notes == 0) {
    note_reason =
        fmt::format("has no {} section: a plugin states its needs there (RAYO_PLUGIN_NOTE)", RAYO_NOTE_SECTION);
  } else if (notes > 1) {
    note_reason = fmt::format("has {} Rayo notes; exactly one is legal", notes);
  } else {
    note_reason = check_note(look.note);
  }
  look.has_note = note_reason.empty();
  look.reason = file.find_function("rayo_plugin_query");
  if (look.reason.empty()) look.reason = std::move(note_reason);
}

}  // namespace rayo
