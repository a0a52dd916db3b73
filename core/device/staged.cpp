// SPDX-License-Identifier: Apache-2.0
#include "device/staged.hpp"

#include <cstring>

#include "dispatch/overlap.hpp"

namespace rayo {
namespace {

// Bytes of the elements, each repeated one counted once.
uint64_t distinct_bytes(const OperandDesc &operand) {
  uint64_t count = operand.dtype.bits / 8;
  for (int32_t i = 0; i < operand.ndim; ++i) {
    if (operand.strides[i] != 0) count *= static_cast<uint64_t>(operand.shape[i]);
  }
  return count;
}

struct Axis {
  int64_t extent;
  int64_t from;  // bytes
  int64_t to;
};

}  // namespace

StagedLayout staged_layout(const OperandDesc &operand) {
  StagedLayout staged;
  staged.operand = operand;
  if (operand.absent() || operand.elements() == 0) return staged;
  const ByteSpan span = byte_span(operand);
  const auto bytes = static_cast<uint64_t>(span.high - span.low);
  const uint64_t distinct = distinct_bytes(operand);
  if (bytes / 2 <= distinct) {
    staged.bytes = bytes;
    staged.origin = static_cast<uint64_t>(-span.low);
    OperandDesc once = operand;  // without the axes that repeat
    for (int32_t i = 0; i < once.ndim; ++i) {
      if (once.strides[i] == 0) once.shape[i] = 1;
    }
    staged.whole = bytes == distinct && distinct_elements(once);
    return staged;
  }
  int64_t step = 1;
  for (int32_t i = operand.ndim; i-- > 0;) {
    if (operand.strides[i] == 0 && operand.shape[i] > 1) continue;
    staged.operand.strides[i] = step;
    step *= operand.shape[i];
  }
  staged.bytes = distinct;
  return staged;
}

void copy_elements(const OperandDesc &from_layout, const char *from, const OperandDesc &to_layout, char *to) {
  auto run = static_cast<size_t>(from_layout.dtype.bits / 8);
  const auto item = static_cast<int64_t>(run);
  Axis axes[RAYO_MAX_NDIM];
  int32_t count = 0;
  for (int32_t i = 0; i < from_layout.ndim; ++i) {
    if (from_layout.shape[i] == 0) return;
    const Axis axis{from_layout.shape[i], from_layout.strides[i] * item, to_layout.strides[i] * item};
    if (axis.extent == 1 || (axis.from == 0 && axis.to == 0)) continue;
    axes[count++] = axis;
  }
  while (count > 0 && axes[count - 1].from == static_cast<int64_t>(run) &&
         axes[count - 1].to == static_cast<int64_t>(run)) {
    run *= static_cast<size_t>(axes[--count].extent);
  }
  int64_t index[RAYO_MAX_NDIM] = {};
  for (;;) {
    std::memcpy(to, from, run);
    int32_t axis = count;
    while (axis-- > 0) {
      from += axes[axis].from;
      to += axes[axis].to;
      if (++index[axis] < axes[axis].extent) break;
      from -= axes[axis].from * axes[axis].extent;
      to -= axes[axis].to * axes[axis].extent;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

}  // namespace rayo
