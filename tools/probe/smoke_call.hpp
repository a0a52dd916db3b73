// SPDX-License-Identifier: Apache-2.0
//
// A small call of any op for the smoke test: operands that follow from the op's shape rule, types and a round number.
#pragma once

#include <rayo/rayo.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/bind.hpp"
#include "registry/registry.hpp"

namespace rayo::probe {

using Binding = std::map<std::string, DLDataType>;  // type variable -> dtype

// Every combination of the kernel's types, at most `most`.
std::vector<Binding> bindings_of(const TypeBindings &types, size_t most);

class SmokeCall {
 public:
  // Inputs hold whole numbers from -8 to 8 in round 0, multiples of 1/8 in round 1. Throws Error when the op does not
  // take such operands.
  SmokeCall(const Registry &registry, const Schema &schema, const Binding &types, int round);
  SmokeCall(const SmokeCall &) = delete;
  SmokeCall &operator=(const SmokeCall &) = delete;

  // Runs it on the kernels of `device` and returns the outputs' bytes, one string after the other. Empty: no kernel of
  // it takes the call. Throws Error when the call fails, or did something to memory that is not its own.
  std::string run(const Registry &registry, const std::string &device);

  // The index of the first element in which two results differ, and both values as text; "" = equal. NaNs are equal.
  std::string difference(const std::string &result, const std::string &expected) const;

 private:
  struct Operand {
    OperandDesc desc;
    std::vector<unsigned char> memory;
    rayo_tensor tensor{};
  };

  void add_input(const OperandSpec &spec, size_t index);
  void add_attributes(const Schema &schema, const Binding &types);
  static void finish_operand(Operand *operand);
  CallRequest request(const std::string &device) const;
  void check_memory(const std::vector<std::vector<unsigned char>> &inputs_before) const;

  const Schema &schema_;
  const Binding types_;
  const int round_;
  std::vector<std::unique_ptr<Operand>> inputs_;
  std::vector<std::unique_ptr<Operand>> outputs_;
  std::vector<const rayo_tensor *> in_;
  std::vector<const rayo_tensor *> out_;
  std::string text_attribute_;
  std::vector<rayo_attr> attributes_;
};

}  // namespace rayo::probe
