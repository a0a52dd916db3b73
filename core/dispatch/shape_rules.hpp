// SPDX-License-Identifier: Apache-2.0
//
// From the inputs' types and shapes to the outputs': the shape rules that the op catalogue names.
#pragma once

#include <rayo/plugin.h>

#include <string>
#include <vector>

#include "dispatch/attributes.hpp"
#include "registry/ops.hpp"

namespace rayo {

// One operand without its memory: type, shape, strides in elements (filled, never implied). bits == 0 = absent.
struct OperandDesc {
  DLDataType dtype{0, 0, 1};
  int32_t ndim = 0;
  int64_t shape[RAYO_MAX_NDIM] = {};
  int64_t strides[RAYO_MAX_NDIM] = {};

  bool absent() const { return dtype.bits == 0; }
  int64_t elements() const;  // no overflow: checked when the operand was read
  bool compact() const;      // row-major without gaps; extents of 1 may have any stride
  void set_compact_strides();
};

// "[2, 3]" for messages.
std::string shape_text(const OperandDesc &operand);

// Refuses extents and strides whose byte addresses would not fit 63 bits. Throws Error.
void check_extents(const std::string &what, const OperandDesc &operand);

// Values of the schema's type variables for these inputs; refuses illegal types and variables bound twice.
std::vector<std::pair<std::string, DLDataType>> bind_types(const Schema &schema,
                                                           const std::vector<OperandDesc> &inputs);

// Types and shapes of the outputs with compact strides. Normalises attributes that depend on shapes (transpose's perm).
// `desc` describes the inputs for schemas that bring their own infer_shape. Throws Error.
std::vector<OperandDesc> infer_outputs(const Schema &schema, const std::vector<OperandDesc> &inputs,
                                       Attributes *attributes, const rayo_op_desc &desc);

}  // namespace rayo
