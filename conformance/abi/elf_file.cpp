// SPDX-License-Identifier: Apache-2.0
#include "abi/elf_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "abi/host.hpp"

namespace rayo::conform::abi {

ElfFile::ElfFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  bytes_.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  if (bytes_.size() < sizeof(Elf64_Ehdr) || std::memcmp(bytes_.data(), ELFMAG, SELFMAG) != 0 ||
      bytes_[EI_CLASS] != ELFCLASS64) {
    throw Defect(fmt::format("{} is no 64-bit ELF file", path));
  }
}

template <class T>
T ElfFile::at(std::uint64_t offset) const {
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) {
    throw Defect(fmt::format("ELF: offset {} lies outside the file", offset));
  }
  T value;
  std::memcpy(&value, bytes_.data() + offset, sizeof value);
  return value;
}

std::vector<std::string> ElfFile::exported_symbols() const {
  const auto header = at<Elf64_Ehdr>(0);
  std::vector<std::string> names;
  bool found = false;
  for (unsigned s = 0; s < header.e_shnum; ++s) {
    const auto section = at<Elf64_Shdr>(header.e_shoff + std::uint64_t{s} * header.e_shentsize);
    if (section.sh_type != SHT_DYNSYM || section.sh_entsize < sizeof(Elf64_Sym)) continue;
    found = true;
    const auto strings = at<Elf64_Shdr>(header.e_shoff + std::uint64_t{section.sh_link} * header.e_shentsize);
    for (std::uint64_t i = 0; i < section.sh_size / section.sh_entsize; ++i) {
      const auto symbol = at<Elf64_Sym>(section.sh_offset + i * section.sh_entsize);
      const bool visible = ELF64_ST_BIND(symbol.st_info) != STB_LOCAL && symbol.st_shndx != SHN_UNDEF &&
                           (symbol.st_other & 3) != STV_HIDDEN;
      if (!visible) continue;
      const std::uint64_t first = strings.sh_offset + symbol.st_name;
      (void)at<char>(first);
      const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(first);
      names.emplace_back(begin, std::find(begin, bytes_.end(), '\0'));
    }
  }
  if (!found) throw Defect("the file has no table of dynamic symbols");
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<rayo_note_desc> ElfFile::note() const {
  const auto header = at<Elf64_Ehdr>(0);
  for (unsigned s = 0; s < header.e_phnum; ++s) {
    const auto segment = at<Elf64_Phdr>(header.e_phoff + std::uint64_t{s} * header.e_phentsize);
    if (segment.p_type != PT_NOTE) continue;
    const std::uint64_t align = segment.p_align == 8 ? 8 : 4;
    for (std::uint64_t at_note = segment.p_offset;
         at_note + sizeof(Elf64_Nhdr) <= segment.p_offset + segment.p_filesz;) {
      const auto note = at<Elf64_Nhdr>(at_note);
      const std::uint64_t name = at_note + sizeof note;
      const std::uint64_t desc = name + (note.n_namesz + align - 1) / align * align;
      if (note.n_namesz == 5 && note.n_type == RAYO_NOTE_TYPE && note.n_descsz >= sizeof(rayo_note_desc) &&
          std::memcmp(at<std::array<char, 5>>(name).data(), RAYO_NOTE_OWNER, 5) == 0) {
        return at<rayo_note_desc>(desc);
      }
      at_note = desc + (note.n_descsz + align - 1) / align * align;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ElfFile::section(const std::string &name) const {
  const auto header = at<Elf64_Ehdr>(0);
  const auto section_at = [&](unsigned index) {
    return at<Elf64_Shdr>(header.e_shoff + std::uint64_t{index} * header.e_shentsize);
  };
  if (header.e_shnum == 0) return std::nullopt;
  const Elf64_Shdr names = section_at(header.e_shstrndx);
  for (unsigned s = 0; s < header.e_shnum; ++s) {
    const Elf64_Shdr section = section_at(s);
    const std::uint64_t first = names.sh_offset + section.sh_name;
    if (first + name.size() >= bytes_.size() ||
        std::memcmp(bytes_.data() + first, name.c_str(), name.size() + 1) != 0) {
      continue;
    }
    if (section.sh_offset > bytes_.size() || section.sh_size > bytes_.size() - section.sh_offset) {
      throw Defect(fmt::format("ELF: section {} lies outside the file", name));
    }
    return std::string(bytes_.data() + section.sh_offset, section.sh_size);
  }
  return std::nullopt;
}

}  // namespace rayo::conform::abi
