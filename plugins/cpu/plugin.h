// SPDX-License-Identifier: Apache-2.0
//
// What the kernel families of a CPU plugin share: the instance, states, attributes, the parallel loop, and how a family
// lists its kernels. Everything in cpu/ is compiled once, for the baseline ISA: the query path must run anywhere.
//
// A family is: kernels/<family>_table.h (seam, plain data), kernels/<family>.h and .cpp (hot loops, once per ISA) and
// cpu/<family>.h and .cpp (descriptors, prepare, splitting into tasks).
#ifndef RAYO_PLUGINS_CPU_PLUGIN_H
#define RAYO_PLUGINS_CPU_PLUGIN_H

#include <kernels/tables.h>
#include <rayo/plugin.h>
#include <string.h>

/// The instance: whose memory states come from, and the hot loops that this machine runs.
struct rayo_instance {
  const rayo_host *host;
  const rayo::KernelTables *tables;
};

namespace rayo {

/// A zeroed T from the host's allocator, or NULL with the error filled. T is plain data.
void *state_alloc(const rayo_instance *instance, uint64_t size, rayo_error *error);
template <class T>
T *make_state(const rayo_instance *instance, rayo_error *error) {
  return static_cast<T *>(state_alloc(instance, sizeof(T), error));
}
/// rayo_kernel::release of every kernel whose state came from make_state.
void state_release(rayo_instance *instance, void *state);

rayo_status fail(rayo_error *error, rayo_status status, const char *text);

/// Attributes of a validated descriptor: present, of the schema's kind.
const rayo_attr *find_attr(const rayo_op_desc &desc, const char *name);
int64_t int_attr(const rayo_op_desc &desc, const char *name);
double float_attr(const rayo_op_desc &desc, const char *name);
bool string_attr_is(const rayo_op_desc &desc, const char *name, const char *value);

/// How the work of a call is split: never by the number of threads, so that bits cannot depend on it.
struct Split {
  int64_t units;  // pieces of work: rows, blocks, strips
  int64_t group;  // units of one task
  int64_t tasks;
  uint32_t threads;  // that can be of use; 1 = the executor is not asked
};
/// Groups units so that a task does about `task_work`, and asks for threads from `parallel_from` on.
Split make_split(const rayo_op_desc &desc, int64_t units, int64_t unit_work, int64_t task_work, int64_t parallel_from);

/// Runs fn(ctx, task, worker) for every task: on the executor if there is more than one task and `parallel`, else here.
inline void run_tasks(const rayo_call &call, uint64_t tasks, bool parallel, rayo_task_fn fn, void *ctx) {
  if (parallel && tasks > 1 && call.max_threads > 1) {
    call.executor->parallel_for(call.executor->self, tasks, call.max_threads, fn, ctx);
    return;
  }
  for (uint64_t t = 0; t < tasks; ++t) fn(ctx, t, 0);
}
inline void run_tasks(const rayo_call &call, const Split &split, rayo_task_fn fn, void *ctx) {
  run_tasks(call, static_cast<uint64_t>(split.tasks), split.threads > 1, fn, ctx);
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

/// A pointer moved by elements of `size` bytes.
inline const void *advance(const void *p, int64_t elements, int64_t size) {
  return static_cast<const char *>(p) + elements * size;
}
inline void *advance(void *p, int64_t elements, int64_t size) { return static_cast<char *>(p) + elements * size; }

using PrepareFn = rayo_status (*)(rayo_instance *, const rayo_op_desc *, rayo_prepared *, rayo_error *);

/// Answers RAYO_UNSUPPORTED if the descriptor's chain holds a struct that must be understood: this plugin knows none.
rayo_status refuse_extensions(const rayo_op_desc &desc, rayo_error *error);

/// `prepare` behind that check: what every kernel's descriptor holds.
template <PrepareFn prepare>
rayo_status checked(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  const rayo_status status = refuse_extensions(*desc, error);
  return status == RAYO_OK ? prepare(instance, desc, out, error) : status;
}

/// A descriptor of a reproducible kernel for any strides, released by state_release.
constexpr rayo_kernel make_kernel(const char *name, const char *op, const char *types, uint32_t flags,
                                  PrepareFn prepare) {
  rayo_kernel k{};
  k.struct_size = sizeof(rayo_kernel);
  k.struct_type = RAYO_TYPE_KERNEL;
  k.name = name;
  k.op = op;
  k.types = types;
  k.schema_min = 1;
  k.schema_max = 1;
  k.numerics = RAYO_NUMERICS_REPRODUCIBLE;
  k.flags = flags;
  k.layouts = RAYO_LAYOUT_CONTIGUOUS | RAYO_LAYOUT_STRIDED;
  k.prepare = prepare;
  k.release = state_release;
  return k;
}

/// A family's kernels: a constant array of pointers, defined in cpu/<family>.cpp.
struct KernelList {
  const rayo_kernel *const *kernels;
  uint32_t count;
};
extern const KernelList elementwise_kernels;
extern const KernelList reduce_kernels;
extern const KernelList reduce_misc_kernels;
extern const KernelList normalise_kernels;
extern const KernelList normalise_layer_kernels;
extern const KernelList transpose_kernels;
extern const KernelList gemm_kernels;
extern const KernelList gemm_int_kernels;
extern const KernelList quantise_kernels;

/// What an ISA folder says about its plugin.
struct PluginIdentity {
  const char *name;
  const char *description;
  uint32_t preference;
  uint64_t cpu_features;  // all needed
  rayo_status (*create)(const rayo_host *, rayo_instance **, rayo_error *);
};
extern const PluginIdentity plugin_identity;  // defined by the ISA folder
/// The body of rayo_plugin_query.
rayo_status answer_query(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out_plugin);
/// The body of create, once the tables are chosen.
rayo_status create_instance(const rayo_host *host, const KernelTables *tables, rayo_instance **out, rayo_error *error);

}  // namespace rayo

#endif  // RAYO_PLUGINS_CPU_PLUGIN_H
