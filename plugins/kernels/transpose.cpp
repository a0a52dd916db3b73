// SPDX-License-Identifier: Apache-2.0
//
// The transpose hot loops of one ISA: register tiles inside blocks whose source and destination lines stay in L1.
#include <kernels/map.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {

RAYO_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/// Register tiles over rows x cols. Where a side is no multiple of the tile's, the last tile moves inwards and writes
/// some elements again; a side shorter than a tile goes by single elements.
template <class T>
RAYO_INLINE void tiles(const T *s, int64_t ls, T *d, int64_t ld, int64_t rows, int64_t cols) {
  constexpr int64_t kT = kTile<T>;
  if (rows < kT || cols < kT) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) __builtin_memcpy(d + c * ld + r, s + r * ls + c, sizeof(T));
    }
    return;
  }
  for (int64_t r = 0; r < rows; r += kT) {
    const int64_t row = least(r, rows - kT);
    for (int64_t c = 0; c < cols; c += kT) {
      const int64_t col = least(c, cols - kT);
      transpose_tile(s + row * ls + col, ls, d + col * ld + row, ld);
    }
  }
}

/// Rows and columns of a block: what L1 holds of both sides, 256 bytes. Less for rows whose lines fall on few of its
/// sets, and of operands beyond the caches.
template <class T>
constexpr int64_t kLarge = 256 / sizeof(T);
template <class T>
constexpr int64_t kSmall = 128 / sizeof(T);
template <class T>
constexpr int64_t kBuffer = sizeof(T) == 8 ? 8 : 64;
constexpr int64_t kFar = 16;
/// So few rows are streams that the CPU prefetches.
constexpr int64_t kFewRows = 64;

enum class Pitch { good, close, bad };

/// How the lines of rows so many bytes apart fall on the sets of L1, of which 4096 bytes are one way. Zen 5, AVX2, f32,
/// speed of small blocks over large ones: 256x256 3.3, 1280x1280 2.4; of the buffer over large blocks: 513x513 3.3,
/// 1023x1023 2.8, 1026x1026 1.8, 1027x1027 0.64.
RAYO_INLINE Pitch pitch_of(int64_t bytes) {
  const auto off = [=](int64_t unit) RAYO_LAMBDA { return least(bytes % unit, unit - bytes % unit); };
  if (off(4096) <= 8 || off(2048) <= 4) return Pitch::bad;
  return bytes % 1024 == 0 ? Pitch::close : Pitch::good;
}

/// A block by way of a buffer, no side shorter than a tile or longer than kB: lines of the source are read a few rows
/// at a time, each of the destination is written at once. kAsk: the lines of the block at `next`, and in the
/// destination of the one below, are asked for; the former are no neighbours that the CPU's prefetcher would expect.
template <class T, int64_t kB, bool kAsk>
RAYO_INLINE void buffered(const T *s, int64_t ls, T *d, int64_t ld, int64_t rows, int64_t cols, const T *next) {
  constexpr int64_t kT = kTile<T>, kV = Vec<T>::size;
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  alignas(64) T buffer[kB * kB];
  for (int64_t r = 0; r < rows; r += kT) {
    if constexpr (kAsk) {
      for (int64_t i = r; i < r + kT; ++i) {
#pragma GCC unroll 4
        for (int64_t c = 0; c < kB; c += kLine) __builtin_prefetch(next + i * ls + c);
        __builtin_prefetch(next + i * ls + kB - 1);
      }
    }
    const int64_t row = least(r, rows - kT);
    for (int64_t c = 0; c < cols; c += kT) {
      const int64_t col = least(c, cols - kT);
      transpose_tile(s + row * ls + col, ls, buffer + col * kB + row, kB);
    }
  }
  for (int64_t c = 0; c < cols; ++c) {
    const T *from = buffer + c * kB;
    T *to = d + c * ld;
    if constexpr (kAsk) {
#pragma GCC unroll 4
      for (int64_t r = kB; r < 2 * kB; r += kLine) __builtin_prefetch(to + r, 1);
      __builtin_prefetch(to + 2 * kB - 1, 1);
    }
    if (rows == kB) {
#pragma GCC unroll 16
      for (int64_t r = 0; r < kB; r += kV) store(to + r, load(from + r));
      continue;
    }
    int64_t r = 0;
    for (; r + kV <= rows; r += kV) store(to + r, load(from + r));
    const int left = static_cast<int>(rows - r);
    if (left > 0) store_n(to + r, load_n(from + r, left, T(0)), left);
  }
}

/// Blocks down the source's columns. kBuffered: each by way of a buffer.
template <class T, int64_t kB, bool kBuffered, bool kAsk = false>
void blocks(const T *s, int64_t ls, T *d, int64_t ld, int64_t rows, int64_t cols) {
  constexpr int64_t kT = kTile<T>;
  for (int64_t c = 0; c < cols; c += kB) {
    const int64_t width = least(kB, cols - c);
    for (int64_t r = 0; r < rows; r += kB) {
      const int64_t height = least(kB, rows - r);
      if (kBuffered && height >= kT && width >= kT) {
        const T *next = r + kB < rows ? s + (r + kB) * ls + c : s + c + kB;
        buffered<T, kB, kAsk>(s + r * ls + c, ls, d + c * ld + r, ld, height, width, next);
        continue;
      }
      // A block too thin for tiles grows backwards.
      const int64_t row = height < kT && rows >= kT ? rows - kT : r;
      const int64_t col = width < kT && cols >= kT ? cols - kT : c;
      tiles(s + row * ls + col, ls, d + col * ld + row, ld, r + height - row, c + width - col);
    }
  }
}

template <class T>
void transpose(const void *source, int64_t ls, void *destination, int64_t ld, int64_t rows, int64_t cols, bool far) {
  constexpr auto kSize = static_cast<int64_t>(sizeof(T));
  const T *s = static_cast<const T *>(source);
  T *d = static_cast<T *>(destination);
  if constexpr (Vec<T>::size == 1) return blocks<T, kSmall<T>, false>(s, ls, d, ld, rows, cols);
  if (far && rows >= kFewRows) return blocks<T, kFar, true, true>(s, ls, d, ld, rows, cols);
  const Pitch from = pitch_of(ls * kSize), to = pitch_of(ld * kSize);
  if (from == Pitch::bad || to == Pitch::bad) return blocks<T, kBuffer<T>, true>(s, ls, d, ld, rows, cols);
  if (from == Pitch::close || to == Pitch::close) {
    return blocks<T, kSmall<T>, false>(s, ls, d, ld, rows, cols);
  }
  blocks<T, kLarge<T>, false>(s, ls, d, ld, rows, cols);
}

template <class T>
void copy(const void *source, int64_t ss, void *destination, int64_t sd, int64_t n) {
  const T *s = static_cast<const T *>(source);
  T *d = static_cast<T *>(destination);
  if (ss == 1 && sd == 1) {
    __builtin_memcpy(d, s, static_cast<uint64_t>(n) * sizeof(T));
    return;
  }
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(d + i * sd, s + i * ss, sizeof(T));
}

}  // namespace

extern const TransposeTable transpose_table;
const TransposeTable transpose_table = {{transpose<float>, copy<float>}, {transpose<double>, copy<double>}};

RAYO_ISA_END
