// SPDX-License-Identifier: Apache-2.0
//
// Text tables for people: aligned columns, at most 80 characters wide, the last column wrapped under itself.
#pragma once

#include <string>
#include <vector>

namespace rayo::tools {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  // As many cells as headings.
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Ends with a line end. A word longer than the room it has is not cut: names and paths stay whole.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// `text` broken between words so that lines fit `width`; every line after the first begins with `indent` spaces.
std::string wrap(const std::string &text, std::size_t width, std::size_t indent);

// "812 ns", "12.3 us", "4.56 ms", "1.20 s".
std::string duration_text(double nanoseconds);

}  // namespace rayo::tools
