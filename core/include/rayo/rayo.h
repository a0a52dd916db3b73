/* SPDX-License-Identifier: Apache-2.0
 *
 * Rayo's application API. One C library; every backend is a plugin found at start-up, and each call runs on the best
 * one that can take it.
 *
 *   rayo_runtime *rt;
 *   if (rayo_runtime_create(NULL, &rt) != RAYO_OK) { char why[500]; rayo_last_error(why, sizeof why); ... }
 *   rayo_matmul_f32(rt, m, n, k, a, b, c);
 *   rayo_runtime_destroy(rt);
 *
 * Conventions. Every fallible function returns a rayo_status; the text of this thread's last failure is behind
 * rayo_last_error(). Out-parameters come last and are untouched on failure. All memory behind tensors is the caller's.
 * Everything returned as const char * or const struct * lives as long as the handle it came from. All functions may be
 * called from any thread at once, except destroying a handle that is in use. Calls block until the result is there.
 * No function writes to stdout, changes the locale or installs a signal handler.
 */
#ifndef RAYO_RAYO_H
#define RAYO_RAYO_H

#include <rayo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAYO_VERSION_STRING "0.1.0"
#define RAYO_API RAYO_EXPORT

typedef struct rayo_runtime rayo_runtime;
typedef struct rayo_plan rayo_plan;
typedef struct rayo_explanation rayo_explanation;

/* ---- Errors ---------------------------------------------------------------------------------------------- */

/* Copies the text of this thread's last failure (NUL-terminated, cut to cap). Returns its full length without NUL;
 * 0 = no failure yet. buf may be NULL if cap is 0. */
RAYO_API size_t rayo_last_error(char *buf, size_t cap);
/* "RAYO_INVALID_ARGUMENT" for a status, "unknown status" for others. Static. */
RAYO_API const char *rayo_status_name(rayo_status status);
/* "0.1.0" of the library in use. */
RAYO_API const char *rayo_version(void);

/* ---- Runtime --------------------------------------------------------------------------------------------- */

typedef void (*rayo_log_fn)(void *ctx, int32_t level, const char *text);

#define RAYO_RUNTIME_NO_ENVIRONMENT 1u /* ignore every RAYO_* environment variable */
#define RAYO_RUNTIME_ONLY_FILES 2u     /* load plugin_files and nothing else */
#define RAYO_RUNTIME_ALLOW_EMPTY 4u    /* create succeeds without a usable plugin: to list the files and reasons */
/* UNSAFE: plugin_files are loaded without a probe in a child process; a bad one takes this process with it. For
 * programs that judge plugins in processes of their own, as `rayo conform` does. */
#define RAYO_RUNTIME_TRUST_FILES 8u
#define RAYO_RUNTIME_NO_VERDICT_CACHE 16u /* verdicts are neither read nor kept; RAYO_VERDICT_CACHE=0 does the same */
#define RAYO_RUNTIME_LIST_REFUSED 32u     /* a refused one of plugin_files is listed, and create goes on */
#define RAYO_RUNTIME_METRICS 64u /* count calls and their time for rayo_metrics_text; RAYO_METRICS=1 does it too */

