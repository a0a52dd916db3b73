// SPDX-License-Identifier: Apache-2.0
//
// Kernel descriptors of matmul and gemm, and their prepare: a plan, or two where the call may pass C as the result.
#include <cpu/gemm_plan.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

template <class T>
struct GemmState {
  GemmPlan<T> plan;
  GemmPlan<T> alias;  // for calls whose C is y; equal to plan where that cannot be
};

template <class T>
const GemmTable<T> &table_of(const GemmTables &tables);
template <>
const GemmTable<float> &table_of(const GemmTables &tables) {
  return tables.f32;
}
template <>
const GemmTable<double> &table_of(const GemmTables &tables) {
  return tables.f64;
}

template <class T>
rayo_status call_gemm(const rayo_call *call) {
  const GemmState<T> &state = *static_cast<const GemmState<T> *>(call->state);
  const bool has_c = state.plan.p.has_c;
  const bool alias = has_c && call->inputs[2] == call->outputs[0];
  gemm_run(alias ? state.alias : state.plan, *call, static_cast<const T *>(call->inputs[0]),
           static_cast<const T *>(call->inputs[1]), has_c ? static_cast<const T *>(call->inputs[2]) : nullptr,
           static_cast<T *>(call->outputs[0]));
  return RAYO_OK;
}

template <class T>
uint64_t workspace_of(const GemmPlan<T> &plan, uint32_t threads) {
  return threads * plan.worker_bytes;
}

template <class T>
rayo_status prepare_as(const rayo_instance *instance, const GemmProblem &problem, uint32_t max_threads,
                       rayo_prepared *out, rayo_error *error) {
  auto *state = make_state<GemmState<T>>(instance, error);
  if (state == nullptr) return RAYO_OUT_OF_MEMORY;
  const GemmTables &tables = *instance->tables->gemm;
  gemm_make_plan(problem, table_of<T>(tables), false, max_threads > 1, &state->plan);
  gemm_make_plan(problem, table_of<T>(tables), problem.c_may_be_y, max_threads > 1, &state->alias);
  const uint64_t tasks = gemm_tasks(state->plan);
  const bool parallel = state->plan.parallel && tasks > 1 && max_threads > 1;
  out->fn = call_gemm<T>;
  out->state = state;
  out->threads = !parallel ? 1 : (tasks < max_threads ? static_cast<uint32_t>(tasks) : max_threads);
  // Any worker below the descriptor's max_threads may come, also where fewer are of use.
  const uint32_t workers = parallel ? max_threads : 1;
  const uint64_t size = workspace_of(state->plan, workers);
  const uint64_t alias_size = workspace_of(state->alias, workers);
  out->workspace_size = size > alias_size ? size : alias_size;
  out->workspace_alignment = 64;
  return RAYO_OK;
}

rayo_status prepare(rayo_instance *instance, const GemmProblem &problem, const rayo_op_desc &desc, rayo_prepared *out,
                    rayo_error *error) {
  const uint32_t threads = desc.max_threads > 0 ? desc.max_threads : 1;
  if (desc.outputs[0]->dtype.bits == 32) return prepare_as<float>(instance, problem, threads, out, error);
  return prepare_as<double>(instance, problem, threads, out, error);
}

rayo_status prepare_matmul(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  GemmProblem problem;
  gemm_read_matmul(*desc, &problem);
  return prepare(instance, problem, *desc, out, error);
}

rayo_status prepare_gemm(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  GemmProblem problem;
  gemm_read_gemm(*desc, &problem);
  return prepare(instance, problem, *desc, out, error);
}

constexpr rayo_kernel kernel_of(const char *name, const char *op, const char *types, DLDataType accumulator,
                                uint32_t flags, PrepareFn prepare_fn) {
  rayo_kernel k = make_kernel(name, op, types, flags, prepare_fn);
  k.accumulator = accumulator;
  return k;
}

constexpr rayo_kernel kMatmulF32 = kernel_of("matmul_f32", "matmul", "T=f32", RAYO_F32, 0, checked<prepare_matmul>);
constexpr rayo_kernel kMatmulF64 = kernel_of("matmul_f64", "matmul", "T=f64", RAYO_F64, 0, checked<prepare_matmul>);
constexpr rayo_kernel kGemmF32 =
    kernel_of("gemm_f32", "gemm", "T=f32", RAYO_F32, RAYO_KERNEL_IN_PLACE, checked<prepare_gemm>);
constexpr rayo_kernel kGemmF64 =
    kernel_of("gemm_f64", "gemm", "T=f64", RAYO_F64, RAYO_KERNEL_IN_PLACE, checked<prepare_gemm>);
constexpr const rayo_kernel *kKernels[] = {&kMatmulF32, &kMatmulF64, &kGemmF32, &kGemmF64};

}  // namespace

const KernelList gemm_kernels = {kKernels, 4};

}  // namespace rayo
