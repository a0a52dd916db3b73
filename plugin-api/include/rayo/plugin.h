/* SPDX-License-Identifier: Apache-2.0
 *
 * The Rayo plugin ABI, version 0.1: all that a backend shared object needs. A plugin exports one symbol,
 * rayo_plugin_query, carries one note section (RAYO_PLUGIN_NOTE) and links nothing of Rayo's.
 *
 * Two tiers. Host tier: kernels on host memory, called as functions on the caller's thread. Device tier: a
 * rayo_device_api with its own memory, queues and timeline semaphores. A plugin may have both.
 *
 * Rules that hold everywhere (doc/ has an article on each):
 *  - No exception leaves a function; no exit, abort, signal handler; no thread that the note does not declare.
 *  - MXCSR/FPCR, locale and working directory are left as they were found.
 *  - No global mutable state that depends on a host: two runtimes may use one plugin, each with its own instance.
 *  - Every function may be called from any thread; only the same queue is never used by two threads at once.
 */
#ifndef RAYO_PLUGIN_H
#define RAYO_PLUGIN_H

#include <rayo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAYO_ABI_MAJOR 0u
#define RAYO_ABI_MINOR 1u
#define RAYO_ABI_VERSION ((RAYO_ABI_MAJOR << 16) | RAYO_ABI_MINOR)
/* Oldest ABI that this header still agrees with. A new minor leaves it alone: minors never refuse. Only a break moves
 * it, and from 1.0 on a break is a new major. */
#define RAYO_ABI_OLDEST ((RAYO_ABI_MAJOR << 16) | 1u)

typedef struct rayo_host rayo_host;
typedef struct rayo_plugin rayo_plugin;
typedef struct rayo_instance rayo_instance; /* the plugin's own type */
typedef struct rayo_device rayo_device;     /* the plugin's own type */

/* A piece of work as the trace shows it. An arrow is drawn from the work that signals a number to each that waits for
 * it: numbers of semaphores' points, unique in the process (a hash of an address and a value will do). */
typedef struct rayo_trace_work {
  RAYO_STRUCT_HEADER;
  const char *name; /* "matmul", "upload" */
  int64_t begin_ns; /* on the host's CLOCK_MONOTONIC, converted from the device's clock */
  int64_t end_ns;
  const uint64_t *waits;
  const uint64_t *signals;
  uint32_t wait_count;
  uint32_t signal_count;
} rayo_trace_work;

/* ---- Host table: services of the runtime ---------------------------------------------------------------- */

/* Valid from query until the instance's destroy returns. The members up to `cpu_features` are frozen for ever. */
struct rayo_host {
  RAYO_STRUCT_HEADER;
  uint32_t abi_version; /* the core's */
  uint32_t reserved;
  /* Leaves the text for a status returned by a hot function (rayo_kernel_fn, submit); thread-local, copied. */
  void (*report_error)(const rayo_host *host, rayo_status status, const char *text);
  void (*log)(const rayo_host *host, int32_t level, const char *text);
  /* Memory aligned to `alignment` (a power of two); NULL when there is none. Not for hot paths. */
  void *(*alloc)(const rayo_host *host, uint64_t size, uint64_t alignment);
  void (*free)(const rayo_host *host, void *ptr);
  /* The process-wide id of an op name; the same name gives the same id for ever. 0 on out of memory. */
  rayo_op (*intern)(const rayo_host *host, const char *name);
  const char *(*op_name)(const rayo_host *host, rayo_op op); /* NULL for an unknown id; valid for ever */
  uint64_t cpu_features;                                     /* RAYO_CPU_*: checked with CPUID and XGETBV */
  uint32_t max_threads;                                      /* the runtime's thread budget at its start, >= 1 */
  uint32_t reserved2;
  /* A span of the trace: begin returns a token for end; 0 = tracing is off, end(0) does nothing. */
  uint64_t (*trace_begin)(const rayo_host *host, const char *name);
  void (*trace_end)(const rayo_host *host, uint64_t token);
  /* A row of the trace for work that no thread of this process does, as a device's queue has; the same name is the same
   * row. 0 = tracing is off: time nothing. The two are NULL in an older host. */
  uint64_t (*trace_track)(const rayo_host *host, const char *name);
  /* A piece of work that is over, in the row's order, from any thread. Does not block; nothing is kept. */
  void (*trace_work)(const rayo_host *host, uint64_t track, const rayo_trace_work *work);
};