/* All members may be zero: RAYO_RUNTIME_OPTIONS_INIT. What is set here wins over the environment. */
typedef struct rayo_runtime_options {
  RAYO_STRUCT_HEADER;
  uint32_t flags;
  uint32_t threads;           /* budget of a call incl. the caller; 0 = RAYO_NUM_THREADS, else the usable CPUs */
  uint32_t numerics;          /* RAYO_POLICY_*; 0 = RAYO_NUMERICS, else accurate */
  uint32_t plugin_file_count; /* single files loaded besides the search path; one that is refused fails create */
  const char *const *plugin_files;
  const char *plugin_path; /* colon-separated absolute folders; NULL = RAYO_PLUGIN_PATH, else the built-in rule */
  const char *device;      /* "auto" or a device or plugin name; NULL = RAYO_DEVICE, else auto */
  const char *cpu_disable; /* features to treat as absent: "avx512f,avx2"; NULL = RAYO_CPU_DISABLE */
  rayo_log_fn log;         /* NULL = stderr at the level of RAYO_LOG (error|warn|info|debug|off; default warn) */
  void *log_ctx;
  const rayo_executor *executor; /* the application's threads; NULL = Rayo's pool. Outlives the runtime */
  uint32_t require_conformance;  /* RAYO_CONFORMANCE_*; 0 = RAYO_REQUIRE_CONFORMANCE (0|1), else not required */
  uint32_t probe_ms;             /* time limit of a plugin's probe; 0 = RAYO_PROBE_MS, else 2000 or its note's */
  const char *executor_name;     /* "pool", or "openmp": libgomp's threads; NULL = executor, RAYO_EXECUTOR, else pool */
  const char
      *log_format;       /* without `log`: "text", or "json": a JSON object a line; NULL = RAYO_LOG_FORMAT, else text */
  const char *trace;     /* file to write spans to, see rayo_trace_flush; NULL = RAYO_TRACE, else none */
  const char *verify;    /* run-time guards, see below; NULL = RAYO_VERIFY, else none */
  const char *isolation; /* plugins in processes of their own, see below; NULL = RAYO_ISOLATION, else off */
  uint32_t isolation_ms; /* time limit of a call there; 0 = RAYO_ISOLATION_MS, else 10000 */
} rayo_runtime_options;

#define RAYO_RUNTIME_OPTIONS_INIT                                                                                  \
  {                                                                                                                \
    sizeof(rayo_runtime_options), RAYO_TYPE_RUNTIME_OPTIONS, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, \
        NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 0                                                                \
  }

/* With RAYO_CONFORMANCE_REQUIRED a plugin is accepted only if a certificate covers its file by SHA-256: a JSON report
 * of a full, passed `rayo conform` run, beside it as FILE.conformance.json or in the cache (rayo_certificate_path). The
 * others, scalar not excepted, are rejected with the reason and the next step. */
#define RAYO_CONFORMANCE_REQUIRED 1u
#define RAYO_CONFORMANCE_NOT_REQUIRED 2u /* whatever the environment says */

/* What a call accepts. The policy masks kernels; explain says which. */
#define RAYO_POLICY_REPRODUCIBLE 1u /* only kernels with the contract's bits */
#define RAYO_POLICY_ACCURATE 2u     /* every kernel within the strict bound (default) */
#define RAYO_POLICY_RELAXED 3u      /* also TF32, tensor cores, relaxed bounds */

/* Finds, checks and starts plugins. options may be NULL. RAYO_NOT_FOUND: no plugin could be used (the text lists each
 * file's reason). RAYO_INVALID_ARGUMENT: a wrong option or environment variable (named, with its legal values). */
RAYO_API rayo_status rayo_runtime_create(const rayo_runtime_options *options, rayo_runtime **out_runtime);
/* No call may be in flight. Plans of this runtime answer RAYO_PRECONDITION from here on. NULL is ignored. */
RAYO_API void rayo_runtime_destroy(rayo_runtime *runtime);

/* Where `rayo conform --record` keeps the certificate of a file with this SHA-256 (64 hex digits):
 * $XDG_CACHE_HOME/rayo/conformance/<sha256>.json, by default below ~/.cache. Copies and returns like rayo_last_error;
 * 0 = no such place: no absolute folder in the environment, a privileged process, or not a SHA-256. */
RAYO_API size_t rayo_certificate_path(const char *sha256, char *buf, size_t cap);

RAYO_API uint32_t rayo_runtime_threads(const rayo_runtime *runtime);
RAYO_API rayo_status rayo_runtime_set_threads(rayo_runtime *runtime, uint32_t threads); /* 0 = default again */

/* Runs the runtime's parallel work on the application's threads; NULL = Rayo's pool again. The executor outlives its
 * use; not to be called while calls are in flight. */
RAYO_API rayo_status rayo_set_executor(rayo_runtime *runtime, const rayo_executor *executor);

/* ---- Trace and counters ------------------------------------------------------------------------------------ */

