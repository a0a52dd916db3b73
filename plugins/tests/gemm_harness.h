// SPDX-License-Identifier: Apache-2.0
//
// Drives one plugin's matmul and gemm kernels through the ABI alone: a minimal host table, dlopen, prepare, call. Used
// by the tests of this folder and by bench/gemm_peers.cpp, which judge kernels without the core.
#ifndef RAYO_PLUGINS_TESTS_GEMM_HARNESS_H
#define RAYO_PLUGINS_TESTS_GEMM_HARNESS_H

#include <dlfcn.h>
#include <rayo/plugin.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rayo::test {

/// A host that offers memory and says which CPU features there are.
inline const rayo_host &minimal_host() {
  static const rayo_host host = [] {
    rayo_host h{};
    h.struct_size = sizeof h;
    h.struct_type = RAYO_TYPE_HOST;
    h.abi_version = RAYO_ABI_VERSION;
    h.report_error = [](const rayo_host *, rayo_status, const char *) {};
    h.log = [](const rayo_host *, int32_t, const char *) {};
    h.alloc = [](const rayo_host *, uint64_t size, uint64_t alignment) -> void * {
      return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    };
    h.free = [](const rayo_host *, void *p) { std::free(p); };
    h.intern = [](const rayo_host *, const char *) -> rayo_op { return 1; };
    h.op_name = [](const rayo_host *, rayo_op) -> const char * { return "op"; };
    h.max_threads = 8;
    h.trace_begin = [](const rayo_host *, const char *) -> uint64_t { return 0; };
    h.trace_end = [](const rayo_host *, uint64_t) {};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("fma")) h.cpu_features |= RAYO_CPU_AVX | RAYO_CPU_FMA;
    if (__builtin_cpu_supports("avx2")) h.cpu_features |= RAYO_CPU_AVX2 | RAYO_CPU_BMI2 | RAYO_CPU_F16C;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
      h.cpu_features |= RAYO_CPU_AVX512F | RAYO_CPU_AVX512BW | RAYO_CPU_AVX512DQ | RAYO_CPU_AVX512VL;
    }
#endif
    return h;
  }();
  return host;
}

/// An executor of `threads` threads that are started anew for each region and take tasks in a racing order.
class ThreadExecutor {
 public:
  explicit ThreadExecutor(uint32_t threads) : threads_(threads) {
    table_ = rayo_executor{};
    table_.struct_size = sizeof table_;
    table_.struct_type = RAYO_TYPE_EXECUTOR;
    table_.self = this;
    table_.parallel_for = run;
  }
  const rayo_executor *table() const { return &table_; }
  uint32_t threads() const { return threads_; }
  uint64_t regions() const { return regions_; }

 private:
  static void run(void *self, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx) {
    auto *me = static_cast<ThreadExecutor *>(self);
    ++me->regions_;
    const uint32_t n = std::min(me->threads_, max_threads);
    std::atomic<uint64_t> next{0};
    auto work = [&](uint32_t worker) {
      for (uint64_t t = next++; t < tasks; t = next++) fn(ctx, t, worker);
    };
    std::vector<std::thread> others;
    for (uint32_t w = 1; w < n; ++w) others.emplace_back(work, w);
    work(0);
    for (std::thread &t : others) t.join();
  }

  rayo_executor table_;
  uint32_t threads_;
  std::atomic<uint64_t> regions_{0};
};

/// A loaded plugin with one instance. Throws std::runtime_error when the file does not load or refuses this machine.
class Plugin {
 public:
  explicit Plugin(const std::string &file) {
    handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
    auto query = reinterpret_cast<rayo_plugin_query_fn>(dlsym(handle_, "rayo_plugin_query"));
    if (query == nullptr) throw std::runtime_error(file + " exports no rayo_plugin_query");
    if (query(&minimal_host(), RAYO_ABI_VERSION, &plugin_) != RAYO_OK || plugin_ == nullptr) {
      throw std::runtime_error(file + " is not for this machine");
    }
    rayo_error error{};
    if (plugin_->create(&minimal_host(), &instance_, &error) != RAYO_OK) throw std::runtime_error(error.text);
  }
  Plugin(const Plugin &) = delete;
  Plugin &operator=(const Plugin &) = delete;
  ~Plugin() {
    if (instance_ != nullptr) plugin_->destroy(instance_);
  }

  const rayo_kernel &kernel(const char *op, DLDataType dtype) const {
    const std::string types = dtype.bits == 32 ? "T=f32" : "T=f64";
    for (uint32_t i = 0; i < plugin_->kernel_count; ++i) {
      const rayo_kernel &k = *plugin_->kernels[i];
      if (std::strcmp(k.op, op) == 0 && types == k.types) return k;
    }
    throw std::runtime_error(std::string("no kernel for ") + op + " " + types);
  }
  rayo_instance *instance() const { return instance_; }
  std::string name() const { return plugin_->name; }

 private:
  void *handle_ = nullptr;
  const rayo_plugin *plugin_ = nullptr;
  rayo_instance *instance_ = nullptr;
};

