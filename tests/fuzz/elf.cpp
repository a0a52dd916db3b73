// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "loader/elf_look.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int file = ::memfd_create("plugin", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) return 0;
  const rayo::ElfLook look = rayo::look_at_elf(path);
  // Strings of a note that is believed end inside it.
  const auto ends = [](const auto &text) { return std::memchr(text, '\0', sizeof text) != nullptr; };
  if (look.has_note && !(ends(look.note.name) && ends(look.note.vendor))) __builtin_trap();
  return 0;
}
