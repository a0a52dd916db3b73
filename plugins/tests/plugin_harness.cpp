// SPDX-License-Identifier: Apache-2.0
#include "plugin_harness.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

namespace rayo_test {
namespace {

void host_report(const rayo_host *, rayo_status, const char *text) { std::fprintf(stderr, "plugin: %s\n", text); }
void host_log(const rayo_host *, int32_t, const char *) {}
void *host_alloc(const rayo_host *, uint64_t size, uint64_t alignment) {
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void host_free(const rayo_host *, void *p) { std::free(p); }
rayo_op host_intern(const rayo_host *, const char *) { return 1; }
const char *host_op_name(const rayo_host *, rayo_op) { return "op"; }
uint64_t host_trace_begin(const rayo_host *, const char *) { return 0; }
void host_trace_end(const rayo_host *, uint64_t) {}

/// Threads take tasks from a counter, so their order differs from run to run.
void parallel_for(void *, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx) {
  std::atomic<uint64_t> next{0};
  const auto work = [&](uint32_t worker) {
    for (uint64_t t = next++; t < tasks; t = next++) fn(ctx, t, worker);
  };
  std::vector<std::thread> threads;
  for (uint32_t w = 1; w < max_threads; ++w) threads.emplace_back(work, w);
  work(0);
  for (std::thread &t : threads) t.join();
}

std::vector<int64_t> row_major(const std::vector<int64_t> &shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i] > 0 ? shape[i] : 1;
  }
  return strides;
}

rayo_tensor_desc describe(const View &view, const std::vector<int64_t> &strides) {
  rayo_tensor_desc d{};
  d.dtype = view.dtype;
  d.ndim = static_cast<int32_t>(view.shape.size());
  d.shape = view.shape.data();
  d.strides = strides.data();
  d.device = {kDLCPU, 0};
  return d;
}

}  // namespace

Attr int_attr(std::string name, std::vector<int64_t> values) {
  Attr a;
  a.name = std::move(name);
  a.ints = std::move(values);
  return a;
}
Attr float_attr(std::string name, double value) {
  Attr a;
  a.name = std::move(name);
  a.kind = RAYO_ATTR_FLOAT;
  a.reals = {value};
  return a;
}
Attr string_attr(std::string name, std::string value) {
  Attr a;
  a.name = std::move(name);
  a.kind = RAYO_ATTR_STRING;
  a.text = std::move(value);
  return a;
}
View compact(std::vector<int64_t> shape, DLDataType dtype) {
  View v;
  v.shape = std::move(shape);
  v.dtype = dtype;
  return v;
}

uint64_t host_features(uint64_t without) {
  uint64_t f = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (avx2) f |= RAYO_CPU_AVX | RAYO_CPU_AVX2 | RAYO_CPU_FMA | RAYO_CPU_F16C | RAYO_CPU_BMI2;
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    f |= RAYO_CPU_AVX512F | RAYO_CPU_AVX512BW | RAYO_CPU_AVX512DQ | RAYO_CPU_AVX512VL;
  }
#elif defined(__aarch64__)
  f |= RAYO_CPU_NEON | RAYO_CPU_FMA;
#endif
  return f & ~without;
}

Plugin::Plugin(const char *file, uint64_t features) {
  handle_ = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    std::fprintf(stderr, "cannot load %s: %s\n", file, dlerror());
    std::abort();
  }
  host_.struct_size = sizeof host_;
  host_.struct_type = RAYO_TYPE_HOST;
  host_.abi_version = RAYO_ABI_VERSION;
  host_.report_error = host_report;
  host_.log = host_log;
  host_.alloc = host_alloc;
  host_.free = host_free;
  host_.intern = host_intern;
  host_.op_name = host_op_name;
  host_.cpu_features = features;
  host_.max_threads = 8;
  host_.trace_begin = host_trace_begin;
  host_.trace_end = host_trace_end;
  const auto query = reinterpret_cast<rayo_plugin_query_fn>(dlsym(handle_, "rayo_plugin_query"));
  rayo_error error{};
  if (query == nullptr || query(&host_, RAYO_ABI_VERSION, &table_) != RAYO_OK) std::abort();
  if (table_ == nullptr) return;
  if (table_->create(&host_, &instance_, &error) != RAYO_OK) std::abort();
  name_ = table_->name;
}

Plugin::~Plugin() {
  if (instance_ != nullptr) table_->destroy(instance_);
  dlclose(handle_);
}

const rayo_kernel *Plugin::find(const std::string &op, DLDataType type) const {
  const char *wanted = type.bits == 64 ? "f64" : "f32";
  for (uint32_t i = 0; table_ != nullptr && i < table_->kernel_count; ++i) {
    const rayo_kernel *k = table_->kernels[i];
    const bool plain = std::strncmp(k->types, "T=", 2) == 0;
    if (op == k->op && (!plain || std::strstr(k->types, wanted) != nullptr)) return k;
  }
  return nullptr;
}

