// SPDX-License-Identifier: Apache-2.0
//
// Output files that appear whole or not at all: each is written under a temporary name in its own folder and renamed
// when everything has succeeded. What is left over is removed on failure and on SIGINT, SIGTERM, SIGHUP and SIGPIPE.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rayo::tools {

// Call once at start. A signal that is ignored stays ignored; the process still dies of the signal it got.
void remove_temp_files_on_signals();

class OutputFiles {
 public:
  // Creates a temporary file beside every path. Throws CommandError (RAYO_IO, RAYO_INVALID_ARGUMENT) naming the path
  // when it cannot be written: before any work is done. Paths must differ. A symbolic link is followed.
  explicit OutputFiles(const std::vector<std::string> &paths);
  ~OutputFiles();
  OutputFiles(const OutputFiles &) = delete;
  OutputFiles &operator=(const OutputFiles &) = delete;

  std::size_t size() const { return files_.size(); }
  int descriptor(std::size_t index) const { return files_[index].descriptor; }
  const std::string &path(std::size_t index) const { return files_[index].path; }

  // Renames all; when one fails, those already renamed are put back and CommandError RAYO_IO is thrown.
  void commit();

 private:
  struct File {
    std::string path;    // as given
    std::string target;  // links followed
    std::string temp;    // "" once renamed
    std::string backup;  // second name of the file that the rename replaced; "" if none
    int descriptor = -1;
    bool renamed = false;
  };

  void open_temp(File &file);
  void undo();
  void close_and_remove();

  std::vector<File> files_;
};

}  // namespace rayo::tools
