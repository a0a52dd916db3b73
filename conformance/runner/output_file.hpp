// SPDX-License-Identifier: Apache-2.0
//
// A report's file: it appears whole or not at all, and that it can be written is known before the run begins.
#pragma once

#include <string>

namespace rayo::conform {

class OutputFile {
 public:
  // "" is stdout. Creates a temporary file beside `path`, following links; what is no regular file (a device, a pipe)
  // is opened in place by commit(). Throws std::runtime_error naming the path.
  explicit OutputFile(const std::string &path);
  ~OutputFile();  // removes what was not committed
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  const std::string &temporary() const { return temporary_; }  // "" if there is none
  void commit(const std::string &text);

 private:
  [[noreturn]] void fail(int error) const;

  std::string path_;    // as given
  std::string target_;  // links followed
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace rayo::conform
