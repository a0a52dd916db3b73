/* SPDX-License-Identifier: Apache-2.0
 *
 * Types shared by the plugin ABI (plugin.h) and the application API (rayo.h): status codes, attributes,
 * tensors, CPU features. Standalone C11; valid C++.
 */
#ifndef RAYO_TYPES_H
#define RAYO_TYPES_H

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define RAYO_EXPORT __declspec(dllexport)
#else
#define RAYO_EXPORT __attribute__((visibility("default")))
#endif

/* ---- Status ------------------------------------------------------------------------------------------- */

/* Result of every fallible call. 0 is success; a negative value says what kind of failure it is, so that a
 * caller can decide without reading text. The text is in a rayo_error or behind rayo_last_error(). */
typedef int32_t rayo_status;

#define RAYO_OK 0
#define RAYO_INVALID_ARGUMENT (-1) /* the call is wrong: NULL, bad shape, unknown attribute, overlap */
#define RAYO_NOT_FOUND (-2)        /* unknown op, device, plugin, file */
#define RAYO_UNSUPPORTED (-3)      /* legal, but nobody here can do it: dtype, rank, layout, feature */
#define RAYO_OUT_OF_MEMORY (-4)    /* host or device memory; smaller work may succeed */
#define RAYO_PRECONDITION (-5)     /* state forbids it: destroyed, wrong order, layout differs from the plan's */
#define RAYO_RETRY (-6)            /* passing condition: the same call may succeed later */
#define RAYO_DEVICE_LOST (-7)      /* the device is gone; its buffers and queues are poisoned */
#define RAYO_FORKED (-8)           /* the handle belongs to the parent of this process */
#define RAYO_CANCELLED (-9)        /* what this work waited on failed */
#define RAYO_TIMEOUT (-10)         /* a limit in time ran out */
#define RAYO_IO (-11)              /* a file could not be read or written */
#define RAYO_REFUSED (-12)         /* a rule of trust forbids it: owner, mode, ABI, quarantine */
#define RAYO_GUARD (-13)           /* a run-time guard stopped the call: NaN, Inf, divergence, ... */
#define RAYO_INTERNAL (-14)        /* a defect of the library or the plugin; please report it */

/* Text of an error, owned by the caller; nothing to free. `text` is always NUL-terminated. Frozen. */
#define RAYO_ERROR_TEXT 500
typedef struct rayo_error {
  rayo_status status;
  char text[RAYO_ERROR_TEXT];
} rayo_error;

/* ---- Extensible structs ------------------------------------------------------------------------------- */

/* First members of every struct that may grow. struct_size: sizeof as its owner compiled it (a reader ignores
 * what lies beyond what it knows, and treats what lies beyond struct_size as zero). struct_type: RAYO_TYPE_*.
 * next: chain of extension structs with the same header; a reader skips types it does not know, except those
 * with RAYO_MUST_UNDERSTAND set, which it refuses with RAYO_UNSUPPORTED. Who fills a struct that another owns (an
 * out-parameter) leaves the header alone and writes nothing beyond the struct_size found there. */
#define RAYO_STRUCT_HEADER \
  uint32_t struct_size;    \
  uint32_t struct_type;    \
  const void *next

typedef struct rayo_struct {
  RAYO_STRUCT_HEADER;
} rayo_struct;

#define RAYO_MUST_UNDERSTAND 0x80000000u

/* Is the member inside the struct as its owner compiled it? Asked before any member younger than the ABI's 0.1. */
#define RAYO_HAS(ptr, type, member) ((ptr)->struct_size >= offsetof(type, member) + sizeof((ptr)->member))

#define RAYO_TYPE_HOST 1u
#define RAYO_TYPE_PLUGIN 2u
#define RAYO_TYPE_KERNEL 3u
#define RAYO_TYPE_OP_SCHEMA 4u
#define RAYO_TYPE_OP_DESC 5u
#define RAYO_TYPE_PREPARED 6u
#define RAYO_TYPE_EXECUTOR 7u
#define RAYO_TYPE_TENSOR 8u
#define RAYO_TYPE_DEVICE_API 9u
#define RAYO_TYPE_DEVICE_INFO 10u
#define RAYO_TYPE_BUFFER_DESC 11u
#define RAYO_TYPE_SUBMIT 12u
#define RAYO_TYPE_COPY 13u
#define RAYO_TYPE_ATTR_DEF 14u
#define RAYO_TYPE_TRACE_WORK 15u
#define RAYO_TYPE_RUNTIME_OPTIONS 32u
#define RAYO_TYPE_CALL_DESC 33u
#define RAYO_TYPE_PLUGIN_INFO 34u
#define RAYO_TYPE_DEVICE_LISTING 35u
#define RAYO_TYPE_OP_INFO 36u
#define RAYO_TYPE_KERNEL_INFO 37u
#define RAYO_TYPE_CANDIDATE 38u
#define RAYO_TYPE_RUN_OPTIONS 39u