/* ---- Op descriptor: what prepare and supports look at ----------------------------------------------------- */

/* One call of one op with its operands' types, shapes and strides, validated by the core against the op's schema:
 *  - attributes: every attribute of the schema is present, in the schema's order, defaults filled in; axes are
 *    normalised to [0, rank). An optional list attribute without default that was not given has count 0.
 *  - strides are never NULL. For ops whose shape rule is `broadcast`, every input comes with the output's rank and
 *    shape, stride 0 on the axes it is broadcast along. Other ops see the operands as the caller gave them.
 *  - optional trailing inputs that were not given are absent: input_count says how many there are. An optional
 *    input in the middle that was not given has dtype.bits 0.
 * Everything is valid during the call only: prepare copies what it keeps. */
typedef struct rayo_op_desc {
  RAYO_STRUCT_HEADER;
  rayo_op op;
  uint32_t schema_version;
  uint32_t input_count;
  uint32_t output_count;
  const rayo_tensor_desc *const *inputs;
  const rayo_tensor_desc *const *outputs;
  uint32_t attr_count;
  uint32_t numerics; /* policy: the loosest RAYO_NUMERICS_* the caller accepts */
  const rayo_attr *attrs;
  uint32_t max_threads; /* workers a call will offer at most, >= 1 */
  uint32_t reserved;
  rayo_device *device; /* device tier: where it will run; NULL on the host tier */
} rayo_op_desc;

/* ---- Host-tier call -------------------------------------------------------------------------------------- */

/* The packet of one call: bare, no header, frozen. Pointers are to logical element 0 of each operand, in the order
 * of the descriptor; an absent optional input, and an operand without elements, may be NULL. Operands are disjoint,
 * or an output is exactly an input where both the schema and the kernel allow in-place. */
typedef struct rayo_call {
  const void *const *inputs;
  void *const *outputs;
  const void *state;             /* what prepare returned; shared by concurrent calls */
  void *workspace;               /* workspace_size bytes, aligned as asked; contents undefined; NULL if size is 0 */
  const rayo_executor *executor; /* never NULL */
  uint32_t max_threads;          /* <= the descriptor's */
  uint32_t reserved;
} rayo_call;

/* Computes. No allocation, lock or system call of its own. On failure leaves its text by host->report_error. */
typedef rayo_status (*rayo_kernel_fn)(const rayo_call *call);

/* Filled by prepare. The caller zeroes it and sets the header. */
typedef struct rayo_prepared {
  RAYO_STRUCT_HEADER;
  rayo_kernel_fn fn; /* host tier; stays NULL for a RAYO_KERNEL_DEVICE */
  void *state;       /* immutable from here on; given back by release; may be NULL */
  uint64_t workspace_size;
  uint64_t workspace_alignment; /* power of two; 0 = 64 */
  uint32_t threads;             /* how many workers can be of use, >= 1; 1 = never calls parallel_for */
  uint32_t reserved;
} rayo_prepared;

/* ---- Kernels: the capability list -------------------------------------------------------------------------- */

/* Why a kernel does not take a descriptor; shown by explain. */
#define RAYO_WHY_SUPPORTED 0u
#define RAYO_WHY_DTYPE 1u
#define RAYO_WHY_RANK 2u
#define RAYO_WHY_LAYOUT 3u
#define RAYO_WHY_ATTRIBUTE 4u
#define RAYO_WHY_SHAPE 5u
#define RAYO_WHY_SIZE 6u
#define RAYO_WHY_CPU 7u
#define RAYO_WHY_DEVICE_LIMIT 8u
#define RAYO_WHY_NUMERICS 9u
#define RAYO_WHY_SCHEMA 10u
#define RAYO_WHY_OTHER 11u

#define RAYO_LAYOUT_CONTIGUOUS 1u /* every operand compact row-major */
#define RAYO_LAYOUT_STRIDED 2u    /* any strides, 0 and negative included (implies CONTIGUOUS) */

