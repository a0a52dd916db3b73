// SPDX-License-Identifier: Apache-2.0
//
// The micro-kernel of the matrix product: a tile of H rows by NV vectors whose accumulators stay in registers while k
// runs. Each accumulator lane is one element's FMA chain over ascending k, so every tile shape gives the same bits.
//
// Hardware arithmetic. AVX-512 (2 FMA ports, latency 4): 12x2 zmm = 24 independent chains, 24 FMAs in 12 cycles; loads
// per k step: 12 broadcasts + 2 vectors = 14 in 12 cycles of 2 load ports. AVX2 (16 registers): 6x2 ymm = 12 chains,
// the fewest that cover 2 ports x latency 4-5, + 2 of B + 1 of A = 15 registers.
#ifndef RAYO_KERNELS_GEMM_MICRO_H
#define RAYO_KERNELS_GEMM_MICRO_H

#include <kernels/gemm_table.h>
#include <simd/vec.h>

#define RAYO_UNROLL _Pragma("GCC unroll 16")

RAYO_ISA_BEGIN

/// Rows of B fetched ahead: 8 steps of the full tile are 96 cycles, several times the second level's latency. Emerald
/// Rapids, AVX-512 f32, against oneDNN: 12x1024x1024 0.91x -> 1.43x, 1024^3 0.97x -> 1.00x; 16 rows ahead gain less.
inline constexpr int64_t kGemmPrefetchRows = 8;
/// Vectors in a cache line of 64 bytes: one fetch is enough for them.
template <class T>
inline constexpr int kGemmLineVectors = Vec<T>::size * sizeof(T) < 64 ? 64 / (Vec<T>::size * sizeof(T)) : 1;

/// One tile. a: element (0, 0) of the tile's rows; a_step: column stride if kRowsUnit (row stride 1), row stride
/// otherwise (column stride 1). n: valid columns, (NV - 1) * lanes + 1 .. NV * lanes.
template <class T>
struct GemmTile {
  const T *a;
  int64_t a_step;
  const T *b;
  int64_t ldb;
  T *y;
  int64_t ldy;
  const T *next_y;  // the tile of y that comes next: fetched meanwhile; any address will do
  const T *ahead;   // rows of b for later tiles, NV vectors each, ahead_ld apart: fetched meanwhile
  int64_t ahead_ld;
  int64_t ahead_rows;  // at most this many
  T *copy;             // GemmLoad::kCopy: b's rows go here too, NV vectors each
  int64_t k;
  int64_t n;
  bool first;
  const GemmEpilogue<T> *epilogue;  // nullptr = store the accumulators
};

/// How a tile reads a row of b: NV whole vectors; only its n columns; whole vectors, stored to a packed copy on the
/// way. The copy's stores use a port that the loop leaves idle, so packing costs nothing but the distance of the rows.
enum class GemmLoad { kWhole, kColumns, kCopy };

/// The element at any address.
template <class T>
RAYO_INLINE T gemm_get(const T *p) {
  T x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
template <class T>
RAYO_INLINE void gemm_put(T *p, T x) {
  __builtin_memcpy(p, &x, sizeof x);
}

/// Valid lanes of vector v in a row of n columns.
template <class T>
RAYO_INLINE int gemm_lanes(int64_t n, int v) {
  const int64_t left = n - v * Vec<T>::size;
  return static_cast<int>(left < 0 ? 0 : (left < Vec<T>::size ? left : Vec<T>::size));
}

template <class T, int H, int NV>
RAYO_INLINE void gemm_load_tile(Vec<T> (&acc)[H][NV], const GemmTile<T> &t) {
  constexpr int kW = Vec<T>::size;
  if (t.first) {
    RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = set1<Vec<T>>(T(0));
  } else if (t.n == NV * kW) {
    RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] =
        load(t.y + i * t.ldy + v * kW);
  } else {
    RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] =
        load_n(t.y + i * t.ldy + v * kW, gemm_lanes<T>(t.n, v), T(0));
  }
}

template <class T, int H, int NV>
RAYO_INLINE void gemm_apply_epilogue(Vec<T> (&acc)[H][NV], const GemmEpilogue<T> &e, int64_t n) {
  constexpr int kW = Vec<T>::size;
  const Vec<T> alpha = set1<Vec<T>>(e.alpha);
  RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = alpha * acc[i][v];
  if (e.c == nullptr) return;
  const Vec<T> beta = set1<Vec<T>>(e.beta);
  RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v) {
    const T *c = e.c + i * e.c_rs;
    const Vec<T> x = e.c_cs == 0 ? set1<Vec<T>>(gemm_get(c)) : load_n(c + v * kW, gemm_lanes<T>(n, v), T(0));
    acc[i][v] = fma(beta, x, acc[i][v]);
  }
}

