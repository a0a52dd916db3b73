// SPDX-License-Identifier: Apache-2.0
//
// Oracles of the ops between types: cast, quantisation, integer products. Every value is exact; what is rounded is
// rounded once, by the judge or here to a whole number.
#include <algorithm>
#include <array>

#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

namespace w = wide;

struct Range {
  double low, high;
};

Range range_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::i8:
      return {-128, 127};
    case Dtype::u8:
      return {0, 255};
    case Dtype::i32:
      return {-0x1p31, 0x1p31 - 1};
    default:
      return {-0x1p63, 0x1p63};  // as doubles hold it
  }
}

template <class R>
R saturated(R whole, Dtype dtype) {
  const Range range = range_of(dtype);
  if (whole < static_cast<R>(range.low)) return static_cast<R>(range.low);
  if (whole > static_cast<R>(range.high)) return static_cast<R>(range.high);
  return whole;
}

// To integers: towards 0, saturating, NaN to 0. To floats: the value itself; the judge rounds it, once.
template <class R>
void cast(const Problem &p, Expected<R> &out) {
  const Values &x = p.inputs[0];
  out.dtype = parse_dtype(attr_text(*p.call, *p.op, "to")).value_or(Dtype::f32);
  out.shape = x.shape;
  for (const double v : x.data) {
    Element<R> e;
    e.value = static_cast<R>(v);
    if (!dtype_is_float(out.dtype)) {
      e.value = std::isnan(v) ? R(0) : saturated(static_cast<R>(std::trunc(v)), out.dtype);
      if (e.value == 0) e.value = 0;  // integers have one zero
    }
    out.elements.push_back(e);
  }
}

// Scale and zero point of the element at `index`: scalars, or vectors along the axis.
double parameter(const Problem &p, std::size_t input, const Shape &index, double otherwise) {
  if (input >= p.inputs.size() || is_absent(p.inputs[input].shape)) return otherwise;
  const Values &v = p.inputs[input];
  if (v.data.size() == 1) return v.data[0];
  const std::int64_t axis = attr_int(*p.call, *p.op, "axis");
  const auto rank = static_cast<std::int64_t>(index.size());
  return v.data[static_cast<std::size_t>(index[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)])];
}

// ONNX: the quotient is an f32, rounded like any division; then to the even whole number.
template <class R>
void quantize_linear(const Problem &p, Expected<R> &out) {
  const Values &x = p.inputs[0];
  out.dtype = p.call->dtype;
  out.shape = x.shape;
  if (x.data.empty()) return;
  Shape index(x.shape.size(), 0);
  std::size_t at = 0;
  do {
    const auto value = static_cast<float>(x.data[at++]);
    const auto scale = static_cast<float>(parameter(p, 1, index, 1));
    const double zero = parameter(p, 2, index, 0);
    const double quotient = static_cast<double>(value / scale);
    Element<R> e;
    e.value = static_cast<R>(std::isnan(quotient) ? zero : saturated(std::rint(quotient) + zero, out.dtype));
    out.elements.push_back(e);
  } while (advance(index, x.shape));
}

template <class R>
void dequantize_linear(const Problem &p, Expected<R> &out) {
  const Values &x = p.inputs[0];
  out.dtype = Dtype::f32;
  out.shape = x.shape;
  if (x.data.empty()) return;
  Shape index(x.shape.size(), 0);
  std::size_t at = 0;
  do {
    Element<R> e;
    e.value = static_cast<R>(x.data[at++] - parameter(p, 2, index, 0)) * static_cast<R>(parameter(p, 1, index, 1));
    out.elements.push_back(e);
  } while (advance(index, x.shape));
}

double wrapped(std::int64_t v) { return static_cast<double>(static_cast<std::int32_t>(static_cast<std::uint64_t>(v))); }

// One matrix of the batch: y = (A - a_zero)(B - b_zero) modulo 2^32.
template <class R>
void integer_product(const Problem &p, const double *a, const double *b, std::size_t m, std::size_t n, std::size_t k,
                     Expected<R> &out) {
  const auto zero = [&](std::size_t input, std::size_t i) {
    if (input >= p.inputs.size() || is_absent(p.inputs[input].shape)) return 0.0;
    const std::vector<double> &v = p.inputs[input].data;
    return v[v.size() == 1 ? 0 : i];
  };
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      std::int64_t sum = 0;
      for (std::size_t q = 0; q < k; ++q) {
        sum += static_cast<std::int64_t>((a[i * k + q] - zero(2, i)) * (b[q * n + j] - zero(3, j)));
      }
      Element<R> e;
      e.value = static_cast<R>(wrapped(sum));
      out.elements.push_back(e);
    }
  }
}

template <class R>
void matmul_integer(const Problem &p, Expected<R> &out) {
  Shape a = p.inputs[0].shape;
  Shape b = p.inputs[1].shape;
  out.dtype = Dtype::i32;
  const bool row_vector = a.size() == 1;
  const bool column_vector = b.size() == 1;
  if (row_vector) a.insert(a.begin(), 1);
  if (column_vector) b.push_back(1);
  const auto m = static_cast<std::size_t>(a[a.size() - 2]);
  const auto k = static_cast<std::size_t>(a.back());
  const auto n = static_cast<std::size_t>(b.back());
  const Shape a_batch(a.begin(), a.end() - 2);
  const Shape b_batch(b.begin(), b.end() - 2);
  const Shape batch = broadcast_shapes(a_batch, b_batch);
  out.shape = batch;
  if (!row_vector) out.shape.push_back(static_cast<std::int64_t>(m));
  if (!column_vector) out.shape.push_back(static_cast<std::int64_t>(n));
  if (element_count(batch) == 0) return;
  Shape index(batch.size(), 0);
  do {
    integer_product(p, p.inputs[0].data.data() + broadcast_position(index, a_batch) * m * k,
                    p.inputs[1].data.data() + broadcast_position(index, b_batch) * k * n, m, n, k, out);
  } while (advance(index, batch));
}

using wide::Quad;
constexpr std::array kOracles = {
    Oracle{"cast", cast<double>, cast<Quad>},
    Oracle{"quantize_linear", quantize_linear<double>, quantize_linear<Quad>},
    Oracle{"dequantize_linear", dequantize_linear<double>, dequantize_linear<Quad>},
    Oracle{"matmul_integer", matmul_integer<double>, matmul_integer<Quad>},
};

}  // namespace

std::span<const Oracle> integer_oracles() { return kOracles; }

}  // namespace rayo::conform