#define RAYO_KERNEL_IN_PLACE 1u         /* an output may be exactly an input, where the schema allows it */
#define RAYO_KERNEL_NONDETERMINISTIC 2u /* equal calls may give different bits */
#define RAYO_KERNEL_FLUSHES 4u          /* subnormals may be treated as zero */
#define RAYO_KERNEL_DEVICE 8u           /* device tier: run by submit, desc->device is set; else host tier, by fn */

/* One kernel: an op, the types and layouts it takes, its numerics. Read-only, lives as long as the plugin is loaded. */
typedef struct rayo_kernel {
  RAYO_STRUCT_HEADER;
  const char *name;    /* "matmul_f32_12x32": for people; unique in the plugin */
  const char *op;      /* "matmul" */
  const char *types;   /* values of the schema's type variables: "T=f32,f64" or "T=f32 Q=i8,u8"; "" if it has none */
  uint32_t schema_min; /* op schema versions supported, inclusive */
  uint32_t schema_max;
  uint32_t numerics;          /* RAYO_NUMERICS_* */
  uint32_t flags;             /* RAYO_KERNEL_* */
  uint32_t layouts;           /* RAYO_LAYOUT_* */
  int32_t max_ndim;           /* 0 = RAYO_MAX_NDIM */
  uint32_t alignment;         /* bytes that data pointers must be aligned to; 0 or 1 = any */
  uint32_t constant_operands; /* bit i: input i may be prepacked when RAYO_OPERAND_CONSTANT */
  DLDataType accumulator;     /* type partial results are kept in; bits 0 = not applicable */
  uint32_t reserved;
  /* NULL = everything that the fields above describe. Cheap: no allocation. Returns RAYO_WHY_*. */
  uint32_t (*supports)(rayo_instance *instance, const rayo_op_desc *desc);
  /* Binds a descriptor. Cold: may allocate and compile. RAYO_UNSUPPORTED = take another kernel. */
  rayo_status (*prepare)(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error);
  /* Gives a state back; no call uses it any more. NULL = nothing to release. */
  void (*release)(rayo_instance *instance, void *state);
} rayo_kernel;

/* ---- Op schemas: a vendor's own ops --------------------------------------------------------------------------- */

/* Declares an op. The ops of Rayo's own catalogue are declared the same way by the core (ops/catalogue.def). */
typedef struct rayo_op_schema {
  RAYO_STRUCT_HEADER;
  const char *name;
  uint32_t version;
  uint32_t attr_count;
  const char *family;  /* "binary", "reduce", ...; for lists */
  const char *inputs;  /* "A:T B:T [C:T]": name:type, [] = optional; type = a variable or a dtype */
  const char *outputs; /* "Y:T" */
  const char *types;   /* "T=f32,f64": the values each variable may take by this schema */
  const rayo_attr_def *const *attrs;
  uint32_t in_place; /* bit i: output 0 may be exactly input i */
  uint32_t numerics; /* the tightest class that the op's definition allows */
  /* Fills out[0..output_count) of shapes and types. Attributes are complete and normalised; inputs in desc are as the
   * caller gave them; desc->outputs and desc->device are NULL. Pure: no instance, no host. Ranks <= RAYO_MAX_NDIM;
   * extents that overflow int64 are RAYO_INVALID_ARGUMENT. */
  rayo_status (*infer_shape)(const rayo_op_desc *desc, rayo_shape *out, rayo_error *error);
  const char *doc; /* the formula, in one line */
} rayo_op_schema;

/* ---- Device tier ------------------------------------------------------------------------------------------------ */

/* Timeline: a counter that only grows. Poisoned by a failure, it keeps the value it had reached and stays poisoned: a
 * wait for more than that answers RAYO_CANCELLED, with the text of the first cause. */
typedef struct rayo_semaphore rayo_semaphore;

/* A point on a timeline. As a wait it names a value whose signal has already been submitted, else RAYO_PRECONDITION; as
 * a signal one above every value signalled or submitted before, else RAYO_INVALID_ARGUMENT. Frozen. */