/* ---- Ops and attributes ------------------------------------------------------------------------------- */

/* Process-wide id of an op name, interned once; 0 is no op. Names: ONNX's in snake_case ("reduce_sum"), a
 * vendor's with its prefix and a dot ("acme.foo"). */
typedef uint32_t rayo_op;
#define RAYO_OP_NONE 0u

/* Kinds of an attribute's value. */
#define RAYO_ATTR_INT 1u    /* const int64_t[count]; a scalar has count 1, a list any count */
#define RAYO_ATTR_FLOAT 2u  /* const double[count] */
#define RAYO_ATTR_STRING 3u /* const char[], NUL-terminated; count = length without the NUL */

/* One named attribute. Frozen: 4 members for ever; growth happens by new kinds. `data` may be NULL only when
 * count is 0. In the application API a list of attributes ends with RAYO_ATTR_END. */
typedef struct rayo_attr {
  const char *name;
  uint32_t kind;
  uint32_t count;
  const void *data;
} rayo_attr;

#ifdef __cplusplus
#define RAYO_ATTR_END \
  rayo_attr { nullptr, 0, 0, nullptr }
#else
#define RAYO_ATTR_END \
  (rayo_attr) { NULL, 0, 0, NULL }
#endif

/* Declaration of an attribute in an op's schema. */
#define RAYO_ATTR_REQUIRED 1u /* no default: the caller must give it */
#define RAYO_ATTR_LIST 2u     /* any count; otherwise exactly 1 */
#define RAYO_ATTR_AXES 4u     /* values are axes of input 0: normalised and checked by the core */

typedef struct rayo_attr_def {
  RAYO_STRUCT_HEADER;
  const char *name;
  uint32_t kind;  /* RAYO_ATTR_INT, _FLOAT, _STRING */
  uint32_t flags; /* RAYO_ATTR_REQUIRED | RAYO_ATTR_LIST | RAYO_ATTR_AXES */
  uint32_t default_count;
  uint32_t reserved;
  const void *default_data;
  const char *legal; /* every legal value, checked by the core: "0|1", "none|tanh"; NULL or "" = infer_shape checks */
  const char *doc;
} rayo_attr_def;

/* ---- Tensors ------------------------------------------------------------------------------------------ */

typedef struct rayo_buffer rayo_buffer; /* memory of a device; opaque */
typedef struct rayo_queue rayo_queue;   /* in-order stream of work of a device; opaque */

/* An operand of a call: a DLPack tensor and, for device memory, who owns it.
 *   dl.data + dl.byte_offset is logical element 0, also with negative strides.
 *   dl.strides: in elements; NULL = compact row-major. 0 is legal on inputs (broadcast), never on outputs.
 *   dl.shape: int64 extents, each >= 0; a tensor with a zero extent has no elements and its data may be NULL.
 *   dl.dtype: bool is u8 with values 0 and 1; lanes must be 1.
 *   Alignment beyond the element's own size is never assumed, not even that.
 * The core never takes ownership: all that is pointed to belongs to the caller and lives until the call (host)
 * or its completion (queue) ends. */
typedef struct rayo_tensor {
  RAYO_STRUCT_HEADER;
  DLTensor dl;
  rayo_buffer *buffer; /* the device buffer that `dl.data` lies in; NULL for host memory, and for memory of a device
                          with RAYO_DEVICE_PEER_POINTERS that the application owns */
  void *owner;         /* the caller's, e.g. a DLManagedTensor; never read by Rayo */
  rayo_queue *queue;   /* queue whose work last wrote the tensor; NULL = complete */
} rayo_tensor;

/* Shape, strides and type of an operand, without its memory (unless it is constant). Strides are in elements and never
 * NULL once the core has filled the struct. Frozen. */
typedef struct rayo_tensor_desc {
  DLDataType dtype;
  int32_t ndim;
  const int64_t *shape;
  const int64_t *strides;
  DLDevice device;
  uint32_t flags; /* RAYO_OPERAND_* */
  uint32_t reserved;
  /* With RAYO_OPERAND_CONSTANT the operand itself, for its memory alone (shape and strides: those above). Else NULL. */
  const rayo_tensor *constant;
} rayo_tensor_desc;

