// SPDX-License-Identifier: Apache-2.0
//
// One call of one op: what would run it (Explanation), and running it on tensors with timing and verification.
#pragma once

#include <rayo/rayo.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attributes.hpp"
#include "compare.hpp"
#include "host_tensor.hpp"
#include "session.hpp"

namespace rayo::tools {

// Throws a usage error when `count` is outside what the op's schema takes.
void check_input_count(const rayo_op_info &op, std::size_t count);

// `device` ("" = the session's) is borrowed by the result.
rayo_run_options call_options(const SessionOptions &session, const std::string &device);

class Explanation {
 public:
  Explanation(const Session &session, const rayo_op_info &op, const std::vector<const rayo_tensor *> &inputs,
              const AttributeList &attributes, const rayo_run_options &options);

  // The texts live as long as this object. nullptr: nobody can run the call.
  const rayo_candidate *chosen() const {
    return chosen_ < 0 ? nullptr : &candidates_[static_cast<std::size_t>(chosen_)];
  }
  const std::vector<rayo_candidate> &candidates() const { return candidates_; }
  const char *level() const { return rayo_explanation_level(handle_.get()); }

 private:
  struct Destroy {
    void operator()(rayo_explanation *explanation) const { rayo_explanation_destroy(explanation); }
  };
  std::unique_ptr<rayo_explanation, Destroy> handle_;
  std::vector<rayo_candidate> candidates_;
  int32_t chosen_ = -1;
};

// A call with its operands. The operands' descriptors point into the tensors: neither copied nor moved.
class Call {
 public:
  // Infers the outputs' shapes; nothing is allocated. `inputs`: no value = an optional input left out.
  Call(const Session &session, const rayo_op_info &op, const AttributeList &attributes,
       std::vector<std::optional<HostTensor>> inputs);
  Call(const Call &) = delete;
  Call &operator=(const Call &) = delete;

  std::size_t output_count() const { return output_shapes_.size(); }
  const std::vector<const rayo_tensor *> &input_pointers() const { return input_pointers_; }

  // Fresh outputs of the inferred shapes.
  std::vector<HostTensor> allocate_outputs() const;
  // Runs into `outputs`; nanoseconds of the call.
  double run(std::vector<HostTensor> &outputs, const rayo_run_options &options) const;

 private:
  const Session &session_;
  rayo_op_info op_;
  const AttributeList &attributes_;
  std::vector<std::optional<HostTensor>> inputs_;
  std::vector<rayo_tensor> input_views_;
  std::vector<const rayo_tensor *> input_pointers_;
  std::vector<rayo_shape> output_shapes_;
};

}  // namespace rayo::tools
