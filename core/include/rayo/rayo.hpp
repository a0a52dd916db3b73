// SPDX-License-Identifier: Apache-2.0
//
// Header-only C++20 over rayo.h: handles that clean up after themselves, typed tensor views, failures as exceptions.
// Adds nothing to the binary interface; everything in it may be mixed with the C API (Runtime::get(), Plan::get()).
//
//   rayo::Runtime runtime;
//   std::vector<float> x(1000, -1.0f), y(1000);
//   runtime.run("relu", {rayo::view(x, {1000})}, {rayo::view(y, {1000})});
#ifndef RAYO_RAYO_HPP
#define RAYO_RAYO_HPP

#include <rayo/rayo.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rayo {

// A failed call: what() is the library's text, status() its RAYO_* code.
class Exception : public std::runtime_error {
 public:
  Exception(rayo_status status, const std::string &text) : std::runtime_error(text), status_(status) {}
  rayo_status status() const noexcept { return status_; }

 private:
  rayo_status status_;
};

// Throws Exception with this thread's last error text unless status is RAYO_OK.
inline void check(rayo_status status) {
  if (status == RAYO_OK) return;
  char text[RAYO_ERROR_TEXT] = {};
  rayo_last_error(text, sizeof text);
  throw Exception(status, std::string(rayo_status_name(status)) + ": " + text);
}

// DLPack type of a C++ element type; only the types that Rayo has.
template <class T>
constexpr DLDataType dtype_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return RAYO_F32;
  else if constexpr (std::is_same_v<U, double>)
    return RAYO_F64;
  else if constexpr (std::is_same_v<U, int8_t>)
    return RAYO_I8;
  else if constexpr (std::is_same_v<U, int32_t>)
    return RAYO_I32;
  else if constexpr (std::is_same_v<U, int64_t>)
    return RAYO_I64;
  else {
    static_assert(std::is_same_v<U, uint8_t>, "element type without a Rayo dtype");
    return RAYO_U8;
  }
}

// A tensor over memory of the caller, with its own copy of shape and strides. Copyable; borrows the data alone.
class TensorView {
 public:
  // strides in elements; empty = compact row-major. byte_offset: where logical element 0 lies behind `data`.
  TensorView(void *data, DLDataType dtype, std::vector<int64_t> shape, std::vector<int64_t> strides = {},
             uint64_t byte_offset = 0)
      : data_(data), dtype_(dtype), shape_(std::move(shape)), strides_(std::move(strides)), byte_offset_(byte_offset) {
    if (!strides_.empty() && strides_.size() != shape_.size()) {
      throw Exception(RAYO_INVALID_ARGUMENT, "a tensor view has " + std::to_string(shape_.size()) + " extents and " +
                                                 std::to_string(strides_.size()) + " strides; they must be as many");
    }
  }

  // The memory of another tensor, on whatever device (rayo/device.hpp), under this shape.
  TensorView(const rayo_tensor &memory, std::vector<int64_t> shape, std::vector<int64_t> strides)
      : TensorView(memory.dl.data, memory.dl.dtype, std::move(shape), std::move(strides), memory.dl.byte_offset) {
    device_ = memory.dl.device;
    buffer_ = memory.buffer;
  }

  const std::vector<int64_t> &shape() const noexcept { return shape_; }
  const std::vector<int64_t> &strides() const noexcept { return strides_; }
  DLDataType dtype() const noexcept { return dtype_; }
  void *data() const noexcept { return data_; }

  // The C struct; valid as long as this view lives and is not moved from.
  rayo_tensor c() const noexcept {
    rayo_tensor tensor = rayo_tensor_make(data_, dtype_, static_cast<int32_t>(shape_.size()), shape_.data(),
                                          strides_.empty() ? nullptr : strides_.data());
    tensor.dl.byte_offset = byte_offset_;
    tensor.dl.device = device_;
    tensor.buffer = buffer_;
    return tensor;
  }

 private:
  void *data_;
  DLDataType dtype_;
  std::vector<int64_t> shape_;
  std::vector<int64_t> strides_;
  uint64_t byte_offset_;
  DLDevice device_{kDLCPU, 0};
  rayo_buffer *buffer_ = nullptr;
};

// View of plain memory. Inputs are never written, so const data may be viewed.
template <class T>
TensorView view(T *data, std::vector<int64_t> shape, std::vector<int64_t> strides = {}) {
  return TensorView(const_cast<std::remove_cv_t<T> *>(data), dtype_of<T>(), std::move(shape), std::move(strides));
}