typedef struct rayo_point {
  rayo_semaphore *semaphore;
  uint64_t value;
} rayo_point;

#define RAYO_DEVICE_SOFTWARE 1u      /* a CPU in a device's clothes (lavapipe) */
#define RAYO_DEVICE_UNIFIED 2u       /* device memory is host memory: mapping costs nothing */
#define RAYO_DEVICE_HOST_IMPORT 4u   /* buffer_import works */
#define RAYO_DEVICE_PEER_POINTERS 8u /* DLTensor.data is an address, not a handle */

typedef struct rayo_device_info {
  RAYO_STRUCT_HEADER;
  char id[32];    /* "vulkan0"; filled by the plugin as kind + index */
  char name[128]; /* "NVIDIA H200" */
  char driver[64];
  DLDevice dl; /* {kDLCUDA, 0}: what tensors on it carry */
  uint32_t flags;
  uint32_t alignment;        /* of buffer offsets, bytes */
  uint64_t memory_bytes;     /* total */
  uint64_t max_buffer_bytes; /* largest single buffer */
} rayo_device_info;

#define RAYO_MEMORY_DEVICE 1u  /* fastest for kernels; not mappable unless UNIFIED */
#define RAYO_MEMORY_PINNED 2u  /* host memory the device reaches; for staging */
#define RAYO_MEMORY_UNIFIED 3u /* both sides, coherent */

typedef struct rayo_buffer_desc {
  RAYO_STRUCT_HEADER;
  uint64_t size;
  uint32_t memory; /* RAYO_MEMORY_* */
  uint32_t reserved;
} rayo_buffer_desc;

/* One piece of queued work. The queue runs it after every wait is reached, then advances every signal.
 *  - The struct and all it points to are read during the call only, except: kernel and state must live until done, and
 *    buffers, workspace and semaphores are held by the submission (destroying them meanwhile is legal).
 *  - A status other than RAYO_OK from submit or copy: nothing was queued, nothing is poisoned.
 *  - A failure later on poisons the signals (whatever waits on them fails with RAYO_CANCELLED) and the queue: work
 * behind it in the same queue is cancelled too, until queue_wait has answered with the failure's own status. */
typedef struct rayo_submit {
  RAYO_STRUCT_HEADER;
  const rayo_kernel *kernel;
  const void *state; /* from prepare */
  const rayo_tensor *const *inputs;
  const rayo_tensor *const *outputs;
  uint32_t input_count;
  uint32_t output_count;
  const rayo_point *waits;
  const rayo_point *signals;
  uint32_t wait_count;
  uint32_t signal_count;
  rayo_buffer *workspace; /* prepared.workspace_size bytes, or NULL */
} rayo_submit;

/* A copy between two places, each a buffer plus offset, or (buffer NULL) a host address that stays valid until the
 * signals are reached or poisoned. The rules of rayo_submit hold. The two places do not overlap. */
typedef struct rayo_copy {
  RAYO_STRUCT_HEADER;
  rayo_buffer *dst_buffer;
  rayo_buffer *src_buffer;
  void *dst_host;
  const void *src_host;
  uint64_t dst_offset;
  uint64_t src_offset;
  uint64_t size;
  const rayo_point *waits;
  const rayo_point *signals;
  uint32_t wait_count;
  uint32_t signal_count;
} rayo_copy;

/* Functions of the device tier. `submit` and `copy` do not block on the device. After fork() every one of them answers
 * RAYO_FORKED in the child, and the destroy/close functions return without touching the device or waiting. After
 * RAYO_DEVICE_LOST every one answers that, except the destroy/close functions. Timeouts: UINT64_MAX = for ever, 0 =
 * look only. */