template <class T, int H, int NV>
RAYO_INLINE void gemm_store_tile(const Vec<T> (&acc)[H][NV], const GemmTile<T> &t) {
  constexpr int kW = Vec<T>::size;
  if (t.n == NV * kW) {
    RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v)
        store(t.y + i * t.ldy + v * kW, acc[i][v]);
  } else {
    RAYO_UNROLL for (int i = 0; i < H; ++i) RAYO_UNROLL for (int v = 0; v < NV; ++v)
        store_n(t.y + i * t.ldy + v * kW, acc[i][v], gemm_lanes<T>(t.n, v));
  }
}

/// Row p of b for the tile, and what is done with it on the way.
template <class T, int NV, GemmLoad kLoad>
RAYO_INLINE void gemm_load_row(Vec<T> (&bv)[NV], const T *b, int last_lanes, T *copy) {
  constexpr int kW = Vec<T>::size;
  RAYO_UNROLL for (int v = 0; v < NV; ++v) {
    bv[v] = kLoad == GemmLoad::kColumns && v == NV - 1 ? load_n(b + v * kW, last_lanes, T(0)) : load(b + v * kW);
  }
  if constexpr (kLoad == GemmLoad::kCopy) {
    RAYO_UNROLL for (int v = 0; v < NV; ++v) store(copy + v * kW, bv[v]);
  }
}

/// Steps of k between two fetches for what comes later. They leave for a distant cache; more than a dozen on their way
/// at once would hold up the loop's own loads. Emerald Rapids, 1000^3: fetching a tile's share in one burst costs 8%.
inline constexpr int kGemmFetchSteps = 16;

template <class T, int NV>
RAYO_INLINE void gemm_fetch_y(const T *row) {
  constexpr int kW = Vec<T>::size;
  RAYO_UNROLL for (int v = 0; v < NV; v += 2) __builtin_prefetch(row + v * kW, 1, 3);
  __builtin_prefetch(row + NV * kW - 1, 1, 3);
}

template <class T, int H, int NV, bool kRowsUnit, GemmLoad kLoad>
void gemm_micro(const GemmTile<T> &t) {
  using V = Vec<T>;
  constexpr int kW = V::size;
  V acc[H][NV];
  gemm_load_tile(acc, t);
  const T *b = t.b;
  const T *next_y = t.next_y;
  const T *ahead = t.ahead;
  const int64_t ldb = t.ldb, ldy = t.ldy, step = t.a_step, k = t.k;
  int64_t y_rows = H, ahead_rows = t.ahead_rows;
  T *copy = t.copy;
  const int last_lanes = gemm_lanes<T>(t.n, NV - 1);
  if (k < kGemmFetchSteps * H / 2) {
    for (; y_rows > 0; --y_rows, next_y += ldy) gemm_fetch_y<T, NV>(next_y);
  }
  // Rows in groups of three share a pointer: base, base + step, base + 2 step are addressing modes.
  constexpr int kGroups = kRowsUnit ? 1 : (H + 2) / 3;
  const T *a[kGroups];
  RAYO_UNROLL for (int g = 0; g < kGroups; ++g) a[g] = t.a + 3 * g * step;
  const auto one = [&]() RAYO_LAMBDA {
    V bv[NV];
    RAYO_UNROLL for (int v = 0; v < NV; v += kGemmLineVectors<T>) {
      __builtin_prefetch(b + kGemmPrefetchRows * ldb + v * kW, 0, 3);
    }
    gemm_load_row<T, NV, kLoad>(bv, b, last_lanes, copy);
    RAYO_UNROLL for (int i = 0; i < H; ++i) {
      const V x = set1<V>(gemm_get(kRowsUnit ? a[0] + i : a[i / 3] + i % 3 * step));
      RAYO_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = fma(x, bv[v], acc[i][v]);
    }
    b += ldb;
    if constexpr (kLoad == GemmLoad::kCopy) copy += NV * kW;
    RAYO_UNROLL for (int g = 0; g < kGroups; ++g) a[g] += kRowsUnit ? step : 1;
  };
  // Whole groups of steps, of a number that the compiler knows, then the rest.
  int64_t left = k;
  for (; left >= kGemmFetchSteps; left -= kGemmFetchSteps) {
    if (y_rows > 0) {
      gemm_fetch_y<T, NV>(next_y);
      next_y += ldy;
      --y_rows;
    }
    if (ahead_rows > 0) {
      RAYO_UNROLL for (int v = 0; v < NV; v += kGemmLineVectors<T>) __builtin_prefetch(ahead + v * kW, 0, 2);
      ahead += t.ahead_ld;
      --ahead_rows;
    }
    _Pragma("GCC unroll 4") for (int p = 0; p < kGemmFetchSteps; ++p) one();
  }
  for (; left > 0; --left) one();
  if (t.epilogue != nullptr) gemm_apply_epilogue(acc, *t.epilogue, t.n);
  gemm_store_tile(acc, t);
}

RAYO_ISA_END

#endif  // RAYO_KERNELS_GEMM_MICRO_H
