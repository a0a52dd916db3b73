// SPDX-License-Identifier: Apache-2.0
//
// The smallest host that plugin-api alone allows: a host table, an executor with real threads, a loader by dlopen, and
// operand descriptors. It stands in for the core, so that the ABI's clients can be run before and without one.
#pragma once

#include <dlfcn.h>
#include <rayo/plugin.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mini {

// Op names are process-wide, so they live outside any host.
class OpNames {
 public:
  static OpNames &get() {
    static OpNames names;
    return names;
  }
  rayo_op intern(const std::string &name) {
    std::lock_guard lock(mutex_);
    const auto [it, added] = ids_.try_emplace(name, static_cast<rayo_op>(ids_.size() + 1));
    if (added) names_[it->second] = it->first.c_str();
    return it->second;
  }
  const char *name(rayo_op op) {
    std::lock_guard lock(mutex_);
    const auto it = names_.find(op);
    return it == names_.end() ? nullptr : it->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, rayo_op> ids_;
  std::map<rayo_op, const char *> names_;
};

// One runtime's side of the ABI. Counts what the plugin holds, and remembers what it reports.
struct Host : rayo_host {
  Host() : rayo_host{} {
    struct_size = sizeof(rayo_host);
    struct_type = RAYO_TYPE_HOST;
    abi_version = RAYO_ABI_VERSION;
    max_threads = 4;
    rayo_host::report_error = [](const rayo_host *h, rayo_status failed, const char *text) {
      Host &self = of(h);
      std::lock_guard lock(self.mutex);
      self.status = failed;
      self.error = text;
    };
    rayo_host::log = [](const rayo_host *h, int32_t, const char *) { ++of(h).calls; };
    rayo_host::alloc = [](const rayo_host *h, uint64_t size, uint64_t alignment) -> void * {
      ++of(h).live;
      ++of(h).calls;
      const uint64_t a = alignment < sizeof(void *) ? sizeof(void *) : alignment;
      return std::aligned_alloc(a, (size + a - 1) / a * a);
    };
    rayo_host::free = [](const rayo_host *h, void *p) {
      if (p != nullptr) --of(h).live;
      std::free(p);
    };
    rayo_host::intern = [](const rayo_host *h, const char *name) {
      ++of(h).calls;
      return OpNames::get().intern(name);
    };
    rayo_host::op_name = [](const rayo_host *, rayo_op op) { return OpNames::get().name(op); };
    rayo_host::trace_begin = [](const rayo_host *, const char *) -> uint64_t { return 0; };
    rayo_host::trace_end = [](const rayo_host *, uint64_t) {};
  }
  Host(const Host &) = delete;
  Host &operator=(const Host &) = delete;
  static Host &of(const rayo_host *h) { return *static_cast<Host *>(const_cast<rayo_host *>(h)); }

  std::mutex mutex;
  rayo_status status = RAYO_OK;
  std::string error;
  std::atomic<int> live{0};   // allocations not yet given back
  std::atomic<int> calls{0};  // of services
};

// dlopens a plugin and asks it; never closes it, as the core does.
class Plugin {
 public:
  explicit Plugin(const char *file) {
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(dlerror());
    query_ = reinterpret_cast<rayo_plugin_query_fn>(dlsym(handle, "rayo_plugin_query"));
    if (query_ == nullptr) throw std::runtime_error(dlerror());
  }
  const rayo_plugin *query(const rayo_host &host) const {
    const rayo_plugin *plugin = nullptr;
    if (query_(&host, RAYO_ABI_VERSION, &plugin) != RAYO_OK || plugin == nullptr)
      throw std::runtime_error("query gave no plugin");
    return plugin;
  }
  rayo_plugin_query_fn query_fn() const { return query_; }

