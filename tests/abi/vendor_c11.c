/* SPDX-License-Identifier: Apache-2.0
 *
 * A vendor's plugin in plain C11 with an op of its own, acme.window: the largest (or the sum) of each window along the
 * last axis. It judges whether the ABI can be used from C without helpers: schema, attributes of three kinds, shape
 * inference, a reason why not, state, workspace, and an error from a hot function.
 */
#include <math.h>
#include <rayo/abi_check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct rayo_instance {
  const rayo_host *host;
};

typedef struct window_state {
  const rayo_host *host;
  int64_t rows, windows, size, step;
  int64_t x_row, x_step, y_row, y_step;
  double limit;
  int sum;
} window_state;

static rayo_status fail(rayo_error *error, rayo_status status, const char *format, ...) {
  va_list args;
  if (error == NULL) return status;
  error->status = status;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  return status;
}

/* ---- Schema ------------------------------------------------------------------------------------------ */

static const int64_t one = 1;
static const double infinite = INFINITY;
static const char max_text[] = "max";
#define ATTR_HEADER sizeof(rayo_attr_def), RAYO_TYPE_ATTR_DEF, NULL
static const rayo_attr_def attr_size = {
    ATTR_HEADER, "size", RAYO_ATTR_INT, RAYO_ATTR_REQUIRED, 0, 0, NULL, NULL, "elements of a window, 1 and above"};
static const rayo_attr_def attr_step = {
    ATTR_HEADER, "step", RAYO_ATTR_INT, 0, 1, 0, &one, NULL, "distance of neighbouring windows, 1 and above"};
static const rayo_attr_def attr_limit = {
    ATTR_HEADER, "limit", RAYO_ATTR_FLOAT, 0, 1, 0, &infinite, NULL, "a result above it is an error"};
static const rayo_attr_def attr_mode = {ATTR_HEADER, "mode",    RAYO_ATTR_STRING,       0, sizeof max_text - 1, 0,
                                        max_text,    "max|sum", "what a window becomes"};
static const rayo_attr_def *const attrs[] = {&attr_size, &attr_step, &attr_limit, &attr_mode};

/* Attributes arrive complete and in the schema's order: an index is enough. */
enum { SIZE, STEP, LIMIT, MODE };
static int64_t int_of(const rayo_op_desc *desc, int index) { return *(const int64_t *)desc->attrs[index].data; }

static rayo_status infer_window(const rayo_op_desc *desc, rayo_shape *out, rayo_error *error) {
  const rayo_tensor_desc *x = desc->inputs[0];
  const int64_t size = int_of(desc, SIZE), step = int_of(desc, STEP);
  if (x->ndim < 1) return fail(error, RAYO_INVALID_ARGUMENT, "acme.window: X has rank 0, needs 1 or more");
  const int64_t extent = x->shape[x->ndim - 1];
  if (size < 1 || step < 1 || size > extent)
    return fail(error, RAYO_INVALID_ARGUMENT,
                "acme.window: size %lld and step %lld must be at least 1, and size at most the last extent %lld",
                (long long)size, (long long)step, (long long)extent);
  const char *mode = desc->attrs[MODE].data;
  if (strcmp(mode, "max") != 0 && strcmp(mode, "sum") != 0)
    return fail(error, RAYO_INVALID_ARGUMENT, "acme.window: mode '%s' is not one of max, sum", mode);
  out[0].ndim = x->ndim;
  out[0].dtype = x->dtype;
  memcpy(out[0].extents, x->shape, (size_t)x->ndim * sizeof(int64_t));
  out[0].extents[x->ndim - 1] = (extent - size) / step + 1;
  return RAYO_OK;
}

static const rayo_op_schema schema = {.struct_size = sizeof(rayo_op_schema),
                                      .struct_type = RAYO_TYPE_OP_SCHEMA,
                                      .name = "acme.window",
                                      .version = 1,
                                      .attr_count = sizeof attrs / sizeof attrs[0],
                                      .family = "acme",
                                      .inputs = "X:T",
                                      .outputs = "Y:T",
                                      .types = "T=f32",
                                      .attrs = attrs,
                                      .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                      .infer_shape = infer_window,
                                      .doc = "Y[.., j] = max or sum of X[.., j step : j step + size]"};
static const rayo_op_schema *const schemas[] = {&schema};

/* ---- Kernel ------------------------------------------------------------------------------------------ */

/* Rank 1 or 2: a row stride is all that the loop has. */
static uint32_t supports(rayo_instance *instance, const rayo_op_desc *desc) {
  (void)instance;
  if (desc->inputs[0]->ndim > 2) return RAYO_WHY_RANK;
  return RAYO_WHY_SUPPORTED;
}

