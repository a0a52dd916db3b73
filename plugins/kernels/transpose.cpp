// SPDX-License-Identifier: Apache-2.0
//
// The transpose hot loops of one ISA: register tiles inside blocks whose source and destination lines stay in L1.
#include <kernels/map.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {

/// Rows and columns of a block: two lines of 64 bytes.
template <class T>
constexpr int64_t kBlock = 128 / sizeof(T);

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

/// A block by way of a buffer: each line of the source is read once and each of the destination written once. For rows
/// so far apart that the lines of a block fall on few sets of the cache.
template <class T>
RAYO_INLINE void buffered(const T *s, int64_t ls, T *d, int64_t ld) {
  constexpr int64_t kB = kBlock<T>;
  alignas(64) T buffer[kB * kB];
  for (int64_t r = 0; r < kB; r += kTile<T>) {
    for (int64_t c = 0; c < kB; c += kTile<T>) transpose_tile(s + r * ls + c, ls, buffer + c * kB + r, kB);
  }
  for (int64_t c = 0; c < kB; ++c) {
#pragma GCC unroll 8
    for (int64_t r = 0; r < kB; r += Vec<T>::size) store(d + c * ld + r, load(buffer + c * kB + r));
  }
}

/// Asks for a block's lines before it is their turn: neither side's are neighbours, so no prefetcher of the CPU's knows
/// them.
template <class T>
RAYO_INLINE void ask(const T *s, int64_t ls, T *d, int64_t ld, int64_t rows, int64_t cols, bool bad) {
  for (int64_t r = 0; r < rows; ++r) {
    __builtin_prefetch(s + r * ls, 0, 2);
    __builtin_prefetch(s + r * ls + cols - 1, 0, 2);
  }
  if (bad) return;
  for (int64_t c = 0; c < cols; ++c) {
    __builtin_prefetch(d + c * ld, 1, 2);
    __builtin_prefetch(d + c * ld + rows - 1, 1, 2);
  }
}

/// Bytes on either side that are found in L2 without asking.
constexpr int64_t kInCache = 256 << 10;
/// Bytes between rows of which a multiple is as bad as it gets: a way of L1 holds 4096.
constexpr int64_t kBadPitch = 2048;

template <class T>
void transpose(const void *source, int64_t ls, void *destination, int64_t ld, int64_t rows, int64_t cols) {
  constexpr int64_t kB = kBlock<T>;
  constexpr int64_t kPitch = kBadPitch / static_cast<int64_t>(sizeof(T));
  const T *s = static_cast<const T *>(source);
  T *d = static_cast<T *>(destination);
  const bool ahead = rows * cols * static_cast<int64_t>(sizeof(T)) > kInCache;
  const bool bad = Vec<T>::size > 1 && (ls % kPitch == 0 || ld % kPitch == 0);
  for (int64_t c = 0; c < cols; c += kB) {
    const int64_t width = least(kB, cols - c);
    for (int64_t r = 0; r < rows; r += kB) {
      const int64_t height = least(kB, rows - r);
      const int64_t next = r + kB;
      if (ahead && next < rows) ask(s + next * ls + c, ls, d + c * ld + next, ld, least(kB, rows - next), width, bad);
      if (bad && height == kB && width == kB) {
        buffered(s + r * ls + c, ls, d + c * ld + r, ld);
        continue;
      }
      // A block too thin for tiles grows backwards.
      const int64_t row = height < kTile<T> && rows >= kTile<T> ? rows - kTile<T> : r;
      const int64_t col = width < kTile<T> && cols >= kTile<T> ? cols - kTile<T> : c;
      tiles(s + row * ls + col, ls, d + col * ld + row, ld, r + height - row, c + width - col);
    }
  }
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
