// SPDX-License-Identifier: Apache-2.0
//
// The transpose hot loops of one ISA: register tiles inside blocks whose source and destination lines stay in L1.
#include <kernels/map.h>
#include <kernels/tables.h>

RAYO_ISA_BEGIN

namespace {

/// Rows and columns of a block: 32 lines of 128 bytes on each side.
template <class T>
constexpr int64_t kBlock = 128 / sizeof(T);

template <class T>
RAYO_INLINE void block(const T *s, int64_t ls, T *d, int64_t ld, int64_t rows, int64_t cols) {
  constexpr int64_t kT = kTile<T>;
  const int64_t full_rows = rows / kT * kT;
  const int64_t full_cols = cols / kT * kT;
  for (int64_t r = 0; r < full_rows; r += kT) {
    for (int64_t c = 0; c < full_cols; c += kT) transpose_tile(s + r * ls + c, ls, d + c * ld + r, ld);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t from = r < full_rows ? full_cols : 0;
    for (int64_t c = from; c < cols; ++c) __builtin_memcpy(d + c * ld + r, s + r * ls + c, sizeof(T));
  }
}

template <class T>
void transpose(const void *source, int64_t ls, void *destination, int64_t ld, int64_t rows, int64_t cols) {
  const T *s = static_cast<const T *>(source);
  T *d = static_cast<T *>(destination);
  for (int64_t c = 0; c < cols; c += kBlock<T>) {
    const int64_t width = cols - c < kBlock<T> ? cols - c : kBlock<T>;
    for (int64_t r = 0; r < rows; r += kBlock<T>) {
      const int64_t height = rows - r < kBlock<T> ? rows - r : kBlock<T>;
      block(s + r * ls + c, ls, d + c * ld + r, ld, height, width);
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