rayo_status Plugin::run(const std::string &op, const std::vector<View> &inputs, const std::vector<const void *> &in,
                        const View &output, void *out, const std::vector<Attr> &attrs, uint32_t threads) const {
  return prepared(op, inputs, in, output, out, attrs, threads,
                  [](rayo_kernel_fn kernel, const rayo_call &call) { return kernel(&call); });
}

rayo_status Plugin::prepared(const std::string &op, const std::vector<View> &inputs,
                             const std::vector<const void *> &in, const View &output, void *out,
                             const std::vector<Attr> &attrs, uint32_t threads,
                             const std::function<rayo_status(rayo_kernel_fn, const rayo_call &)> &use) const {
  return prepare(op, inputs, output, attrs, threads, [&](const rayo_prepared &kernel, rayo_call &call) {
    call.inputs = in.data();
    void *outputs[1] = {out};
    call.outputs = outputs;
    const uint64_t alignment = kernel.workspace_alignment != 0 ? kernel.workspace_alignment : 64;
    std::vector<char> workspace(kernel.workspace_size + alignment, '\xa5');
    if (kernel.workspace_size != 0) {
      const auto at = reinterpret_cast<uintptr_t>(workspace.data());
      call.workspace = reinterpret_cast<void *>((at + alignment - 1) / alignment * alignment);
    }
    return use(kernel.fn, call);
  });
}

uint64_t Plugin::workspace(const std::string &op, const std::vector<View> &inputs, const View &output,
                           const std::vector<Attr> &attrs, uint32_t threads) const {
  uint64_t size = ~uint64_t{0};
  prepare(op, inputs, output, attrs, threads, [&](const rayo_prepared &kernel, rayo_call &) {
    size = kernel.workspace_size;
    return RAYO_OK;
  });
  return size;
}

rayo_status Plugin::prepare(const std::string &op, const std::vector<View> &inputs, const View &output,
                            const std::vector<Attr> &attrs, uint32_t threads, const Use &use) const {
  const rayo_kernel *kernel = find(op, inputs[0].dtype);
  if (kernel == nullptr) kernel = find(op, output.dtype);  // where's first operand is not of the variable's type
  if (kernel == nullptr) return RAYO_NOT_FOUND;
  std::vector<std::vector<int64_t>> strides;
  for (const View &v : inputs) strides.push_back(v.strides.empty() ? row_major(v.shape) : v.strides);
  strides.push_back(output.strides.empty() ? row_major(output.shape) : output.strides);
  std::vector<rayo_tensor_desc> descs;
  for (size_t i = 0; i < inputs.size(); ++i) descs.push_back(describe(inputs[i], strides[i]));
  descs.push_back(describe(output, strides.back()));
  std::vector<const rayo_tensor_desc *> pointers;
  for (const rayo_tensor_desc &d : descs) pointers.push_back(&d);
  std::vector<rayo_attr> list;
  for (const Attr &a : attrs) {
    if (a.kind == RAYO_ATTR_STRING) {
      list.push_back({a.name.c_str(), a.kind, static_cast<uint32_t>(a.text.size()), a.text.c_str()});
    } else if (a.kind == RAYO_ATTR_FLOAT) {
      list.push_back({a.name.c_str(), a.kind, static_cast<uint32_t>(a.reals.size()), a.reals.data()});
    } else {
      list.push_back({a.name.c_str(), a.kind, static_cast<uint32_t>(a.ints.size()), a.ints.data()});
    }
  }
  rayo_op_desc desc{};
  desc.struct_size = sizeof desc;
  desc.struct_type = RAYO_TYPE_OP_DESC;
  desc.op = 1;
  desc.schema_version = 1;
  desc.input_count = static_cast<uint32_t>(inputs.size());
  desc.output_count = 1;
  desc.inputs = pointers.data();
  desc.outputs = pointers.data() + inputs.size();
  desc.attr_count = static_cast<uint32_t>(list.size());
  desc.numerics = RAYO_NUMERICS_REPRODUCIBLE;
  desc.attrs = list.data();
  desc.max_threads = threads;
  rayo_prepared prepared{};
  prepared.struct_size = sizeof prepared;
  prepared.struct_type = RAYO_TYPE_PREPARED;
  rayo_error error{};
  const rayo_status status = kernel->prepare(instance_, &desc, &prepared, &error);
  if (status != RAYO_OK) return status;
  rayo_executor executor{};
  executor.struct_size = sizeof executor;
  executor.struct_type = RAYO_TYPE_EXECUTOR;
  executor.parallel_for = parallel_for;
  rayo_call call{};
  call.state = prepared.state;
  call.executor = &executor;
  call.max_threads = threads;
  const rayo_status result = use(prepared, call);
  if (kernel->release != nullptr) kernel->release(instance_, prepared.state);
  return result;
}

}  // namespace rayo_test
