// SPDX-License-Identifier: Apache-2.0
//
// A bound call as one line of text, and back: kernel, op, types, shapes, strides, attributes, without its data. It is
// what a process leaves behind about the call that it died in (loader/launch_marks.hpp), what a replay runs
// (tools/probe), and how a call is described to the process of an isolated plugin (isolation/).
#pragma once

#include <rayo/plugin.h>

#include <string>
#include <string_view>
#include <vector>

#include "dispatch/kernel_view.hpp"
#include "dispatch/shape_rules.hpp"

namespace rayo {

// {"kernel":"add_f32","op":"add","schema":1,"in":[["f32",[5,3],[3,1]],null],"out":[...],
//  "attrs":[["axes","ints",[0,2]],["alpha","floats",[<bits of a double>]],["mode","text","none"]],
//  "threads":2,"numerics":2}
std::string call_line(std::string_view kernel, const rayo_op_desc &desc);

// A call read from such a line, and the descriptor that a kernel's prepare takes. Lines come from files and from other
// processes: everything is bounded and checked.
class LineCall {
 public:
  // Throws Error: no such line, an op that this process does not know, operands whose bytes do not fit 63 bits.
  explicit LineCall(std::string_view line);
  LineCall(const LineCall &) = delete;
  LineCall &operator=(const LineCall &) = delete;

  const std::string &kernel() const { return kernel_; }
  const rayo_op_desc &desc() const { return desc_; }
  const std::vector<OperandDesc> &inputs() const { return inputs_.operands(); }
  const std::vector<OperandDesc> &outputs() const { return outputs_.operands(); }
  std::string text() const;  // "add on f32[5, 3] and f32[3]", for messages

 private:
  std::string kernel_;
  OperandList inputs_;
  OperandList outputs_;
  Attributes attributes_;
  std::vector<std::string> names_;  // of the attributes
  rayo_op_desc desc_{};
};

}  // namespace rayo
