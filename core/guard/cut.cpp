// SPDX-License-Identifier: Apache-2.0
#include "guard/cut.hpp"

#include <algorithm>

namespace rayo {
namespace {

// Operations of a piece, more or less: scalar takes some microseconds for them, and a call as such 0.1.
constexpr int64_t kPieceWork = 512;
// An outer axis with so many pieces is preferred to a longer inner one, whose pieces lie strided.
constexpr int64_t kManyPieces = 16;

struct Axis {
  int32_t output = -1;  // -1: this axis cannot be cut
  std::array<int32_t, RAYO_MAX_OPERANDS> inputs{};
};

Axis whole(int32_t output) {
  Axis axis;
  axis.output = output;
  axis.inputs.fill(-1);
  return axis;
}

// Where the leading `count` axes of an operand broadcast to `rank` axes of the output: the one that axis `output` of
// those is; -1 if it is broadcast.
int32_t broadcast_axis(const OperandDesc &operand, int32_t count, int32_t output, int32_t rank) {
  const int32_t axis = output - (rank - count);
  return operand.absent() || axis < 0 || operand.shape[axis] == 1 ? -1 : axis;
}

Axis broadcast(const BoundCall &call, int32_t output) {
  Axis axis = whole(output);
  for (size_t i = 0; i < call.inputs().size(); ++i) {
    const OperandDesc &operand = call.inputs()[i];
    axis.inputs[i] = broadcast_axis(operand, operand.ndim, output, call.outputs()[0].ndim);
  }
  return axis;
}

// softmax and the norms work along `axis` (the norms from there on); cast along none.
Axis same(const BoundCall &call, int32_t output) {
  if (const rayo_attr *attr = call.attributes().find("axis"); attr != nullptr) {
    const int64_t axis = *static_cast<const int64_t *>(attr->data);
    const bool worked_along = call.schema().rule == ShapeRule::norm ? output >= axis : output == axis;
    if (worked_along) return {};
  }
  Axis axis = whole(output);
  axis.inputs[0] = output;
  return axis;
}

Axis reduce(const BoundCall &call, int32_t output) {
  const int32_t ndim = call.inputs()[0].ndim;
  std::vector<int64_t> axes = call.schema().rule == ShapeRule::reduce
                                  ? call.attributes().ints("axes")
                                  : std::vector<int64_t>{call.attributes().int_or("axis", 0)};
  if (axes.empty()) return {};  // all
  const bool keeps = call.attributes().int_or("keepdims", 1) != 0;
  int32_t at = 0;  // axis of the output
  for (int32_t i = 0; i < ndim; ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced && at == output) {
      Axis axis = whole(output);
      axis.inputs[0] = i;
      return axis;
    }
    at += static_cast<int32_t>(!reduced || keeps);
  }
  return {};
}

// Rows belong to A, columns to B, batches to both.
Axis matmul(const BoundCall &call, int32_t output) {
  const OperandDesc &a = call.inputs()[0];
  const OperandDesc &b = call.inputs()[1];
  const int32_t ndim = call.outputs()[0].ndim;
  const int32_t batches = ndim - static_cast<int32_t>(a.ndim > 1) - static_cast<int32_t>(b.ndim > 1);
  const auto zero_point = [&](size_t input) {
    const auto &inputs = call.inputs();
    return input < inputs.size() && inputs[input].ndim == 1 && inputs[input].shape[0] > 1 ? 0 : -1;
  };
  Axis axis = whole(output);
  if (output < batches) {
    axis.inputs[0] = broadcast_axis(a, a.ndim - 2, output, batches);
    axis.inputs[1] = broadcast_axis(b, b.ndim - 2, output, batches);
  } else if (output == batches && a.ndim > 1) {
    axis.inputs[0] = a.ndim - 2;
    axis.inputs[2] = zero_point(2);
  } else {
    axis.inputs[1] = b.ndim - 1;
    axis.inputs[3] = zero_point(3);
  }
  return axis;
}

Axis gemm(const BoundCall &call, int32_t output) {
  Axis axis = whole(output);
  const bool transposed = call.attributes().int_or(output == 0 ? "transA" : "transB", 0) != 0;
  axis.inputs[static_cast<size_t>(output)] = transposed ? 1 - output : output;
  if (call.inputs().size() > 2) {
    axis.inputs[2] = broadcast_axis(call.inputs()[2], call.inputs()[2].ndim, output, 2);
  }
  return axis;
}

Axis transpose(const BoundCall &call, int32_t output) {
  Axis axis = whole(output);
  axis.inputs[0] = static_cast<int32_t>(call.attributes().ints("perm")[static_cast<size_t>(output)]);
  return axis;
}

Axis quantize(const BoundCall &call, int32_t output) {
  Axis axis = whole(output);
  axis.inputs[0] = output;
  const bool varies = output == call.attributes().int_or("axis", 0);
  for (size_t i = 1; varies && i < call.inputs().size(); ++i) {
    if (!call.inputs()[i].absent() && call.inputs()[i].elements() > 1) axis.inputs[i] = 0;
  }
  return axis;
}

Axis axis_of(const BoundCall &call, int32_t output) {
  switch (call.schema().rule) {
    case ShapeRule::broadcast:
      return broadcast(call, output);
    case ShapeRule::same:
    case ShapeRule::norm:
      return same(call, output);
    case ShapeRule::reduce:
    case ShapeRule::arg_reduce:
      return reduce(call, output);
    case ShapeRule::matmul:
    case ShapeRule::matmul_integer:
      return matmul(call, output);
    case ShapeRule::gemm:
      return gemm(call, output);
    case ShapeRule::transpose:
      return transpose(call, output);
    case ShapeRule::quantize:
      return quantize(call, output);
    default:  // one number, or an op whose parts hang together
      return {};
  }
}

bool is_product(ShapeRule rule) {
  return rule == ShapeRule::matmul || rule == ShapeRule::matmul_integer || rule == ShapeRule::gemm;
}

// Operations behind the whole output, more or less.
double work_of(const BoundCall &call) {
  double work = static_cast<double>(call.outputs()[0].elements());
  if (call.schema().rule == ShapeRule::gemm) {
    const OperandDesc &a = call.inputs()[0];
    work *= static_cast<double>(a.shape[call.attributes().int_or("transA", 0) != 0 ? 0 : 1]);
  } else if (is_product(call.schema().rule)) {
    work *= static_cast<double>(call.inputs()[0].shape[call.inputs()[0].ndim - 1]);
  }
  return std::max(work, static_cast<double>(call.inputs()[0].elements()));
}

}  // namespace

