// SPDX-License-Identifier: Apache-2.0
//
// The loops of quantize_linear and dequantize_linear of one ISA.
#include <kernels/convert.h>
#include <kernels/map.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

extern const MapFn cast_table[kCastTypeCount][kCastTypeCount];

namespace {

/// n elements as f32, `stride` apart.
template <class S>
RAYO_INLINE void load_floats(const S *s, int64_t stride, float *d, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    S x;
    __builtin_memcpy(&x, s + i * stride, sizeof x);
    d[i] = static_cast<float>(x);
  }
}

/// Blocks of kMapBlock: the integer lies in the low byte of value + 1.5 * 2^23, exact for what is in [-128, 255].
template <class Q>
void quantize_row(const MapRow &row) {
  alignas(64) float x[kMapBlock], scale[kMapBlock], zero[kMapBlock];
  using Row = MapOperand<float, false>;
  using V = Vec<float>;
  const V low = set1<V>(static_cast<float>(kIntMin<Q>)), high = set1<V>(static_cast<float>(kIntMax<Q>));
  const auto formula = [&](V v, V s, V z) RAYO_LAMBDA {
    const V r = round_even(v / s);
    const V number = select(unord(r, r), set1<V>(0.0f), r);
    return at_most(at_least(number, low - z), high - z) + z + set1<V>(kRoundMagic<float>);
  };
  Q *y = static_cast<Q *>(row.out);
  for (int64_t i = 0; i < row.n; i += kMapBlock) {
    const int64_t n = row.n - i < kMapBlock ? row.n - i : kMapBlock;
    load_floats(static_cast<const float *>(row.in[0]) + i * row.in_stride[0], row.in_stride[0], x, n);
    if (i == 0 || row.in_stride[1] != 0) {
      load_floats(static_cast<const float *>(row.in[1]) + i * row.in_stride[1], row.in_stride[1], scale, n);
    }
    if (i == 0 || row.in_stride[2] != 0) {
      load_floats(static_cast<const Q *>(row.in[2]) + i * row.in_stride[2], row.in_stride[2], zero, n);
    }
    map_loop(x, n, formula, Row(x), Row(scale), Row(zero));
    Q *to = y + i * row.out_stride;
    if (row.out_stride == 1) {
      for (int64_t k = 0; k < n; ++k) to[k] = static_cast<Q>(bits_of(x[k]));
    } else {
      for (int64_t k = 0; k < n; ++k) to[k * row.out_stride] = static_cast<Q>(bits_of(x[k]));
    }
  }
}

/// float(x - zero) is exact: the difference has at most nine bits.
template <class Q>
void dequantize_row(const MapRow &row) {
  const Q *x = static_cast<const Q *>(row.in[0]);
  const Q *zero = static_cast<const Q *>(row.in[2]);
  const float *scale = static_cast<const float *>(row.in[1]);
  float *y = static_cast<float *>(row.out);
  const auto get = [&](int64_t i) RAYO_LAMBDA {
    float s;
    __builtin_memcpy(&s, scale + i * row.in_stride[1], sizeof s);
    return s;
  };
  const auto put = [&](int64_t at, float v) RAYO_LAMBDA { __builtin_memcpy(y + at, &v, sizeof v); };
  if (row.in_stride[0] == 1 && row.in_stride[1] == 0 && row.in_stride[2] == 0 && row.out_stride == 1) {
    const float s = get(0);
    const int z = zero[0];
    for (int64_t i = 0; i < row.n; ++i) put(i, static_cast<float>(x[i] - z) * s);
    return;
  }
  for (int64_t i = 0; i < row.n; ++i) {
    put(i * row.out_stride, static_cast<float>(x[i * row.in_stride[0]] - zero[i * row.in_stride[2]]) * get(i));
  }
}

}  // namespace

extern const QuantiseTable quantise_table;
const QuantiseTable quantise_table = {quantize_row<uint8_t>, quantize_row<int8_t>, dequantize_row<uint8_t>,
                                      dequantize_row<int8_t>, cast_table};

RAYO_ISA_END
