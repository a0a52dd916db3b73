// SPDX-License-Identifier: Apache-2.0
//
// A bounded reader over an ELF64 shared object of this machine: every access is checked against the file's size and
// done by pread, so that a file which shrinks meanwhile gives an error and no SIGBUS.
#pragma once

#include <elf.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rayo {

class ElfFile {
 public:
  ElfFile() = default;
  ~ElfFile();
  ElfFile(const ElfFile &) = delete;
  ElfFile &operator=(const ElfFile &) = delete;

  // "" or the reason why it is not a loadable shared object of this machine.
  std::string open(const std::string &path, struct stat *out_stat);

  // Whether `name` is a defined, visible function that dlsym would find. "" or the reason.
  std::string find_function(std::string_view name) const;

  // Reads exactly `bytes` at a file offset; false when they are not all there.
  bool read(uint64_t offset, void *out, uint64_t bytes) const;
  const std::vector<Elf64_Phdr> &segments() const { return segments_; }

 private:
  struct DynamicTables;

  std::string check_header(const Elf64_Ehdr &header) const;
  std::string check_segments() const;
  bool read_memory(uint64_t address, void *out, uint64_t bytes) const;
  std::string read_dynamic(DynamicTables *out) const;
  bool is_symbol(const DynamicTables &tables, uint32_t index, std::string_view name, std::string *reason) const;
  bool look_up_gnu(const DynamicTables &tables, std::string_view name, std::string *reason) const;
  bool look_up_sysv(const DynamicTables &tables, std::string_view name, std::string *reason) const;

  int fd_ = -1;
  uint64_t size_ = 0;
  std::vector<Elf64_Phdr> segments_;
};

}  // namespace rayo