static rayo_status run(const rayo_call *call) {
  const window_state *s = call->state;
  const float *x = call->inputs[0];
  float *y = call->outputs[0], *window = call->workspace;
  for (int64_t row = 0; row < s->rows; ++row)
    for (int64_t j = 0; j < s->windows; ++j) {
      float result;
      for (int64_t i = 0; i < s->size; ++i) window[i] = x[row * s->x_row + (j * s->step + i) * s->x_step];
      result = window[0];
      for (int64_t i = 1; i < s->size; ++i)
        if (s->sum)
          result += window[i];
        else if (window[i] > result || isnan(window[i])) /* a NaN stays: nothing compares above it */
          result = window[i];
      if ((double)result > s->limit) {
        s->host->report_error(s->host, RAYO_INVALID_ARGUMENT, "acme.window: a result is above the attribute 'limit'");
        return RAYO_INVALID_ARGUMENT;
      }
      y[row * s->y_row + j * s->y_step] = result;
    }
  return RAYO_OK;
}

static rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  const rayo_tensor_desc *x = desc->inputs[0], *y = desc->outputs[0];
  const int32_t last = x->ndim - 1;
  window_state *s = instance->host->alloc(instance->host, sizeof *s, 64);
  if (s == NULL) return fail(error, RAYO_OUT_OF_MEMORY, "acme.window: no memory for %zu bytes of state", sizeof *s);
  s->host = instance->host;
  s->rows = last == 1 ? x->shape[0] : 1;
  s->windows = y->shape[last];
  s->size = int_of(desc, SIZE);
  s->step = int_of(desc, STEP);
  s->x_row = last == 1 ? x->strides[0] : 0;
  s->y_row = last == 1 ? y->strides[0] : 0;
  s->x_step = x->strides[last];
  s->y_step = y->strides[last];
  s->limit = *(const double *)desc->attrs[LIMIT].data;
  s->sum = strcmp(desc->attrs[MODE].data, "sum") == 0;
  out->fn = run;
  out->state = s;
  out->workspace_size = (uint64_t)s->size * sizeof(float);
  out->workspace_alignment = 64;
  out->threads = 1;
  return RAYO_OK;
}

static void release(rayo_instance *instance, void *state) { instance->host->free(instance->host, state); }

static const rayo_kernel kernel = {.struct_size = sizeof(rayo_kernel),
                                   .struct_type = RAYO_TYPE_KERNEL,
                                   .name = "window_f32",
                                   .op = "acme.window",
                                   .types = "T=f32",
                                   .schema_min = 1,
                                   .schema_max = 1,
                                   .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                   .layouts = RAYO_LAYOUT_STRIDED,
                                   .alignment = 4,
                                   .accumulator = {kDLFloat, 32, 1},
                                   .supports = supports,
                                   .prepare = prepare,
                                   .release = release};
static const rayo_kernel *const kernels[] = {&kernel};

/* ---- Plugin ------------------------------------------------------------------------------------------ */

static rayo_status create(const rayo_host *host, rayo_instance **out, rayo_error *error) {
  rayo_instance *instance = host->alloc(host, sizeof *instance, 16);
  if (instance == NULL) return fail(error, RAYO_OUT_OF_MEMORY, "vendor_c11: no memory for an instance");
  instance->host = host;
  *out = instance;
  return RAYO_OK;
}

static void destroy(rayo_instance *instance) { instance->host->free(instance->host, instance); }

static const rayo_plugin plugin = {.struct_size = sizeof(rayo_plugin),
                                   .struct_type = RAYO_TYPE_PLUGIN,
                                   .abi_version = RAYO_ABI_VERSION,
                                   .name = "vendor_c11",
                                   .vendor = "Rayo tests",
                                   .version = "1.0",
                                   .description = "an op of a vendor's own, in C11",
                                   .kernel_count = 1,
                                   .schema_count = 1,
                                   .kernels = kernels,
                                   .schemas = schemas,
                                   .create = create,
                                   .destroy = destroy};

RAYO_PLUGIN_NOTE("vendor_c11", "Rayo tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);

RAYO_PLUGIN_ENTRY(vendor_c11)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin) {
  if (host == NULL || out_plugin == NULL) return RAYO_INVALID_ARGUMENT;
  *out_plugin = NULL;
  if (max_abi >> 16 != RAYO_ABI_MAJOR) return RAYO_REFUSED;
  *out_plugin = &plugin;
  return RAYO_OK;
}