// View of a whole contiguous container; throws unless the shape has exactly its number of elements.
template <class Container>
requires requires(Container &c) { std::span(c); }
TensorView view(Container &container, std::vector<int64_t> shape) {
  const std::span span(container);
  size_t elements = 1;
  for (const int64_t extent : shape) elements *= static_cast<size_t>(extent);
  if (elements != span.size()) {
    throw Exception(RAYO_INVALID_ARGUMENT, "a view's shape has " + std::to_string(elements) +
                                               " elements, the container " + std::to_string(span.size()));
  }
  return view(span.data(), std::move(shape));
}

// Attributes of a call; keeps their values.
class Attributes {
 public:
  Attributes &set(std::string name, int64_t value) { return set(std::move(name), std::vector<int64_t>{value}); }
  Attributes &set(std::string name, int value) { return set(std::move(name), static_cast<int64_t>(value)); }
  Attributes &set(std::string name, double value) {
    return add(std::move(name), RAYO_ATTR_FLOAT).with([value](Item &item) { item.floats = {value}; });
  }
  Attributes &set(std::string name, std::vector<int64_t> values) {
    return add(std::move(name), RAYO_ATTR_INT).with([&](Item &item) { item.ints = std::move(values); });
  }
  Attributes &set(std::string name, const char *value) {
    return add(std::move(name), RAYO_ATTR_STRING).with([value](Item &item) { item.text = value; });
  }

  // Ended by RAYO_ATTR_END; valid until this object changes or dies.
  std::vector<rayo_attr> c() const {
    std::vector<rayo_attr> list;
    for (const Item &item : items_) {
      const void *data = item.ints.data();
      size_t count = item.ints.size();
      if (item.kind == RAYO_ATTR_FLOAT) data = item.floats.data(), count = item.floats.size();
      if (item.kind == RAYO_ATTR_STRING) data = item.text.c_str(), count = item.text.size();
      list.push_back(rayo_attr{item.name.c_str(), item.kind, static_cast<uint32_t>(count), data});
    }
    list.push_back(RAYO_ATTR_END);
    return list;
  }

 private:
  struct Item {
    std::string name;
    uint32_t kind = 0;
    std::vector<int64_t> ints;
    std::vector<double> floats;
    std::string text;
  };
  Attributes &add(std::string name, uint32_t kind) {
    items_.push_back(Item{std::move(name), kind, {}, {}, {}});
    return *this;
  }
  template <class Function>
  Attributes &with(Function &&function) {
    function(items_.back());
    return *this;
  }
  std::vector<Item> items_;
};

// Id of an op's name; throws RAYO_NOT_FOUND.
inline rayo_op find_op_or_throw(const std::string &name) {
  const rayo_op op = rayo_op_find(name.c_str());
  if (op == RAYO_OP_NONE) throw Exception(RAYO_NOT_FOUND, "unknown op '" + name + "'; rayo ops lists the known ones");
  return op;
}

namespace detail {

// C structs of a list of views and the pointers that the C API wants.
struct Operands {
  explicit Operands(std::span<const TensorView> views) {
    tensors.reserve(views.size());
    for (const TensorView &view : views) tensors.push_back(view.c());
    for (const rayo_tensor &tensor : tensors) pointers.push_back(&tensor);
  }
  uint32_t size() const noexcept { return static_cast<uint32_t>(pointers.size()); }
  std::vector<rayo_tensor> tensors;
  std::vector<const rayo_tensor *> pointers;
};

inline std::span<const TensorView> as_span(std::initializer_list<TensorView> list) {
  return {list.begin(), list.size()};
}

}  // namespace detail

// A bound call; movable. Safe to run from many threads at once. Must not outlive its Runtime.
class Plan {
 public:
  explicit Plan(rayo_plan *plan) noexcept : plan_(plan) {}

  void run(std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
    const detail::Operands in(inputs);
    const detail::Operands out(outputs);
    check(rayo_plan_run(plan_.get(), in.pointers.data(), out.pointers.data()));
  }
  void run(std::initializer_list<TensorView> inputs, std::initializer_list<TensorView> outputs) const {
    run(detail::as_span(inputs), detail::as_span(outputs));
  }
  rayo_plan *get() const noexcept { return plan_.get(); }

