// SPDX-License-Identifier: Apache-2.0
//
// What a child writes to a standard stream: counted, its beginning kept, and always taken in, so that no writer waits.
#pragma once

#include <cstdint>
#include <string>

namespace rayo::probe {

class OutputPipe {
 public:
  OutputPipe();
  ~OutputPipe();
  OutputPipe(const OutputPipe &) = delete;
  OutputPipe &operator=(const OutputPipe &) = delete;

  void become(int fd) const;  // in the child: the write end takes the place of `fd`
  void close_write();
  void drain();  // takes in what is there, without waiting

  bool open() const { return read_ >= 0; }
  int read_end() const { return read_; }
  uint64_t bytes() const { return bytes_; }
  std::string text() const;  // the beginning, on one line, printable

 private:
  int read_ = -1;
  int write_ = -1;
  uint64_t bytes_ = 0;
  std::string kept_;
};

}  // namespace rayo::probe