typedef struct rayo_device_api {
  RAYO_STRUCT_HEADER;
  /* Devices present now. Writes their number; fills the first min(capacity, number) of `out`. 0 devices is RAYO_OK. */
  rayo_status (*enumerate)(rayo_instance *, uint32_t capacity, rayo_device_info *const *out, uint32_t *out_count,
                           rayo_error *);
  rayo_status (*device_open)(rayo_instance *, uint32_t index, rayo_device **out, rayo_error *);
  void (*device_close)(rayo_device *); /* after everything made from it has been destroyed */

  /* A size above max_buffer_bytes is RAYO_OUT_OF_MEMORY; a kind of memory it lacks RAYO_UNSUPPORTED. */
  rayo_status (*buffer_create)(rayo_device *, const rayo_buffer_desc *, rayo_buffer **out, rayo_error *);
  /* Wraps host memory without a copy; the memory outlives the buffer. RAYO_UNSUPPORTED where it cannot. */
  rayo_status (*buffer_import)(rayo_device *, void *host, uint64_t size, rayo_buffer **out, rayo_error *);
  void (*buffer_destroy)(rayo_buffer *); /* memory goes when no submission holds it */
  /* Host address of a pinned or unified buffer; RAYO_UNSUPPORTED for others. Stays valid until destroy. */
  rayo_status (*buffer_map)(rayo_buffer *, void **out_host, rayo_error *);
  /* What DLTensor.data holds for this buffer: a device address, or a handle (Vulkan). */
  rayo_status (*buffer_handle)(rayo_buffer *, void **out_handle, rayo_error *);

  rayo_status (*queue_create)(rayo_device *, rayo_queue **out, rayo_error *);
  void (*queue_destroy)(rayo_queue *); /* waits for its work */
  /* Until idle: the status of the first failure since the last call (which frees the queue of it), or RAYO_TIMEOUT. */
  rayo_status (*queue_wait)(rayo_queue *, uint64_t timeout_ns, rayo_error *);

  rayo_status (*semaphore_create)(rayo_device *, uint64_t initial, rayo_semaphore **out, rayo_error *);
  void (*semaphore_destroy)(rayo_semaphore *);
  rayo_status (*semaphore_query)(rayo_semaphore *, uint64_t *out_value, rayo_error *);
  rayo_status (*semaphore_wait)(rayo_semaphore *, uint64_t value, uint64_t timeout_ns, rayo_error *);
  rayo_status (*semaphore_signal)(rayo_semaphore *, uint64_t value, rayo_error *); /* from the host */

  rayo_status (*submit)(rayo_queue *, const rayo_submit *);
  rayo_status (*copy)(rayo_queue *, const rayo_copy *);
} rayo_device_api;

/* ---- Plugin ----------------------------------------------------------------------------------------------------- */

/* What query answers with. Read-only, lives as long as the plugin is loaded. */
struct rayo_plugin {
  RAYO_STRUCT_HEADER;
  uint32_t abi_version; /* RAYO_ABI_VERSION it was compiled against; effective minor = min of both sides */
  uint32_t flags;
  const char *name;    /* "avx2": [a-z][a-z0-9_]*, unique; what --device and RAYO_DEVICE name on the host tier */
  const char *vendor;  /* who answers for it */
  const char *version; /* of the plugin */
  const char *description;
  /* Order of host kernels where no measured profile exists: higher is tried first. Ours: scalar 0, neon and avx2 200,
   * avx512 300. A vendor's plugin for the same CPU should state what it measured. */
  uint32_t preference;
  uint32_t kernel_count;
  uint32_t schema_count;
  uint32_t reserved;
  const rayo_kernel *const *kernels;
  const rayo_op_schema *const *schemas; /* ops beyond the catalogue; NULL if schema_count is 0 */
  const rayo_device_api *device_api;    /* NULL = host tier only */
  rayo_status (*create)(const rayo_host *host, rayo_instance **out, rayo_error *error);
  void (*destroy)(rayo_instance *instance);
  /* A named extension at or above a version; NULL is a legal answer, and so is a NULL function. */
  const void *(*get_extension)(rayo_instance *instance, const char *name, uint32_t min_version);
};

/* The one exported symbol. Pure and repeatable: touches no device, starts no thread, uses only baseline
 * instructions. *out_plugin = NULL with RAYO_OK means "not for this host" (report_error may say why). */
typedef rayo_status (*rayo_plugin_query_fn)(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin);

