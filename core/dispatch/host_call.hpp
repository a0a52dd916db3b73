// SPDX-License-Identifier: Apache-2.0
//
// A bound call described once more, for another plan of it on host memory.
#pragma once

#include <rayo/plugin.h>

#include <vector>

#include "dispatch/bind.hpp"

namespace rayo {

class HostCall {
 public:
  explicit HostCall(const BoundCall &call);
  HostCall(const HostCall &) = delete;
  HostCall &operator=(const HostCall &) = delete;

  void put(size_t i, bool output, const rayo_tensor *given) {
    rayo_tensor &tensor = (output ? outputs_ : inputs_)[i];
    tensor.dl.data = given->dl.data;
    tensor.dl.byte_offset = given->dl.byte_offset;
  }
  void put(size_t i, bool output, void *element_zero) { (output ? outputs_ : inputs_)[i].dl.data = element_zero; }

  // For the host's kernels alone; borrows this.
  CallRequest request(const BoundCall &call) const;
  const rayo_tensor *const *in() const { return in_.data(); }
  const rayo_tensor *const *out() const { return out_.data(); }

 private:
  std::vector<rayo_attr> attrs_;
  std::vector<rayo_tensor> inputs_;
  std::vector<rayo_tensor> outputs_;
  std::vector<const rayo_tensor *> in_;
  std::vector<const rayo_tensor *> out_;
};

}  // namespace rayo
