// SPDX-License-Identifier: Apache-2.0
//
// The static look: what a file says about itself, read without dlopen and without trusting one number in it. A
// truncated shared object kills the process that dlopens it (SIGBUS), so every file passes here first.
#pragma once

#include <rayo/plugin.h>
#include <sys/stat.h>

#include <string>

namespace rayo {

class ElfFile;

struct ElfLook {
  std::string reason;     // why the file is no loadable plugin; "" = the static look found nothing wrong
  rayo_note_desc note{};  // valid when has_note; its strings are terminated
  bool has_note = false;
  struct stat file {};  // of the very file that was read
};

// Reads at most a few KiB of `path`. Blocks on nothing (FIFOs and devices are refused unread), maps nothing, allocates
// little whatever the file claims. Throws only std::bad_alloc. A reason may come together with a note.
ElfLook look_at_elf(const std::string &path);
// The same of an open file, which may be another's to change; all but out->file.
void look_at_elf(const ElfFile &file, ElfLook *out);

}  // namespace rayo
