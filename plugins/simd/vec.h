// SPDX-License-Identifier: Apache-2.0
//
// The vector contract: the few operations that kernels are written in, so that one source serves every instruction
// set. This file states the contract, picks the instruction set's implementation and adds what follows from it.
//
// How a file chooses its ISA. Kernel objects are compiled with two macros (see plugins/cmake/RayoCpuPlugin.cmake):
//   RAYO_ISA          name of the inline namespace: scalar, scalar_fma, avx2, avx512, neon
//   RAYO_SIMD_HEADER  the implementation, e.g. <simd/avx2.h>
// Several ISAs may be linked into one shared object. Everything compiled with an ISA's flags therefore lives in
// rayo::RAYO_ISA, so that the linker can never merge it with a baseline function of the same name; such files use
// no std:: templates, no exceptions, no dynamic initialisers (a test reads the objects' symbols).
//
// Types, T = float or double:
//   Vec<T>             Vec<T>::size lanes, a constant; Vec<T>::type is T
//   Vec<int32_t>       as many lanes as Vec<float>; Vec<int64_t> as many as Vec<double>
//   Mask<T>            one truth value per lane of Vec<T>
//
// Operations (all RAYO_INLINE, all values in and out; U = T or its integer of the same width):
//   load(p) store(p, v)          size elements, any alignment
//   load_n(p, n, fill)           lanes < n from p, the others = fill; touches only p[0, n); 0 <= n <= size
//   store_n(p, v, n)             writes only p[0, n)
//   stream(p, v) stream_end()    store past the caches, p aligned to the vector; once before the memory is given to
//   others set1<V>(x)                   every lane x
//   + - * /                      IEEE, round to nearest even, subnormals kept
//   fma(a, b, c)                 a*b + c with one rounding
//   sqrt abs neg                 correctly rounded; sign bit cleared, flipped (also of NaN)
//   a & b, a | b, a ^ b          on bits; andnot(a, b) = a & ~b
//   lt le gt ge eq unord (a, b)  Mask; false for NaN, except unord, which is true when a or b is NaN
//   m & n, m | n, any(m), all(m) on masks; mask_bits(m): lane l as bit l of a uint32_t
//   select(m, a, b)              m ? a : b, bits untouched
//   round_even floor ceil        to an integral value; signed zeros, infinities and NaN pass
//   max_nan(a, b) min_nan(a, b)  NaN if either is NaN; -0 < +0. NaN payloads are not part of any contract
//   at_most(x, b) at_least(x, b) clamp x by a bound that is not NaN; a NaN x passes; sign of zero as x's or b's
//   bits(v) from_bits<T>(i)      reinterpretation between Vec<T> and Vec<U>
//   i + j, i - j, i & j, shl<K>(i), srl<K>(i)   on integer lanes; sra<K>(i) on int32 lanes
//   to_real(i)                   int32 lanes to float, exact for |i| < 2^24
//   load_pairs(p) store_pairs(p, i)   int32 lanes, each seen as two int16 by
//   add_pairs(c, i, j)           c + low(i) low(j) + high(i) high(j), modulo 2^32
//   load_bytes<T>(p)             lane i = the bits of the integer p[i], of size bytes
//   widen_low(v), widen_high(v)  the lower, the upper half of float lanes as doubles, exact; with one lane both are it
//   narrow(low, high)            their inverse, one rounding
//   scale2(p, t)                 p * 2^k with one rounding, see below; need not be there, as scale2_fma
//   swap_lanes<H>(v)             lane l becomes lane l ^ H; H a power of two below size
//   mix_lanes<H>(a, b)           lane l of a where l & H is 0, of b elsewhere; H as above
//   load_columns(s, ls, c)       lane r of c[i] = s[r*ls + i], i < kLoadColumns<T>; reads size rows of so many
//   transpose_tile(s, ls, d, ld) d[c*ld + r] = s[r*ls + c] for a kTile<T> x kTile<T> tile, leading dims in elements; c
//                                ascending, so that where ld is below kTile each column overwrites the last one's rest
//
// scale2(p, t): t = k + kScaleMagic, the form in which round_for_scale2 leaves an integer k; |p| in [0.5, 2], and k in
// [-150, 128] (float), [-1076, 1024] (double). A NaN p gives NaN for any t. The product is rounded once, so results
// below the normal range are right.
#ifndef RAYO_SIMD_VEC_H
#define RAYO_SIMD_VEC_H

#include <stdint.h>

// RAYO_NOINLINE: a function that must stay one. RAYO_TABLE: a constant array read by index.
#if defined(__CUDACC__)
#define RAYO_INLINE __host__ __device__ __forceinline__
#define RAYO_NOINLINE __host__ __device__ __noinline__
#define RAYO_TABLE static __device__ const
#else
#define RAYO_INLINE [[gnu::always_inline]] inline
#define RAYO_NOINLINE [[gnu::noinline]]
#define RAYO_TABLE inline constexpr
#endif
// For lambdas handed to kernels: `[](auto a, auto b) RAYO_LAMBDA { return a + b; }`.
#define RAYO_LAMBDA __attribute__((always_inline))
#define RAYO_ISA_BEGIN \
  namespace rayo {     \
  inline namespace RAYO_ISA {
#define RAYO_ISA_END \
  }                  \
  }

RAYO_ISA_BEGIN
template <class T>
struct Vec;
template <class T>
struct Mask;

/// The integer type of a floating type's width.
template <class T>
struct IntOf;
template <>
struct IntOf<float> {
  using type = int32_t;
};
template <>
struct IntOf<double> {
  using type = int64_t;
};