/* Moves the spans recorded so far into the trace's file, as destroying a runtime and the end of the process do; it is
 * whole JSON after each flush, for chrome://tracing and ui.perfetto.dev. Spans: creating runtimes, loading plugins,
 * binding calls, every call with device, kernel and threads, what plugins add. Each queue of a device has a row
 * ("vulkan0 queue 1") with its copies and kernels at the times that the device took, which arrive when the queue is
 * next used, waited for or destroyed; arrows run from what signals a semaphore to what waits for it. "%p" in the name
 * becomes the process id; runtimes of one process that name the same file share it; a forked child writes none. Each
 * thread keeps 16,384 spans between flushes: more are dropped and counted. RAYO_OK without a trace; RAYO_IO. */
RAYO_API rayo_status rayo_trace_flush(rayo_runtime *runtime);
/* Counters of this runtime in Prometheus' text format: calls, their time and failures by op, device and kernel (with
 * RAYO_RUNTIME_METRICS), fallbacks with their reasons, plugins by verdict. Copies and returns like rayo_last_error; a
 * longer text may be there by the next call. */
RAYO_API size_t rayo_metrics_text(const rayo_runtime *runtime, char *buf, size_t cap);

/* ---- Run-time guards ----------------------------------------------------------------------------------------- */

/* clang-format off */
/* Items of `verify` and RAYO_VERIFY, with commas between; off by default and by "off":
 *
 *   nan, inf         the output holds a NaN (an infinity) and no input does: propagation is legal
 *   divergence       the call is run again on the plugin `scalar`. Kernels of class reproducible must have its bits, the
 *                    others lie within the op's bounds (doc/numerics.md) of it. Ops without a scalar kernel are passed
 *   nondeterminism   the call is run twice and must give the same bits, unless the kernel says that it may not
 *   slowdown[:F]     the call takes more than F (2) times the running median of its plan, and 100 us more
 *
 *   action=stop      (default) the call answers RAYO_GUARD. Its outputs hold no result: NaN, the smallest signed or the
 *                    largest unsigned value; in place the operand is the input again; after a slowdown the result
 *   action=log       the finding is logged as an error, the call succeeds
 *   action=report    ... and a JSON file and a heat map (PNG, with libpng) are written to report=/FOLDER, by default
 *                    $XDG_CACHE_HOME/rayo/reports; at most 100 by a runtime
 *   budget=P%        divergence may take P percent of the time of a plan's calls; budget=off: no limit. Default: off up
 *                    to 1/100, 0.5% at rarer rates
 *
 * All but slowdown take a rate: NAME:1/N looks at one call in every N, at a place that varies. With 1/1, the default,
 * and action=stop the application never receives a result that a guard objects to.
 *
 * Within a budget a call that is due may be judged in part: pieces of the output, from a random one on, as many as the
 * time allows. A call that is wrong throughout is then found as soon as without a budget, one with a single wrong
 * element with the probability of the judged share. Where one check takes more than its time, later ones are left out
 * until it is paid back. rayo_guard_partial_total and rayo_guard_skipped_total count both.
 *
 * Guards look at calls whose kernel runs on the host. Calls that run on another device, and work in queues (also of the
 * device "host"), are not looked at. */
/* clang-format on */

/* ---- Isolation ------------------------------------------------------------------------------------------------- */

/* `isolation` and RAYO_ISOLATION: "off"; "process": every plugin that the package's own manifest does not list runs in
 * a process of its own; "process:NAME,NAME": these plugins do, and no other. Such a plugin is never mapped into this
 * process. A call copies its operands into memory shared with that process, and its outputs back once it has answered
 * (docs/isolation.md has the cost); what the plugin writes anywhere else, in there or to its inputs, is not seen here.
 * If the process crashes, ends, writes beside an output or has no answer after isolation_ms, it is ended, another one
 * is started at a bounded rate, and the call runs on the next kernel of the host, counted as RAYO_FALLBACK_WORKER;
 * where that plugin alone was asked for by name, the call answers RAYO_INTERNAL, RAYO_TIMEOUT or, while there is no
 * process, RAYO_RETRY, with its outputs untouched. One process for each plugin and runtime, one call at a time in it.
 * Plugins with devices are refused, ops that a plugin brings itself are left out. No sandbox: the process has this
 * user's rights. */

