// SPDX-License-Identifier: Apache-2.0
//
// What the transcendental functions of both types share.
#ifndef RAYO_SIMD_MATH_HORNER_H
#define RAYO_SIMD_MATH_HORNER_H

#include <simd/vec.h>

RAYO_ISA_BEGIN

/// Horner's rule with FMA, highest coefficient first.
template <class T>
RAYO_INLINE Vec<T> horner_tail(Vec<T>, Vec<T> acc) {
  return acc;
}
template <class T, class... C>
RAYO_INLINE Vec<T> horner_tail(Vec<T> x, Vec<T> acc, T c, C... rest) {
  return horner_tail(x, fma(acc, x, set1<Vec<T>>(c)), rest...);
}
template <class T, class... C>
RAYO_INLINE Vec<T> horner(Vec<T> x, T c, C... rest) {
  return horner_tail(x, set1<Vec<T>>(c), rest...);
}

/// e^x = (q r + 1) 2^k, as scale2_fma has it; |r| <= ln 2 / 2, q = (e^r - 1) / r.
template <class T>
struct ExpParts {
  Vec<T> q, r, t;
};

RAYO_ISA_END

#endif  // RAYO_SIMD_MATH_HORNER_H