/// Adding and subtracting this rounds a small value to an integer, which then sits in the low mantissa bits.
template <class T>
inline constexpr T kRoundMagic = T(0);
template <>
inline constexpr float kRoundMagic<float> = 0x1.8p23f;
template <>
inline constexpr double kRoundMagic<double> = 0x1.8p52;
/// The same for an integer k that scale2 takes: the bits' halves are then the biased exponents of two factors of 2^k.
template <class T>
inline constexpr T kScaleMagic = T(0);
template <>
inline constexpr float kScaleMagic<float> = kRoundMagic<float> + 2 * 127;
template <>
inline constexpr double kScaleMagic<double> = kRoundMagic<double> + 2 * 1023;
RAYO_ISA_END

#include RAYO_SIMD_HEADER

RAYO_ISA_BEGIN

template <class V>
RAYO_INLINE V set1(typename V::type x) {
  return broadcast(x);
}

/// 1 / sqrt(a), both rounded. An implementation may have one of its own, of the same bits.
template <class T>
RAYO_INLINE Vec<T> rsqrt(Vec<T> a) {
  return set1<Vec<T>>(T(1)) / sqrt(a);
}

/// round_even(x * f) + kRoundMagic: subtract the magic to get the integer.
template <class T>
RAYO_INLINE Vec<T> round_by_magic(Vec<T> x, Vec<T> f) {
  return fma(x, f, set1<Vec<T>>(kRoundMagic<T>));
}

/// round_even(x * f) + kScaleMagic: subtract the magic to get the integer, or hand it to scale2.
template <class T>
RAYO_INLINE Vec<T> round_for_scale2(Vec<T> x, Vec<T> f) {
  return fma(x, f, set1<Vec<T>>(kScaleMagic<T>));
}

/// 2^k as a product of two factors in the normal range.
template <class T>
struct TwoPowers {
  Vec<T> first, second;
};
template <class T>
RAYO_INLINE TwoPowers<T> two_powers(Vec<T> t) {
  constexpr int kMantissa = sizeof(T) == 4 ? 23 : 52;
  const auto whole = bits(t);
  const auto half = srl<1>(whole);
  return {from_bits<T>(shl<kMantissa>(half)), from_bits<T>(shl<kMantissa>(whole - half))};
}

/// p * 2^k, see above: the first of two steps is exact. An implementation may have one of its own, of the same bits.
template <class T>
RAYO_INLINE Vec<T> scale2(Vec<T> p, Vec<T> t) {
  const TwoPowers<T> s = two_powers(t);
  return p * s.first * s.second;
}

/// scale2(fma(q, r, 1), t), the first step within the fma: r times a power of two is exact, or far too small to count.
/// An implementation may have one of its own, of the same bits.
template <class T>
RAYO_INLINE Vec<T> scale2_fma(Vec<T> q, Vec<T> r, Vec<T> t) {
  const TwoPowers<T> s = two_powers(t);
  return fma(q, r * s.first, s.first) * s.second;
}

/// 2^k in the normal range.
template <class T>
RAYO_INLINE Vec<T> power_of_two(Vec<T> t) {
  using I = typename IntOf<T>::type;
  constexpr int kMantissa = sizeof(T) == 4 ? 23 : 52;
  return from_bits<T>(shl<kMantissa>(bits(t) - set1<Vec<I>>(sizeof(T) == 4 ? I(127) : I(1023))));
}

/// scale2_fma for results in the normal range.
template <class T>
RAYO_INLINE Vec<T> scale2_fma_normal(Vec<T> q, Vec<T> r, Vec<T> t) {
  const Vec<T> s = power_of_two(t);
  return fma(q, r * s, s);
}

/// |x| with the sign of s; x must not be negative.
template <class T>
RAYO_INLINE Vec<T> with_sign_of(Vec<T> x, Vec<T> s) {
  return x | (s & set1<Vec<T>>(T(-0.0)));
}

/// load_bytes of n < size bytes, the other lanes 0; touches only p[0, n).
template <class T>
RAYO_INLINE Vec<T> load_bytes_n(const uint8_t *p, int n) {
  uint8_t image[Vec<T>::size] = {};
  for (int i = 0; i < n; ++i) image[i] = p[i];
  return load_bytes<T>(image);
}

/// Lanes combined by repeated halving: v[l] = op(v[l], v[l + h]) for h = size/2 ... 1; op commutes.
template <class T, int H = Vec<T>::size / 2, class Op>
RAYO_INLINE T fold_lanes(Vec<T> v, Op op) {
  if constexpr (H == 0) {
    return first_lane(v);
  } else {
    return fold_lanes<T, H / 2>(op(v, swap_lanes<H>(v)), op);
  }
}

/// fold_lanes of as many vectors as one has lanes: lane l of the result is that of v[l]. Two vectors share each step,
/// so that all of them cost little more than one vector alone would.
template <class T, int H = Vec<T>::size / 2, class Op>
RAYO_INLINE Vec<T> fold_each(Vec<T> (&v)[Vec<T>::size], Op op) {
  if constexpr (H == 0) {
    return v[0];
  } else {
    _Pragma("GCC unroll 8") for (int i = 0; i < H; ++i) {
      v[i] = op(mix_lanes<H>(v[i], v[i + H]), swap_lanes<H>(mix_lanes<H>(v[i + H], v[i])));
    }
    return fold_each<T, H / 2>(v, op);
  }
}

RAYO_ISA_END

#endif  // RAYO_SIMD_VEC_H
