// SPDX-License-Identifier: Apache-2.0
//
// The loops of cast of one ISA: a function for each pair of types.
#include <kernels/convert.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {

template <class D, class S>
RAYO_INLINE void convert_one(const S *s, D *d) {
  S x;
  __builtin_memcpy(&x, s, sizeof x);
  const D y = convert<D>(x);
  __builtin_memcpy(d, &y, sizeof y);
}

template <class S, class D>
void convert_row(const MapRow &row) {
  const S *s = static_cast<const S *>(row.in[0]);
  D *d = static_cast<D *>(row.out);
  const int64_t step = row.in_stride[0], out_step = row.out_stride;
  const int64_t n = row.n;  // a copy: the stores below might change row.n, for all the compiler knows
  if (step == 1 && out_step == 1) {
    for (int64_t i = 0; i < n; ++i) convert_one(s + i, d + i);
  } else {
    for (int64_t i = 0; i < n; ++i) convert_one(s + i * step, d + i * out_step);
  }
}

}  // namespace

// Rows and columns in the order of CastType.
#define RAYO_CASTS_FROM(S)                                                                                            \
  {                                                                                                                   \
    convert_row<S, float>, convert_row<S, double>, convert_row<S, F16>, convert_row<S, Bf16>, convert_row<S, int8_t>, \
        convert_row<S, uint8_t>, convert_row<S, int32_t>, convert_row<S, int64_t>                                     \
  }
extern const MapFn cast_table[kCastTypeCount][kCastTypeCount];
const MapFn cast_table[kCastTypeCount][kCastTypeCount] = {
    RAYO_CASTS_FROM(float),  RAYO_CASTS_FROM(double),  RAYO_CASTS_FROM(F16),     RAYO_CASTS_FROM(Bf16),
    RAYO_CASTS_FROM(int8_t), RAYO_CASTS_FROM(uint8_t), RAYO_CASTS_FROM(int32_t), RAYO_CASTS_FROM(int64_t)};
#undef RAYO_CASTS_FROM

RAYO_ISA_END