/* ---- Plugins and devices found ---------------------------------------------------------------------------- */

#define RAYO_PLUGIN_READY 0u
#define RAYO_PLUGIN_REJECTED 1u    /* by the static look, the CPU gate, the ABI, its probe or its own query */
#define RAYO_PLUGIN_QUARANTINED 2u /* it crashed or hung, in its probe or in this application: left alone for a day */
#define RAYO_PLUGIN_UNLOADED 3u    /* by rayo_plugin_unload */

typedef struct rayo_plugin_info {
  RAYO_STRUCT_HEADER;
  const char *name; /* "" when the file could not tell */
  const char *file;
  const char *sha256; /* 64 hex digits; computed on first request; "" when unreadable */
  const char *vendor;
  const char *version;
  const char *reason; /* "" when ready */
  uint32_t state;     /* RAYO_PLUGIN_* */
  uint32_t kernel_count;
} rayo_plugin_info;

/* Every file that was looked at, ready or not. Fill struct_size and struct_type before the call. */
RAYO_API uint32_t rayo_plugin_count(const rayo_runtime *runtime);
RAYO_API rayo_status rayo_plugin_get(const rayo_runtime *runtime, uint32_t index, rayo_plugin_info *out_info);

/* Loads one more plugin file into a living runtime, trusted and judged like one of plugin_files: examined, probed in a
 * child unless it is known, started. Calls bound from then on may run on it; plans stay where they are. *out_index
 * (may be NULL) is for rayo_plugin_get. From any thread, while calls run; may take as long as a probe.
 * RAYO_NOT_FOUND: no such file. RAYO_REFUSED: the text has the reason, the runtime is as it was. A name that a ready
 * plugin has is refused; a file that was replaced since it was loaded (by rename, never in place) is another plugin,
 * beside the old one's code, which stays in memory. */
RAYO_API rayo_status rayo_plugin_load(rayo_runtime *runtime, const char *file, uint32_t *out_index);
/* Takes the ready plugin of this name out of the runtime: no call is bound to it any more, then running and queued
 * calls of it are waited for (also those that wait for a semaphore), then its instance is destroyed. Its record stays,
 * as RAYO_PLUGIN_UNLOADED; its file stays mapped until the process ends; plans bound to it answer RAYO_PRECONDITION,
 * eager calls run elsewhere. From any thread but one that is inside a call (an executor's task, a log function):
 * RAYO_PRECONDITION. RAYO_NOT_FOUND: the text lists who is ready. RAYO_UNSUPPORTED: `scalar`, plugins with devices of
 * their own, or a system without membarrier(2). */
RAYO_API rayo_status rayo_plugin_unload(rayo_runtime *runtime, const char *name);

/* Forgets what is remembered of a plugin file with this content: verdicts of its probe, crashes. The next runtime
 * probes it again. RAYO_NOT_FOUND: no such file. Where nothing is remembered (a privileged process, no home) this does
 * nothing. */
RAYO_API rayo_status rayo_plugin_forget(const char *file);

#define RAYO_DEVICE_KIND_CPU 0u
#define RAYO_DEVICE_KIND_GPU 1u
#define RAYO_DEVICE_KIND_OTHER 2u

/* A name that `device` options accept. For the host tier: one entry per ready CPU plugin. */
typedef struct rayo_device_listing {
  RAYO_STRUCT_HEADER;
  const char *id;     /* "avx2", "vulkan0" */
  const char *name;   /* "Intel(R) Xeon(R) Processor" */
  uint32_t kind;      /* RAYO_DEVICE_KIND_* */
  uint32_t plugin;    /* index for rayo_plugin_get */
  const char *driver; /* its version; "" for a CPU plugin */
} rayo_device_listing;

RAYO_API uint32_t rayo_device_count(const rayo_runtime *runtime);
RAYO_API rayo_status rayo_device_get(const rayo_runtime *runtime, uint32_t index, rayo_device_listing *out_device);