 private:
  rayo_plugin_query_fn query_;
};

inline const rayo_kernel *find_kernel(const rayo_plugin &plugin, const std::string &op) {
  for (uint32_t i = 0; i < plugin.kernel_count; ++i)
    if (op == plugin.kernels[i]->op) return plugin.kernels[i];
  throw std::runtime_error("no kernel for " + op);
}

// A descriptor and the memory behind it. Operands are added, then desc() is complete.
class Call {
 public:
  Call(const rayo_host &host, const char *op) {
    desc_.struct_size = sizeof(rayo_op_desc);
    desc_.struct_type = RAYO_TYPE_OP_DESC;
    desc_.op = host.intern(&host, op);
    desc_.schema_version = 1;
    desc_.numerics = RAYO_NUMERICS_STRICT;
    desc_.max_threads = 4;
  }
  Call &input(std::vector<int64_t> shape, std::vector<int64_t> strides = {}) {
    return add(inputs_, std::move(shape), std::move(strides));
  }
  Call &output(std::vector<int64_t> shape, std::vector<int64_t> strides = {}) {
    return add(outputs_, std::move(shape), std::move(strides));
  }
  Call &attr(const rayo_attr &attr) {
    attrs_.push_back(attr);
    return *this;
  }
  Call &on(rayo_device *device) {
    desc_.device = device;
    return *this;
  }
  rayo_op_desc &desc() {
    link(inputs_, input_ptrs_);
    link(outputs_, output_ptrs_);
    desc_.inputs = input_ptrs_.data();
    desc_.outputs = output_ptrs_.empty() ? nullptr : output_ptrs_.data();
    desc_.input_count = static_cast<uint32_t>(inputs_.size());
    desc_.output_count = static_cast<uint32_t>(outputs_.empty() ? 1 : outputs_.size());
    desc_.attrs = attrs_.data();
    desc_.attr_count = static_cast<uint32_t>(attrs_.size());
    return desc_;
  }

 private:
  struct Operand {
    std::vector<int64_t> shape, strides;
    rayo_tensor_desc desc{};
  };
  Call &add(std::vector<Operand> &list, std::vector<int64_t> shape, std::vector<int64_t> strides) {
    if (strides.empty()) {
      strides.resize(shape.size());
      int64_t next = 1;
      for (std::size_t axis = shape.size(); axis-- > 0; next *= shape[axis]) strides[axis] = next;
    }
    list.push_back({std::move(shape), std::move(strides), {}});
    return *this;
  }
  static void link(std::vector<Operand> &list, std::vector<const rayo_tensor_desc *> &ptrs) {
    ptrs.clear();
    for (Operand &o : list) {
      o.desc.dtype = RAYO_F32;
      o.desc.ndim = static_cast<int32_t>(o.shape.size());
      o.desc.shape = o.shape.data();
      o.desc.strides = o.strides.data();
      o.desc.device = {kDLCPU, 0};
      ptrs.push_back(&o.desc);
    }
  }
  std::vector<Operand> inputs_, outputs_;
  std::vector<const rayo_tensor_desc *> input_ptrs_, output_ptrs_;
  std::vector<rayo_attr> attrs_;
  rayo_op_desc desc_{};
};

inline rayo_prepared empty_prepared() {
  rayo_prepared p{};
  p.struct_size = sizeof(rayo_prepared);
  p.struct_type = RAYO_TYPE_PREPARED;
  return p;
}

// An executor with threads of its own for the length of each call.
inline const rayo_executor &executor() {
  static const rayo_executor instance = [] {
    rayo_executor e{};
    e.struct_size = sizeof(rayo_executor);
    e.struct_type = RAYO_TYPE_EXECUTOR;
    e.parallel_for = [](void *, uint64_t tasks, uint32_t max_threads, rayo_task_fn fn, void *ctx) {
      std::atomic<uint64_t> next{0};
      const auto take = [&](uint32_t worker) {
        for (uint64_t task = next++; task < tasks; task = next++) fn(ctx, task, worker);
      };
      std::vector<std::thread> threads;
      for (uint32_t worker = 1; worker < max_threads; ++worker) threads.emplace_back(take, worker);
      take(0);
      for (std::thread &t : threads) t.join();
    };
    return e;
  }();
  return instance;
}

// One call of a prepared host kernel.
inline rayo_status call(const rayo_prepared &prepared, const std::vector<const void *> &inputs,
                        const std::vector<void *> &outputs, uint32_t threads = 4) {
  void *workspace = nullptr;
  const uint64_t alignment = prepared.workspace_alignment == 0 ? 64 : prepared.workspace_alignment;
  if (prepared.workspace_size > 0)
    workspace = std::aligned_alloc(alignment, (prepared.workspace_size + alignment - 1) / alignment * alignment);
  rayo_call packet{};
  packet.inputs = inputs.data();
  packet.outputs = outputs.data();
  packet.state = prepared.state;
  packet.workspace = workspace;
  packet.executor = &executor();
  packet.max_threads = threads;
  const rayo_status status = prepared.fn(&packet);
  std::free(workspace);
  return status;
}

}  // namespace mini
