/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest application: multiplies two matrices and checks the result. Built against an installed tree.
 */
#include <rayo/rayo.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  rayo_runtime *runtime;
  if (rayo_runtime_create(NULL, &runtime) != RAYO_OK) {
    char why[RAYO_ERROR_TEXT];
    rayo_last_error(why, sizeof why);
    fprintf(stderr, "no runtime: %s\n", why);
    return 1;
  }
  const float a[2 * 3] = {1, 2, 3, 4, 5, 6}, b[3 * 2] = {7, 8, 9, 10, 11, 12};
  const float expected[2 * 2] = {58, 64, 139, 154};
  float c[2 * 2] = {0};
  const rayo_status status = rayo_matmul_f32(runtime, 2, 2, 3, a, b, c);
  rayo_runtime_destroy(runtime);
  if (status != RAYO_OK || memcmp(c, expected, sizeof c) != 0) {
    fprintf(stderr, "%s: %g %g %g %g\n", rayo_status_name(status), (double)c[0], (double)c[1], (double)c[2],
            (double)c[3]);
    return 1;
  }
  printf("rayo %s: %g %g %g %g\n", rayo_version(), (double)c[0], (double)c[1], (double)c[2], (double)c[3]);
  return 0;
}
