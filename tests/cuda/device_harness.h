// SPDX-License-Identifier: Apache-2.0
//
// Runs the CUDA plugin's kernels through the ABI alone, over the simulated driver: operands in device buffers, one
// queue.
#pragma once

#include <dlfcn.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cases.h"
#include "simulator/control.h"

namespace cuda_test {

using rayo_test::Attr;
using rayo_test::View;

inline std::string &last_text() {
  static std::string text;
  return text;
}

/// The plugin with an instance, its device 0 and a queue. The simulated driver is loaded first, under the real one's
/// name.
class Device {
 public:
  Device() {
    driver_ = open(CUDA_DRIVER_FILE, RTLD_NOW | RTLD_GLOBAL);
    fail = symbol<decltype(&rayo_simulator_fail)>("rayo_simulator_fail");
    heal = symbol<decltype(&rayo_simulator_heal)>("rayo_simulator_heal");
    live_bytes = symbol<decltype(&rayo_simulator_live_bytes)>("rayo_simulator_live_bytes");
    hold = symbol<decltype(&rayo_simulator_hold)>("rayo_simulator_hold");
    plugin_ = open(CUDA_PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
    host.struct_size = sizeof host;
    host.struct_type = RAYO_TYPE_HOST;
    host.abi_version = RAYO_ABI_VERSION;
    host.report_error = [](const rayo_host *, rayo_status, const char *text) { last_text() = text; };
    host.log = [](const rayo_host *, int32_t, const char *) {};
    host.intern = [](const rayo_host *, const char *) -> rayo_op { return 1; };
    host.max_threads = 1;
    const auto query = reinterpret_cast<rayo_plugin_query_fn>(dlsym(plugin_, "rayo_plugin_query"));
    must(query(&host, RAYO_ABI_VERSION, &table));
    must(table->create(&host, &instance, &error));
    must(api().device_open(instance, 0, &device, &error));
    must(api().queue_create(device, &queue, &error));
  }
  ~Device() {
    api().queue_destroy(queue);
    api().device_close(device);
    table->destroy(instance);
  }
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const rayo_device_api &api() const { return *table->device_api; }
  void must(rayo_status status) {
    if (status == RAYO_OK) return;
    std::fprintf(stderr, "the simulated device answers %d: %s\n", status, error.text);
    std::abort();
  }
  const rayo_kernel *kernel(const std::string &name) const {
    for (uint32_t i = 0; i < table->kernel_count; ++i) {
      if (name == table->kernels[i]->name) return table->kernels[i];
    }
    return nullptr;
  }
  rayo_buffer *buffer(uint64_t size, uint32_t memory = RAYO_MEMORY_DEVICE) {
    const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, size, memory, 0};
    rayo_buffer *made = nullptr;
    must(api().buffer_create(device, &desc, &made, &error));
    return made;
  }
  void copy(rayo_buffer *dst, rayo_buffer *src, void *to, const void *from, uint64_t size) {
    rayo_copy c{};
    c.struct_size = sizeof c;
    c.struct_type = RAYO_TYPE_COPY;
    c.dst_buffer = dst;
    c.src_buffer = src;
    c.dst_host = to;
    c.src_host = from;
    c.size = size;
    must(api().copy(queue, &c));
  }