/* ---- Ops ---------------------------------------------------------------------------------------------------- */

/* Id of an op's name; RAYO_OP_NONE when no loaded catalogue or plugin has it. Cold: keep the result. */
RAYO_API rayo_op rayo_op_find(const char *name);
RAYO_API const char *rayo_op_name(rayo_op op); /* NULL for an unknown id */

typedef struct rayo_op_info {
  RAYO_STRUCT_HEADER;
  rayo_op op;
  uint32_t version;
  const char *name;
  const char *family;
  const char *inputs;  /* "A:T B:T [C:T]" */
  const char *outputs; /* "Y:T" */
  const char *types;   /* "T=f32,f64" */
  const char *doc;     /* formula */
  const char *origin;  /* "rayo", or the plugin that brought the schema */
  uint32_t numerics;   /* tightest class defined: RAYO_NUMERICS_* */
  uint32_t in_place;   /* bit i: output 0 may be exactly input i */
  uint32_t attr_count;
  uint32_t reserved;
  const rayo_attr_def *const *attrs;
} rayo_op_info;

typedef struct rayo_kernel_info {
  RAYO_STRUCT_HEADER;
  rayo_op op;
  uint32_t numerics;  /* RAYO_NUMERICS_* */
  const char *plugin; /* plugin's name */
  const char *name;
  const char *types; /* "T=f32" */
  uint32_t flags;
  uint32_t reserved;
} rayo_kernel_info;

RAYO_API uint32_t rayo_op_count(const rayo_runtime *runtime);
RAYO_API rayo_status rayo_op_get(const rayo_runtime *runtime, uint32_t index, rayo_op_info *out_info);
RAYO_API uint32_t rayo_kernel_count(const rayo_runtime *runtime);
RAYO_API rayo_status rayo_kernel_get(const rayo_runtime *runtime, uint32_t index, rayo_kernel_info *out_info);

/* ---- Running ------------------------------------------------------------------------------------------------ */

/* A tensor over host memory. strides may be NULL (compact row-major). Borrows shape and strides. */
static inline rayo_tensor rayo_tensor_make(void *data, DLDataType dtype, int32_t ndim, const int64_t *shape,
                                           const int64_t *strides) {
  rayo_tensor t;
  t.struct_size = (uint32_t)sizeof(rayo_tensor);
  t.struct_type = RAYO_TYPE_TENSOR;
  t.next = NULL;
  t.dl.data = data;
  t.dl.device.device_type = kDLCPU;
  t.dl.device.device_id = 0;
  t.dl.ndim = ndim;
  t.dl.dtype = dtype;
  t.dl.shape = (int64_t *)shape;
  t.dl.strides = (int64_t *)strides;
  t.dl.byte_offset = 0;
  t.buffer = NULL;
  t.owner = NULL;
  t.queue = NULL;
  return t;
}

/* Attributes of one value each, for lists ended by RAYO_ATTR_END. The value is borrowed. */
static inline rayo_attr rayo_attr_ints(const char *name, const int64_t *values, uint32_t count) {
  rayo_attr a = {name, RAYO_ATTR_INT, count, values};
  return a;
}
static inline rayo_attr rayo_attr_floats(const char *name, const double *values, uint32_t count) {
  rayo_attr a = {name, RAYO_ATTR_FLOAT, count, values};
  return a;
}

/* Output shapes and types of op for these inputs (their data is not read; NULL = absent optional input). Writes the
 * number of outputs; RAYO_INVALID_ARGUMENT if capacity is smaller. attrs: ended by RAYO_ATTR_END, or NULL. */
RAYO_API rayo_status rayo_infer_shapes(rayo_runtime *runtime, rayo_op op, const rayo_tensor *const *inputs,
                                       uint32_t input_count, const rayo_attr *attrs, rayo_shape *out_shapes,
                                       uint32_t capacity, uint32_t *out_count);

