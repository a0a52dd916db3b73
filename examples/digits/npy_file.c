/* SPDX-License-Identifier: Apache-2.0
 *
 * The .npy format, versions 1 and 2: "\x93NUMPY", two version bytes, a little-endian header length, a Python dict
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, then the elements.
 */
#include "npy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMaxHeader = 4096 };
static const int64_t kMaxElements = (int64_t)1 << 26; /* far above any file of this example */

/* Start of the value of 'key' in the header's dict, or NULL. */
static const char *value_of(const char *header, const char *key) {
  char quoted[32];
  snprintf(quoted, sizeof quoted, "'%s':", key);
  const char *at = strstr(header, quoted);
  if (at == NULL) return NULL;
  at += strlen(quoted);
  return at + strspn(at, " ");
}

/* Parses "(445, 64)" or "(10,)". Returns 1 if it is a shape of 1 or 2 axes that fits. */
static int parse_shape(const char *at, npy_array *out) {
  if (*at++ != '(') return 0;
  out->ndim = 0;
  out->count = 1;
  for (;;) {
    at += strspn(at, " ,");
    if (*at == ')') return out->ndim > 0;
    char *end = NULL;
    const long long extent = strtoll(at, &end, 10);
    if (end == at || extent < 0 || extent > kMaxElements || out->ndim == 2) return 0;
    out->shape[out->ndim++] = extent;
    out->count *= extent; /* at most 2^52 */
    if (out->count > kMaxElements) return 0;
    at = end;
  }
}

/* Reads everything up to the elements. Returns NULL, or what is wrong. */
static const char *read_header(FILE *file, const char *descr, npy_array *out) {
  unsigned char fixed[12];
  if (fread(fixed, 1, 8, file) != 8 || memcmp(fixed, "\x93NUMPY", 6) != 0) return "it is no .npy file";
  if (fixed[6] != 1 && fixed[6] != 2) return "its .npy version is neither 1 nor 2";
  const size_t length_bytes = fixed[6] == 1 ? 2 : 4;
  if (fread(fixed + 8, 1, length_bytes, file) != length_bytes) return "it ends within its header";
  size_t length = 0;
  for (size_t i = length_bytes; i-- > 0;) length = length << 8 | fixed[8 + i];
  char header[kMaxHeader + 1];
  if (length > kMaxHeader) return "its header is longer than 4096 bytes";
  if (fread(header, 1, length, file) != length) return "it ends within its header";
  header[length] = '\0';

  char quoted[16];
  snprintf(quoted, sizeof quoted, "'%s'", descr);
  const char *type = value_of(header, "descr");
  const char *order = value_of(header, "fortran_order");
  const char *shape = value_of(header, "shape");
  if (type == NULL || order == NULL || shape == NULL) return "its header lacks descr, fortran_order or shape";
  if (strncmp(type, quoted, strlen(quoted)) != 0) return "its elements have another type";
  if (strncmp(order, "False", 5) != 0) return "it is in Fortran order; save it in C order";
  if (!parse_shape(shape, out)) return "its shape does not have 1 or 2 axes of a sensible size";
  return NULL;
}

int npy_read(const char *path, const char *descr, npy_array *out, char *why, size_t why_size) {
  memset(out, 0, sizeof *out);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    snprintf(why, why_size, "cannot open %s; give the folder that holds weights/ and heldout/", path);
    return 0;
  }
  const size_t element = strcmp(descr, "<f4") == 0 ? 4 : 8;
  const char *wrong = read_header(file, descr, out);
  if (wrong == NULL) {
    const size_t count = (size_t)out->count;
    out->data = malloc(count > 0 ? count * element : 1);
    if (out->data == NULL) {
      wrong = "there is not enough memory for it";
    } else if (fread(out->data, element, count, file) != count) {
      wrong = "it is cut short: fewer elements than its shape says";
    } else if (fgetc(file) != EOF) {
      wrong = "it goes on after its last element";
    }
  }
  fclose(file);
  if (wrong == NULL) return 1;
  npy_free(out);
  snprintf(why, why_size, "cannot use %s as an array of %s: %s", path, descr, wrong);
  return 0;
}

void npy_free(npy_array *array) {
  free(array->data);
  array->data = NULL;
}