/// Shape and strides of an operand; compact row-major when strides are left out.
struct Layout {
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;

  // NOLINTNEXTLINE(google-explicit-constructor): a shape is a layout
  Layout(std::vector<int64_t> shape_) : shape(std::move(shape_)), strides(shape.size()) {
    int64_t step = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      strides[i] = step;
      step *= shape[i];
    }
  }
  Layout(std::vector<int64_t> shape_, std::vector<int64_t> strides_)
      : shape(std::move(shape_)), strides(std::move(strides_)) {}
};

struct Attributes {
  double alpha = 1.0;
  double beta = 1.0;
  int64_t trans_a = 0;
  int64_t trans_b = 0;
  int64_t batch_invariant = 0;
};

/// A bound matmul or gemm. Runs any number of times; its workspace is its own and is checked for writes past its end.
class Bound {
 public:
  Bound(const Plugin &plugin, const char *op, DLDataType dtype, const std::vector<Layout> &inputs, const Layout &output,
        const Attributes &attributes, uint32_t max_threads)
      : plugin_(plugin), kernel_(plugin.kernel(op, dtype)), max_threads_(max_threads) {
    std::vector<rayo_tensor_desc> descs;
    for (const Layout &l : inputs) descs.push_back(describe(l, dtype));
    descs.push_back(describe(output, dtype));
    std::vector<const rayo_tensor_desc *> in;
    for (size_t i = 0; i < inputs.size(); ++i) in.push_back(&descs[i]);
    const rayo_tensor_desc *out = &descs.back();
    std::vector<rayo_attr> attrs;
    if (std::strcmp(op, "gemm") == 0) {
      attrs = {{"alpha", RAYO_ATTR_FLOAT, 1, &attributes.alpha},
               {"beta", RAYO_ATTR_FLOAT, 1, &attributes.beta},
               {"transA", RAYO_ATTR_INT, 1, &attributes.trans_a},
               {"transB", RAYO_ATTR_INT, 1, &attributes.trans_b}};
    }
    attrs.push_back({"batch_invariant", RAYO_ATTR_INT, 1, &attributes.batch_invariant});
    rayo_op_desc desc{};
    desc.struct_size = sizeof desc;
    desc.struct_type = RAYO_TYPE_OP_DESC;
    desc.op = 1;
    desc.schema_version = 1;
    desc.input_count = static_cast<uint32_t>(in.size());
    desc.output_count = 1;
    desc.inputs = in.data();
    desc.outputs = &out;
    desc.attr_count = static_cast<uint32_t>(attrs.size());
    desc.attrs = attrs.data();
    desc.numerics = RAYO_NUMERICS_REPRODUCIBLE;
    desc.max_threads = max_threads;
    prepared_.struct_size = sizeof prepared_;
    prepared_.struct_type = RAYO_TYPE_PREPARED;
    rayo_error error{};
    if (kernel_.prepare(plugin_.instance(), &desc, &prepared_, &error) != RAYO_OK) {
      throw std::runtime_error(error.text);
    }
    const uint64_t size = (prepared_.workspace_size + kGuard + 63) / 64 * 64;
    workspace_ = static_cast<unsigned char *>(std::aligned_alloc(64, size));
    std::memset(workspace_, 0xff, size);  // NaN where anyone reads what nobody wrote
  }
  Bound(const Bound &) = delete;
  Bound &operator=(const Bound &) = delete;
  ~Bound() {
    if (kernel_.release != nullptr) kernel_.release(plugin_.instance(), prepared_.state);
    std::free(workspace_);
  }

  uint32_t threads() const { return prepared_.threads; }
  bool guard_intact() const {
    for (uint64_t i = 0; i < kGuard; ++i) {
      if (workspace_[prepared_.workspace_size + i] != 0xff) return false;
    }
    return true;
  }
  rayo_status run(const ThreadExecutor &executor, const std::vector<const void *> &inputs, void *output) const {
    rayo_call call{};
    call.inputs = inputs.data();
    call.outputs = &output;
    call.state = prepared_.state;
    call.workspace = prepared_.workspace_size > 0 ? workspace_ : nullptr;
    call.executor = executor.table();
    call.max_threads = std::min(max_threads_, executor.threads());
    return prepared_.fn(&call);
  }

 private:
  static constexpr uint64_t kGuard = 256;
  static rayo_tensor_desc describe(const Layout &l, DLDataType dtype) {
    rayo_tensor_desc d{};
    d.dtype = dtype;
    d.ndim = static_cast<int32_t>(l.shape.size());
    d.shape = l.shape.data();
    d.strides = l.strides.data();
    d.device = {kDLCPU, 0};
    return d;
  }

  const Plugin &plugin_;
  const rayo_kernel &kernel_;
  rayo_prepared prepared_{};
  uint32_t max_threads_;
  unsigned char *workspace_ = nullptr;
};

}  // namespace rayo::test

#endif  // RAYO_PLUGINS_TESTS_GEMM_HARNESS_H
