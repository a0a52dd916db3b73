/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the .npy files of this example: little-endian f32 or i64, C order, up to 2 axes. Strict, because a wrong file
 * should be a message and not a wrong answer.
 */
#ifndef RAYO_EXAMPLES_DIGITS_NPY_FILE_H
#define RAYO_EXAMPLES_DIGITS_NPY_FILE_H

#include <stddef.h>
#include <stdint.h>

typedef struct npy_array {
  int32_t ndim;
  int64_t shape[2];
  int64_t count;
  void *data; /* count elements; give back with npy_free */
} npy_array;

/* Reads `path`, whose elements must be of type `descr` ("<f4" or "<i8"). Returns 1; or 0 with a message in
 * why[0..why_size), and nothing to free. */
int npy_read(const char *path, const char *descr, npy_array *out, char *why, size_t why_size);
void npy_free(npy_array *array);

#endif
