// SPDX-License-Identifier: Apache-2.0
//
// A runtime over chosen plugin files and nothing else, and plans on it: for deciders that time calls or watch the
// choice among several plugins.
#pragma once

#include <rayo/rayo.h>

#include <string>
#include <vector>

#include "suites/dtype.hpp"

namespace rayo::conform::claims {

class BareRuntime {
 public:
  // Throws CallFailed with the library's text.
  explicit BareRuntime(const std::vector<std::string> &files, std::uint32_t threads = 0);
  ~BareRuntime() { rayo_runtime_destroy(runtime_); }
  BareRuntime(const BareRuntime &) = delete;
  BareRuntime &operator=(const BareRuntime &) = delete;
  rayo_runtime *get() const { return runtime_; }

 private:
  rayo_runtime *runtime_ = nullptr;
};

// Loads just this file; the status of rayo_runtime_create, its text in out_text.
rayo_status try_load(const std::string &file, std::string &out_text);

// A dense call on memory of its own: compact operands of one type, filled by the caller.
class DenseCall {
 public:
  DenseCall(const std::string &op, Dtype dtype, std::vector<Shape> inputs, Shape output);
  std::vector<std::byte> &input(std::size_t i) { return memory_[i]; }
  std::vector<std::byte> &output() { return memory_.back(); }
  // Values of the distribution (distribution.hpp) in every input.
  void fill(std::string_view distribution, std::uint64_t seed);
  void set_attribute(const std::string &name, const std::string &text);

  rayo_call_desc desc(const rayo_run_options *options) const;
  rayo_op op() const { return op_; }
  const rayo_tensor *const *inputs() const { return in_.data(); }
  const rayo_tensor *const *outputs() const { return out_.data(); }
  std::uint32_t input_count() const { return static_cast<std::uint32_t>(in_.size()); }

 private:
  rayo_op op_;
  Dtype dtype_;
  std::vector<Shape> shapes_;  // the output's last
  std::vector<std::vector<std::byte>> memory_;
  std::vector<rayo_tensor> tensors_;
  std::vector<const rayo_tensor *> in_;
  std::vector<const rayo_tensor *> out_;
  std::string name_;
  std::string text_;
  std::vector<rayo_attr> attrs_;
};

class BoundPlan {
 public:
  // threads 0 = the runtime's. Throws CallFailed.
  BoundPlan(const BareRuntime &runtime, const DenseCall &call, std::uint32_t threads, const char *device = nullptr);
  ~BoundPlan() { rayo_plan_destroy(plan_); }
  BoundPlan(const BoundPlan &) = delete;
  BoundPlan &operator=(const BoundPlan &) = delete;
  void run() const;  // throws CallFailed
  const rayo_plan *get() const { return plan_; }

 private:
  const DenseCall &call_;
  rayo_plan *plan_ = nullptr;
};

}  // namespace rayo::conform::claims
