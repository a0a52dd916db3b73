// SPDX-License-Identifier: Apache-2.0
#include "tuner/features.hpp"

#include <algorithm>
#include <bit>

namespace rayo {
namespace {

uint64_t times(uint64_t a, uint64_t b) noexcept {
  uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? UINT64_MAX : out;
}

uint64_t extent(const rayo_tensor_desc &tensor, int32_t axis) noexcept {
  return static_cast<uint64_t>(tensor.shape[axis]);
}

uint64_t elements(const rayo_tensor_desc &tensor) noexcept {
  uint64_t count = 1;
  for (int32_t axis = 0; axis < tensor.ndim; ++axis) count = times(count, extent(tensor, axis));
  return count;
}

// Value 0 of the op's first attribute where that is an axis: softmax, norms, argmax.
bool first_axis(const rayo_op_desc &desc, int64_t *out) noexcept {
  if (desc.attr_count == 0 || desc.attrs[0].kind != RAYO_ATTR_INT || desc.attrs[0].count != 1) return false;
  *out = static_cast<const int64_t *>(desc.attrs[0].data)[0];
  return true;
}

Features along(uint64_t count, uint64_t line, bool contiguous) noexcept {
  count = std::max<uint64_t>(count, 1);
  if (line >= count) return {2, 0, count};
  return {contiguous ? 0u : 1u, half_octaves(line), count};
}

Features reduction(const rayo_op_desc &desc) noexcept {
  const rayo_tensor_desc &in = *desc.inputs[0];
  const uint64_t count = elements(in);
  const uint64_t rows = std::max<uint64_t>(elements(*desc.outputs[0]), 1);
  bool contiguous = in.ndim == 0;
  if (desc.attr_count > 0 && desc.attrs[0].kind == RAYO_ATTR_INT) {
    const auto *axes = static_cast<const int64_t *>(desc.attrs[0].data);
    contiguous = contiguous || desc.attrs[0].count == 0;  // an empty list is all axes
    for (uint32_t i = 0; i < desc.attrs[0].count; ++i) contiguous = contiguous || axes[i] == in.ndim - 1;
  }
  return along(count, count / rows, contiguous);
}

// softmax: lines along one axis. cast has the same shape rule and no axis.
Features same_shape(const rayo_op_desc &desc) noexcept {
  const rayo_tensor_desc &in = *desc.inputs[0];
  const uint64_t count = elements(in);
  int64_t axis = 0;
  if (!first_axis(desc, &axis) || axis < 0 || axis >= in.ndim) return {0, 0, std::max<uint64_t>(count, 1)};
  return along(count, extent(in, static_cast<int32_t>(axis)), axis == in.ndim - 1);
}

Features norm(const rayo_op_desc &desc) noexcept {
  const rayo_tensor_desc &in = *desc.inputs[0];
  int64_t axis = in.ndim - 1;
  first_axis(desc, &axis);
  uint64_t line = 1;
  for (int32_t i = static_cast<int32_t>(std::max<int64_t>(axis, 0)); i < in.ndim; ++i)
    line = times(line, extent(in, i));
  return along(elements(in), line, true);
}

// m, n and k follow from the output and A, whatever is transposed: their products are what counts.
Features product(const rayo_op_desc &desc, bool is_gemm) noexcept {
  const rayo_tensor_desc &a = *desc.inputs[0];
  const rayo_tensor_desc &b = *desc.inputs[1];
  const rayo_tensor_desc &y = *desc.outputs[0];
  uint64_t m = 1, n = 1, k = 1;
  if (is_gemm) {
    m = std::max<uint64_t>(extent(y, 0), 1);
    n = std::max<uint64_t>(extent(y, 1), 1);
    k = std::max<uint64_t>(elements(a) / m, 1);
  } else {
    k = a.ndim > 0 ? std::max<uint64_t>(extent(a, a.ndim - 1), 1) : 1;
    m = a.ndim > 1 ? std::max<uint64_t>(extent(a, a.ndim - 2), 1) : 1;
    n = b.ndim > 1 ? std::max<uint64_t>(extent(b, b.ndim - 1), 1) : 1;
  }
  const uint64_t volume = std::max<uint64_t>(times(elements(y), k), 1);
  const uint64_t smallest = std::min({m, n, k});
  const uint32_t which = smallest == k ? 3 : smallest == n ? 2 : 1;
  if (smallest == 1) return {std::max(m, std::max(n, k)) == 1 ? 0 : which + 3, 0, volume};
  const int32_t level = (half_octaves(m) + half_octaves(n) + half_octaves(k) + 1) / 3 - half_octaves(smallest);
  return level <= 0 ? Features{0, 0, volume} : Features{which, level, volume};
}

Features transposition(const rayo_op_desc &desc) noexcept {
  const rayo_tensor_desc &in = *desc.inputs[0];
  bool stays = in.ndim == 0;
  if (in.ndim > 0 && desc.attr_count > 0 && desc.attrs[0].count == static_cast<uint32_t>(in.ndim)) {
    stays = static_cast<const int64_t *>(desc.attrs[0].data)[in.ndim - 1] == in.ndim - 1;
  }
  return {stays ? 1u : 0u, 0, std::max<uint64_t>(elements(in), 1)};
}

Features largest_operand(const rayo_op_desc &desc) noexcept {
  uint64_t most = 1;
  for (uint32_t i = 0; i < desc.input_count; ++i) {
    if (desc.inputs[i]->dtype.bits != 0) most = std::max(most, elements(*desc.inputs[i]));
  }
  for (uint32_t o = 0; o < desc.output_count; ++o) most = std::max(most, elements(*desc.outputs[o]));
  return {0, 0, most};
}

Features decomposition(const rayo_op_desc &desc) noexcept {
  const rayo_tensor_desc &in = *desc.inputs[0];
  const uint64_t order = in.ndim > 0 ? extent(in, in.ndim - 1) : 1;
  return {0, 0, std::max<uint64_t>(times(elements(in), order), 1)};
}

uint32_t dtype_index(DLDataType dtype) noexcept {
  switch (dtype.code << 8 | dtype.bits) {
    case kDLFloat << 8 | 32:
      return 0;
    case kDLFloat << 8 | 64:
      return 1;
    case kDLFloat << 8 | 16:
      return 2;
    case kDLBfloat << 8 | 16:
      return 3;
    case kDLInt << 8 | 8:
      return 4;
    case kDLUInt << 8 | 8:
      return 5;
    case kDLInt << 8 | 32:
      return 6;
    case kDLInt << 8 | 64:
      return 7;
    default:
      return 8;
  }
}

}  // namespace

int32_t half_octaves(uint64_t x) noexcept {
  if (x == 0) return 0;
  const int32_t octave = 63 - std::countl_zero(x);
  // Sixteen bits of mantissa against 2^(1/4) and 2^(3/4): the middle between two half octaves.
  const uint64_t mantissa = octave >= 15 ? x >> (octave - 15) : x << (15 - octave);
  return 2 * octave + (mantissa >= 38968 ? 1 : 0) + (mantissa >= 55109 ? 1 : 0);
}

Features features_of(ShapeRule rule, const rayo_op_desc &desc) noexcept {
  if (desc.output_count == 0 || desc.input_count == 0) return {};
  switch (rule) {
    case ShapeRule::broadcast:
    case ShapeRule::quantize:
      return {0, 0, std::max<uint64_t>(elements(*desc.outputs[0]), 1)};
    case ShapeRule::same:
      return same_shape(desc);
    case ShapeRule::reduce:
    case ShapeRule::arg_reduce:
      return reduction(desc);
    case ShapeRule::dot:
      return {2, 0, std::max<uint64_t>(elements(*desc.inputs[0]), 1)};
    case ShapeRule::norm:
      return norm(desc);
    case ShapeRule::matmul:
    case ShapeRule::matmul_integer:
      return product(desc, false);
    case ShapeRule::gemm:
      return product(desc, true);
    case ShapeRule::transpose:
      return transposition(desc);
    case ShapeRule::eigh:
      return decomposition(desc);
    case ShapeRule::vendor:
      break;
  }
  return largest_operand(desc);
}

const char *layout_name(uint32_t layout) noexcept {
  static constexpr const char *kNames[kLayouts] = {"contiguous", "broadcast", "strided"};
  return layout < kLayouts ? kNames[layout] : "unknown";
}

bool parse_layout(std::string_view name, uint32_t *out) noexcept {
  for (uint32_t layout = 0; layout < kLayouts; ++layout) {
    if (name != layout_name(layout)) continue;
    *out = layout;
    return true;
  }
  return false;
}

uint32_t layout_of(const rayo_op_desc &desc, bool compact) noexcept {
  if (compact) return kLayoutContiguous;
  for (uint32_t i = 0; i < desc.input_count; ++i) {
    const rayo_tensor_desc &in = *desc.inputs[i];
    for (int32_t axis = 0; axis < in.ndim && in.dtype.bits != 0; ++axis) {
      if (in.strides[axis] == 0 && in.shape[axis] > 1) return kLayoutBroadcast;
    }
  }
  return kLayoutStrided;
}

uint32_t type_index(const BoundTypes &types) noexcept {
  const uint32_t first = types.empty() ? 8 : dtype_index(types[0].second);
  const uint32_t second = types.size() < 2 ? 8 : dtype_index(types[1].second);
  return first * 9 + second;
}

}  // namespace rayo