#define RAYO_OPERAND_CONSTANT 1u /* the same memory with the same content in every call: prepare may pack it */

#define RAYO_MAX_NDIM 16    /* ranks above are refused with RAYO_UNSUPPORTED */
#define RAYO_MAX_OPERANDS 8 /* inputs, and outputs, of one op */

/* Element types in DLPack's terms. */
#ifdef __cplusplus
#define RAYO_DTYPE(code, bits) \
  DLDataType { (uint8_t)(code), (uint8_t)(bits), 1 }
#else
#define RAYO_DTYPE(code, bits) \
  (DLDataType) { (uint8_t)(code), (uint8_t)(bits), 1 }
#endif
#define RAYO_F32 RAYO_DTYPE(kDLFloat, 32)
#define RAYO_F64 RAYO_DTYPE(kDLFloat, 64)
#define RAYO_F16 RAYO_DTYPE(kDLFloat, 16)
#define RAYO_BF16 RAYO_DTYPE(kDLBfloat, 16)
#define RAYO_I8 RAYO_DTYPE(kDLInt, 8)
#define RAYO_I32 RAYO_DTYPE(kDLInt, 32)
#define RAYO_I64 RAYO_DTYPE(kDLInt, 64)
#define RAYO_U8 RAYO_DTYPE(kDLUInt, 8)

/* Shape and type of an op's output, written by infer_shape. Frozen. */
typedef struct rayo_shape {
  int32_t ndim;
  DLDataType dtype;
  int64_t extents[RAYO_MAX_NDIM];
} rayo_shape;

/* ---- Numerics ----------------------------------------------------------------------------------------- */

/* What a kernel promises about its results; what a policy accepts. */
#define RAYO_NUMERICS_REPRODUCIBLE 1u /* the bits of the arithmetic contract (doc/numerics.md) */
#define RAYO_NUMERICS_STRICT 2u       /* within the op's strict bound */
#define RAYO_NUMERICS_RELAXED 3u      /* within the op's relaxed bound (TF32, tensor cores, fast math) */

/* ---- Executor: the only way to use threads -------------------------------------------------------------- */

/* One task: index `task` of [0, tasks), run by `worker` of [0, max_threads). Must not throw. */
typedef void (*rayo_task_fn)(void *ctx, uint64_t task, uint32_t worker);

/* Runs tasks on the runtime's threads. The caller takes part; the call returns when all tasks are done. Nested
 * calls run serially. How work is cut into tasks must not depend on the number of threads. */
typedef struct rayo_executor {
  RAYO_STRUCT_HEADER;
  void *self;
  /* max_threads >= 1: no worker index at or above it is used, so per-worker scratch of that many is enough. */
  void (*parallel_for)(void *self, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx);
} rayo_executor;

/* ---- Logging --------------------------------------------------------------------------------------- */

#define RAYO_LOG_ERROR 0
#define RAYO_LOG_WARN 1
#define RAYO_LOG_INFO 2
#define RAYO_LOG_DEBUG 3

/* ---- CPU features ------------------------------------------------------------------------------------- */

/* One bit each; set only when CPUID (or HWCAP) has the feature AND the operating system saves its registers. */
#define RAYO_CPU_SSE42 (UINT64_C(1) << 0)
#define RAYO_CPU_AVX (UINT64_C(1) << 1)
#define RAYO_CPU_FMA (UINT64_C(1) << 2)
#define RAYO_CPU_F16C (UINT64_C(1) << 3)
#define RAYO_CPU_AVX2 (UINT64_C(1) << 4)
#define RAYO_CPU_BMI2 (UINT64_C(1) << 5)
#define RAYO_CPU_AVX512F (UINT64_C(1) << 6)
#define RAYO_CPU_AVX512BW (UINT64_C(1) << 7)
#define RAYO_CPU_AVX512DQ (UINT64_C(1) << 8)
#define RAYO_CPU_AVX512VL (UINT64_C(1) << 9)
#define RAYO_CPU_AVX512VNNI (UINT64_C(1) << 10)
#define RAYO_CPU_AVXVNNI (UINT64_C(1) << 11)
#define RAYO_CPU_NEON (UINT64_C(1) << 32)
#define RAYO_CPU_DOTPROD (UINT64_C(1) << 33)
#define RAYO_CPU_FP16 (UINT64_C(1) << 34)

#ifdef __cplusplus
}
#endif

#endif /* RAYO_TYPES_H */