std::optional<Cut> find_cut(const BoundCall &call) {
  if (call.outputs().size() != 1 || call.outputs()[0].elements() == 0) return std::nullopt;
  const OperandDesc &output = call.outputs()[0];
  std::optional<Cut> best;
  for (int32_t i = 0; i < output.ndim; ++i) {
    if (output.shape[i] < 2 || (best && (best->extent >= kManyPieces || output.shape[i] <= best->extent))) continue;
    const Axis axis = axis_of(call, i);
    if (axis.output < 0) continue;
    best.emplace();
    best->output_axis = i;
    best->extent = output.shape[i];
    best->input_axes = axis.inputs;
  }
  if (!best) return best;
  const double row = std::max(work_of(call) / static_cast<double>(best->extent), 1.0);
  // A product with one row or column sums in the order of a matrix times a vector: no piece may become one.
  const int64_t least = is_product(call.schema().rule) ? 2 : 1;
  best->rows = std::clamp(static_cast<int64_t>(static_cast<double>(kPieceWork) / row), least, best->extent);
  return best;
}

OperandDesc piece_of(const OperandDesc &operand, int32_t axis, int64_t rows) {
  OperandDesc piece = operand;
  if (axis >= 0) piece.shape[axis] = rows;
  return piece;
}

const void *piece_at(const OperandDesc &operand, int32_t axis, int64_t begin, const void *data) {
  if (axis < 0) return data;
  return static_cast<const char *>(data) + begin * operand.strides[axis] * (operand.dtype.bits / 8);
}

}  // namespace rayo
