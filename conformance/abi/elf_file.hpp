// SPDX-License-Identifier: Apache-2.0
//
// As much of an ELF file as the suite needs: the symbols it exports and Rayo's note. For files that the loader accepts;
// every offset is checked against the file's size all the same.
#pragma once

#include <rayo/plugin.h>

#include <optional>
#include <string>
#include <vector>

namespace rayo::conform::abi {

class ElfFile {
 public:
  explicit ElfFile(const std::string &path);  // throws Defect
  std::vector<std::string> exported_symbols() const;
  std::optional<rayo_note_desc> note() const;
  std::optional<std::string> section(const std::string &name) const;  // its bytes

 private:
  template <class T>
  T at(std::uint64_t offset) const;

  std::vector<char> bytes_;
};

}  // namespace rayo::conform::abi