typedef struct rayo_run_options {
  RAYO_STRUCT_HEADER;
  const char *device; /* NULL = the runtime's */
  uint32_t threads;   /* 0 = the runtime's */
  uint32_t numerics;  /* RAYO_POLICY_*; 0 = the runtime's */
  const char *verify; /* guards of this call ("off" = none); NULL = the runtime's */
} rayo_run_options;

#define RAYO_RUN_OPTIONS_INIT \
  { sizeof(rayo_run_options), RAYO_TYPE_RUN_OPTIONS, NULL, NULL, 0, 0, NULL }

/* Runs op on the best kernel. inputs may be strided and broadcast; outputs have exactly the inferred shapes and
 * types, any non-zero strides that do not overlap. An output is disjoint from every input, or exactly one of them where
 * the op allows in-place; otherwise RAYO_INVALID_ARGUMENT. Nothing is written unless the call is valid. */
RAYO_API rayo_status rayo_run(rayo_runtime *runtime, rayo_op op, const rayo_tensor *const *inputs, uint32_t input_count,
                              const rayo_tensor *const *outputs, uint32_t output_count, const rayo_attr *attrs);
RAYO_API rayo_status rayo_run_with(rayo_runtime *runtime, rayo_op op, const rayo_tensor *const *inputs,
                                   uint32_t input_count, const rayo_tensor *const *outputs, uint32_t output_count,
                                   const rayo_attr *attrs, const rayo_run_options *options);

/* A call described, not made: for plans and explain. */
typedef struct rayo_call_desc {
  RAYO_STRUCT_HEADER;
  rayo_op op;
  uint32_t input_count;
  uint32_t output_count;    /* 0 = compact outputs of the inferred shapes */
  uint32_t constant_inputs; /* bit i: input i's content never changes and its data is there now */
  const rayo_tensor *const *inputs;
  const rayo_tensor *const *outputs;
  const rayo_attr *attrs;
  const rayo_run_options *options; /* NULL = the runtime's */
} rayo_call_desc;

#define RAYO_CALL_DESC_INIT \
  { sizeof(rayo_call_desc), RAYO_TYPE_CALL_DESC, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL }

/* Validates and binds once. The plan may be run from many threads at once. */
RAYO_API rayo_status rayo_plan_create(rayo_runtime *runtime, const rayo_call_desc *desc, rayo_plan **out_plan);
RAYO_API void rayo_plan_destroy(rayo_plan *plan);
/* Operands as many as bound, same types, shapes and strides, else RAYO_PRECONDITION; only the addresses may differ. */
RAYO_API rayo_status rayo_plan_run(rayo_plan *plan, const rayo_tensor *const *inputs,
                                   const rayo_tensor *const *outputs);

/* ---- Explain -------------------------------------------------------------------------------------------------- */

#define RAYO_CANDIDATE_CHOSEN 0u
#define RAYO_CANDIDATE_POSSIBLE 1u    /* could run it; was not the best */
#define RAYO_CANDIDATE_MASKED 2u      /* by policy or device choice */
#define RAYO_CANDIDATE_UNSUPPORTED 3u /* has the op, not for this call */
#define RAYO_CANDIDATE_REJECTED 4u    /* the whole plugin is not ready */

typedef struct rayo_candidate {
  RAYO_STRUCT_HEADER;
  const char *device;
  const char *plugin;
  const char *kernel; /* "" for a rejected plugin */
  const char *reason; /* why it was, or was not, chosen */
  uint32_t state;     /* RAYO_CANDIDATE_* */
  uint32_t threads;   /* it would use */
  uint32_t numerics;
  uint32_t reserved;
  double predicted_ns; /* by the device profile: the sum of what follows; < 0: not known, here and below */
  double transfer_ns;  /* bringing operands to where it runs, and results back */
  double launch_ns;    /* handing one piece of work to its device */
  double kernel_ns;    /* the rest */
} rayo_candidate;

/* Who would run this call and why not the others. Succeeds also when nobody can (chosen = -1). */
RAYO_API rayo_status rayo_explain(rayo_runtime *runtime, const rayo_call_desc *desc,
                                  rayo_explanation **out_explanation);