  struct Operand {
    View view;
    void *data;              // the first byte of its memory on the host
    std::size_t bytes;       // of that memory
    std::size_t origin = 0;  // byte of logical element 0
  };
  /// prepare, upload, submit, download, release. Returns the first status that is not RAYO_OK; its text is in
  /// last_text().
  rayo_status run(const std::string &name, const std::vector<Operand> &inputs, const std::vector<Operand> &outputs,
                  const std::vector<Attr> &attrs = {}) {
    const rayo_kernel *k = kernel(name);
    if (k == nullptr) return RAYO_NOT_FOUND;
    std::vector<std::vector<int64_t>> strides;
    std::vector<rayo_tensor_desc> descs;
    strides.reserve(inputs.size() + outputs.size());
    for (const auto *list : {&inputs, &outputs}) {
      for (const Operand &o : *list) {
        strides.push_back(o.view.strides.empty() ? row_major(o.view.shape) : o.view.strides);
        rayo_tensor_desc d{};
        d.dtype = o.view.dtype;
        d.ndim = static_cast<int32_t>(o.view.shape.size());
        d.shape = o.view.shape.data();
        d.strides = strides.back().data();
        d.device = {kDLCUDA, 0};
        descs.push_back(d);
      }
    }
    std::vector<const rayo_tensor_desc *> pointers;
    for (const rayo_tensor_desc &d : descs) pointers.push_back(&d);
    std::vector<rayo_attr> list;
    for (const Attr &a : attrs) {
      const auto n = [](const auto &v) { return static_cast<uint32_t>(v.size()); };
      if (a.kind == RAYO_ATTR_STRING) {
        list.push_back({a.name.c_str(), a.kind, n(a.text), a.text.c_str()});
      } else if (a.kind == RAYO_ATTR_FLOAT) {
        list.push_back({a.name.c_str(), a.kind, n(a.reals), a.reals.data()});
      } else {
        list.push_back({a.name.c_str(), a.kind, n(a.ints), a.ints.data()});
      }
    }
    rayo_op_desc desc{};
    desc.struct_size = sizeof desc;
    desc.struct_type = RAYO_TYPE_OP_DESC;
    desc.op = 1;
    desc.schema_version = 1;
    desc.input_count = static_cast<uint32_t>(inputs.size());
    desc.output_count = static_cast<uint32_t>(outputs.size());
    desc.inputs = pointers.data();
    desc.outputs = pointers.data() + inputs.size();
    desc.attr_count = static_cast<uint32_t>(list.size());
    desc.attrs = list.data();
    desc.numerics = RAYO_NUMERICS_RELAXED;
    desc.max_threads = 1;
    desc.device = device;
    if (k->supports != nullptr && k->supports(instance, &desc) != RAYO_WHY_SUPPORTED) return RAYO_UNSUPPORTED;
    rayo_prepared prepared{};
    prepared.struct_size = sizeof prepared;
    prepared.struct_type = RAYO_TYPE_PREPARED;
    rayo_status status = k->prepare(instance, &desc, &prepared, &error);
    last_text() = error.text;
    if (status != RAYO_OK) return status;
    std::vector<rayo_buffer *> buffers;
    std::vector<rayo_tensor> tensors;
    std::vector<const rayo_tensor *> tensor_pointers;
    tensors.reserve(descs.size());
    std::size_t i = 0;
    for (const auto *operands : {&inputs, &outputs}) {
      for (const Operand &o : *operands) {
        buffers.push_back(buffer(o.bytes));
        copy(buffers.back(), nullptr, nullptr, o.data, o.bytes);
        rayo_tensor t{};
        t.struct_size = sizeof t;
        t.struct_type = RAYO_TYPE_TENSOR;
        t.buffer = buffers.back();
        must(api().buffer_handle(t.buffer, &t.dl.data, &error));
        t.dl.byte_offset = o.origin;
        t.dl.device = {kDLCUDA, 0};
        t.dl.ndim = descs[i].ndim;
        t.dl.dtype = o.view.dtype;
        t.dl.shape = const_cast<int64_t *>(descs[i].shape);
        t.dl.strides = strides[i].data();
        tensors.push_back(t);
        tensor_pointers.push_back(&tensors.back());
        ++i;
      }
    }
    rayo_buffer *workspace = prepared.workspace_size > 0 ? buffer(prepared.workspace_size) : nullptr;
    rayo_submit s{};
    s.struct_size = sizeof s;
    s.struct_type = RAYO_TYPE_SUBMIT;
    s.kernel = k;
    s.state = prepared.state;
    s.inputs = tensor_pointers.data();
    s.outputs = tensor_pointers.data() + inputs.size();
    s.input_count = desc.input_count;
    s.output_count = desc.output_count;
    s.workspace = workspace;
    status = api().submit(queue, &s);
    for (std::size_t o = 0; status == RAYO_OK && o < outputs.size(); ++o) {
      copy(nullptr, buffers[inputs.size() + o], outputs[o].data, nullptr, outputs[o].bytes);
    }
    const rayo_status waited = api().queue_wait(queue, UINT64_MAX, &error);
    if (workspace != nullptr) api().buffer_destroy(workspace);
    for (rayo_buffer *b : buffers) api().buffer_destroy(b);
    k->release(instance, prepared.state);
    return status != RAYO_OK ? status : waited;
  }

  static std::vector<int64_t> row_major(const std::vector<int64_t> &shape) {
    std::vector<int64_t> strides(shape.size());
    int64_t step = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      strides[i] = step;
      step *= shape[i] > 0 ? shape[i] : 1;
    }
    return strides;
  }
  template <class T>
  static Operand operand(const std::vector<int64_t> &shape, std::vector<T> &data, DLDataType dtype) {
    View v;
    v.shape = shape;
    v.dtype = dtype;
    return {v, data.data(), data.size() * sizeof(T), 0};
  }

  decltype(&rayo_simulator_fail) fail;
  decltype(&rayo_simulator_heal) heal;
  decltype(&rayo_simulator_live_bytes) live_bytes;
  decltype(&rayo_simulator_hold) hold;
  rayo_host host{};
  const rayo_plugin *table = nullptr;
  rayo_instance *instance = nullptr;
  rayo_device *device = nullptr;
  rayo_queue *queue = nullptr;
  rayo_error error{};

 private:
  static void *open(const char *file, int flags) {
    void *handle = dlopen(file, flags);
    if (handle == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::abort();
    }
    return handle;
  }
  template <class F>
  F symbol(const char *name) {
    return reinterpret_cast<F>(dlsym(driver_, name));
  }

  void *driver_ = nullptr;
  void *plugin_ = nullptr;
};

}  // namespace cuda_test