 private:
  struct Destroy {
    void operator()(rayo_plan *plan) const noexcept { rayo_plan_destroy(plan); }
  };
  std::unique_ptr<rayo_plan, Destroy> plan_;
};

// A runtime; movable. Safe to use from many threads at once.
class Runtime {
 public:
  Runtime() : Runtime(nullptr) {}
  explicit Runtime(const rayo_runtime_options &options) : Runtime(&options) {}

  uint32_t threads() const noexcept { return rayo_runtime_threads(get()); }
  void set_threads(uint32_t threads) { check(rayo_runtime_set_threads(get(), threads)); }

  std::vector<rayo_plugin_info> plugins() const {
    return list<rayo_plugin_info, RAYO_TYPE_PLUGIN_INFO>(rayo_plugin_count, rayo_plugin_get);
  }
  std::vector<rayo_device_listing> devices() const {
    return list<rayo_device_listing, RAYO_TYPE_DEVICE_LISTING>(rayo_device_count, rayo_device_get);
  }
  std::vector<rayo_op_info> ops() const { return list<rayo_op_info, RAYO_TYPE_OP_INFO>(rayo_op_count, rayo_op_get); }
  std::vector<rayo_kernel_info> kernels() const {
    return list<rayo_kernel_info, RAYO_TYPE_KERNEL_INFO>(rayo_kernel_count, rayo_kernel_get);
  }

  void run(const std::string &op, std::span<const TensorView> inputs, std::span<const TensorView> outputs,
           const Attributes &attributes = {}, const rayo_run_options *options = nullptr) {
    const detail::Operands in(inputs);
    const detail::Operands out(outputs);
    const std::vector<rayo_attr> attrs = attributes.c();
    check(rayo_run_with(get(), find_op_or_throw(op), in.pointers.data(), in.size(), out.pointers.data(), out.size(),
                        attrs.data(), options));
  }
  void run(const std::string &op, std::initializer_list<TensorView> inputs, std::initializer_list<TensorView> outputs,
           const Attributes &attributes = {}, const rayo_run_options *options = nullptr) {
    run(op, detail::as_span(inputs), detail::as_span(outputs), attributes, options);
  }

  std::vector<rayo_shape> infer_shapes(const std::string &op, std::span<const TensorView> inputs,
                                       const Attributes &attributes = {}) {
    const detail::Operands in(inputs);
    const std::vector<rayo_attr> attrs = attributes.c();
    std::vector<rayo_shape> shapes(RAYO_MAX_OPERANDS);
    uint32_t count = 0;
    check(rayo_infer_shapes(get(), find_op_or_throw(op), in.pointers.data(), in.size(), attrs.data(), shapes.data(),
                            RAYO_MAX_OPERANDS, &count));
    shapes.resize(count);
    return shapes;
  }

  Plan plan(const std::string &op, std::span<const TensorView> inputs, std::span<const TensorView> outputs,
            const Attributes &attributes = {}, const rayo_run_options *options = nullptr) {
    const detail::Operands in(inputs);
    const detail::Operands out(outputs);
    const std::vector<rayo_attr> attrs = attributes.c();
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = find_op_or_throw(op);
    desc.inputs = in.pointers.data();
    desc.input_count = in.size();
    desc.outputs = out.pointers.data();
    desc.output_count = out.size();
    desc.attrs = attrs.data();
    desc.options = options;
    rayo_plan *plan = nullptr;
    check(rayo_plan_create(get(), &desc, &plan));
    return Plan(plan);
  }

  rayo_runtime *get() const noexcept { return runtime_.get(); }

 private:
  explicit Runtime(const rayo_runtime_options *options) {
    rayo_runtime *runtime = nullptr;
    check(rayo_runtime_create(options, &runtime));
    runtime_.reset(runtime);
  }

  template <class Info, uint32_t Type, class Count, class Get>
  std::vector<Info> list(Count count, Get get_one) const {
    std::vector<Info> infos(count(get()));
    for (uint32_t i = 0; i < infos.size(); ++i) {
      infos[i].struct_size = sizeof(Info);
      infos[i].struct_type = Type;
      infos[i].next = nullptr;
      check(get_one(get(), i, &infos[i]));
    }
    return infos;
  }

  struct Destroy {
    void operator()(rayo_runtime *runtime) const noexcept { rayo_runtime_destroy(runtime); }
  };
  std::unique_ptr<rayo_runtime, Destroy> runtime_;
};

}  // namespace rayo

#endif  // RAYO_RAYO_HPP