RAYO_API void rayo_explanation_destroy(rayo_explanation *explanation);
RAYO_API int32_t rayo_explanation_chosen(const rayo_explanation *explanation); /* index of a candidate, or -1 */
RAYO_API const char *rayo_explanation_level(
    const rayo_explanation *explanation); /* "static", "forced", "profile", "class" */
RAYO_API uint32_t rayo_explanation_count(const rayo_explanation *explanation);
RAYO_API rayo_status rayo_explanation_get(const rayo_explanation *explanation, uint32_t index,
                                          rayo_candidate *out_candidate);

/* ---- One line per op: contiguous f32 in host memory ------------------------------------------------------------- */

/* y[i] = op(x[i]) and y[i] = op(a[i], b[i]) for i < n. y may be exactly an input. */
#define RAYO_DECLARE_UNARY_F32(op) \
  RAYO_API rayo_status rayo_##op##_f32(rayo_runtime *, int64_t n, const float *x, float *y)
#define RAYO_DECLARE_BINARY_F32(op) \
  RAYO_API rayo_status rayo_##op##_f32(rayo_runtime *, int64_t n, const float *a, const float *b, float *y)
RAYO_DECLARE_BINARY_F32(add);
RAYO_DECLARE_BINARY_F32(sub);
RAYO_DECLARE_BINARY_F32(mul);
RAYO_DECLARE_BINARY_F32(div);
RAYO_DECLARE_BINARY_F32(max);
RAYO_DECLARE_BINARY_F32(min);
RAYO_DECLARE_UNARY_F32(neg);
RAYO_DECLARE_UNARY_F32(abs);
RAYO_DECLARE_UNARY_F32(sqrt);
RAYO_DECLARE_UNARY_F32(exp);
RAYO_DECLARE_UNARY_F32(log);
RAYO_DECLARE_UNARY_F32(tanh);
RAYO_DECLARE_UNARY_F32(sigmoid);
RAYO_DECLARE_UNARY_F32(relu);
RAYO_DECLARE_UNARY_F32(gelu); /* approximate = "none" */
RAYO_DECLARE_UNARY_F32(swish);

/* *out = reduction of x[0..n). */
#define RAYO_DECLARE_REDUCE_F32(op) \
  RAYO_API rayo_status rayo_##op##_f32(rayo_runtime *, int64_t n, const float *x, float *out)
RAYO_DECLARE_REDUCE_F32(reduce_sum);
RAYO_DECLARE_REDUCE_F32(reduce_mean);
RAYO_DECLARE_REDUCE_F32(reduce_max);
RAYO_DECLARE_REDUCE_F32(reduce_min);
/* Index of the first maximum; NaN counts as the largest. RAYO_INVALID_ARGUMENT for n = 0. */
RAYO_API rayo_status rayo_argmax_f32(rayo_runtime *, int64_t n, const float *x, int64_t *out);
RAYO_API rayo_status rayo_dot_f32(rayo_runtime *, int64_t n, const float *a, const float *b, float *out);

/* y[r, :] = softmax(x[r, :]) for rows x cols. */
RAYO_API rayo_status rayo_softmax_f32(rayo_runtime *, int64_t rows, int64_t cols, const float *x, float *y);
/* c[m, n] = a[m, k] b[k, n], row-major. c overlaps neither input. */
RAYO_API rayo_status rayo_matmul_f32(rayo_runtime *, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                                     float *c);
/* c = alpha op(a) op(b) + beta c, row-major; op(a) is m x k, op(b) is k x n; beta = 0 never reads c. */
RAYO_API rayo_status rayo_gemm_f32(rayo_runtime *, int32_t trans_a, int32_t trans_b, int64_t m, int64_t n, int64_t k,
                                   float alpha, const float *a, const float *b, float beta, float *c);
/* y[j, i] = x[i, j]; x is rows x cols. */
RAYO_API rayo_status rayo_transpose_f32(rayo_runtime *, int64_t rows, int64_t cols, const float *x, float *y);

#ifdef __cplusplus
}
#endif

#endif /* RAYO_RAYO_H */