#ifdef RAYO_STATIC_PLUGINS
#define RAYO_PLUGIN_SYMBOL(ident) rayo_plugin_query_##ident
#else
#define RAYO_PLUGIN_SYMBOL(ident) rayo_plugin_query
#endif
#ifdef __cplusplus
#define RAYO_PLUGIN_EXTERN_C extern "C"
#else
#define RAYO_PLUGIN_EXTERN_C
#endif
/* Declaration, then head of the query function's definition: RAYO_PLUGIN_ENTRY(acme)(const rayo_host *host,
 * uint32_t max_abi, const rayo_plugin **out_plugin) { ... }. Built with RAYO_STATIC_PLUGINS the symbol is suffixed with
 * `ident`. */
#define RAYO_PLUGIN_ENTRY(ident)                                                                      \
  RAYO_PLUGIN_EXTERN_C RAYO_EXPORT rayo_status RAYO_PLUGIN_SYMBOL(ident)(const rayo_host *, uint32_t, \
                                                                         const rayo_plugin **);       \
  RAYO_PLUGIN_EXTERN_C RAYO_EXPORT rayo_status RAYO_PLUGIN_SYMBOL(ident)

/* ---- Note section: what the core reads before it loads anything ------------------------------------------------- */

#define RAYO_NOTE_SECTION ".note.rayo"
#define RAYO_NOTE_OWNER "Rayo"
#define RAYO_NOTE_TYPE 1u

#define RAYO_TIER_HOST 1u
#define RAYO_TIER_DEVICE 2u

#define RAYO_THREADS_NONE 0u    /* starts no thread, ever */
#define RAYO_THREADS_AT_LOAD 1u /* a library it links starts threads while loading */
#define RAYO_THREADS_OWN 2u     /* has threads of its own after create */

#define RAYO_FORK_SAFE 0u   /* usable in a forked child */
#define RAYO_FORK_UNSAFE 1u /* answers RAYO_FORKED there */

/* Descriptor of the note. Frozen; more comes as further notes with other types. Little-endian. */
typedef struct rayo_note_desc {
  uint32_t version;        /* 1 */
  uint32_t abi_version;    /* compiled against */
  uint32_t abi_min;        /* oldest core ABI it runs on */
  uint32_t tiers;          /* RAYO_TIER_* bits */
  uint32_t cpu_low;        /* RAYO_CPU_* that must be present: bits 0-31 */
  uint32_t cpu_high;       /* bits 32-63 */
  uint32_t threads;        /* RAYO_THREADS_* */
  uint32_t fork_behaviour; /* RAYO_FORK_* */
  uint32_t probe_ms;       /* time its start may take; 0 = 2000 */
  uint32_t reserved;
  char name[32];
  char vendor[32];
} rayo_note_desc;

typedef struct rayo_note {
  uint32_t namesz; /* 5 */
  uint32_t descsz;
  uint32_t type;
  char owner[8]; /* "Rayo", padded to a multiple of 4 */
  rayo_note_desc desc;
} rayo_note;

/* Emits the note. Once per plugin, at file scope, in an object compiled for the baseline ISA:
 *   RAYO_PLUGIN_NOTE("acme", "Acme Inc.", RAYO_TIER_HOST, RAYO_CPU_AVX2 | RAYO_CPU_FMA, RAYO_THREADS_NONE,
 *                    RAYO_FORK_SAFE, 0); */
#define RAYO_PLUGIN_NOTE(name_, vendor_, tiers_, cpu_, threads_, fork_, probe_ms_)                           \
  __attribute__((used, aligned(4), section(RAYO_NOTE_SECTION))) static const rayo_note rayo_plugin_note_ = { \
      5,                                                                                                     \
      (uint32_t)sizeof(rayo_note_desc),                                                                      \
      RAYO_NOTE_TYPE,                                                                                        \
      RAYO_NOTE_OWNER,                                                                                       \
      {1, RAYO_ABI_VERSION, RAYO_ABI_OLDEST, (tiers_), (uint32_t)(cpu_), (uint32_t)((uint64_t)(cpu_) >> 32), \
       (threads_), (fork_), (probe_ms_), 0, name_, vendor_}}

#ifdef __cplusplus
}
#endif

#endif /* RAYO_PLUGIN_H */
