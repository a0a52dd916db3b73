// SPDX-License-Identifier: Apache-2.0
//
// Drives the Vulkan plugin through the ABI alone: a device, and calls of its kernels on data uploaded for them.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "abi/mini_host.h"
#include "vulkan/control.h"

namespace rayo_test {

constexpr uint64_t kForEver = UINT64_MAX;

// An operand: bytes with shape and strides (in elements; empty = compact); element 0 at `offset` bytes.
struct Tensor {
  DLDataType dtype = RAYO_F32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  uint64_t offset = 0;
  std::vector<std::byte> bytes;
};
template <class T>
Tensor tensor(DLDataType dtype, std::vector<int64_t> shape, const std::vector<T> &values,
              std::vector<int64_t> strides = {}, uint64_t offset = 0) {
  Tensor t{dtype, std::move(shape), std::move(strides), offset, {}};
  if (t.strides.empty()) {
    t.strides.resize(t.shape.size());
    int64_t next = 1;
    for (size_t axis = t.shape.size(); axis-- > 0; next *= t.shape[axis]) t.strides[axis] = next;
  }
  t.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}
inline Tensor floats(std::vector<int64_t> shape, const std::vector<float> &values, std::vector<int64_t> strides = {},
                     uint64_t offset = 0) {
  return tensor<float>(RAYO_F32, std::move(shape), values, std::move(strides), offset);
}
template <class T>
std::vector<T> values_of(const Tensor &t) {
  std::vector<T> values(t.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), t.bytes.data(), t.bytes.size());
  return values;
}

struct Attribute {
  std::string name;
  std::vector<int64_t> ints;
  std::vector<double> reals;
  std::string text;
  uint32_t kind = RAYO_ATTR_INT;
};
inline Attribute ints(std::string name, std::vector<int64_t> values) {
  return {std::move(name), std::move(values), {}, {}, RAYO_ATTR_INT};
}
inline Attribute real(std::string name, double value) { return {std::move(name), {}, {value}, {}, RAYO_ATTR_FLOAT}; }
inline Attribute text(std::string name, std::string value) {
  return {std::move(name), {}, {}, std::move(value), RAYO_ATTR_STRING};
}

// A descriptor with all it points to.
class Described {
 public:
  Described(const rayo_host &host, const std::string &op, const std::vector<Tensor> &inputs, const Tensor &output,
            const std::vector<Attribute> &attributes, rayo_device *device);
  const rayo_op_desc &desc() const { return desc_; }

 private:
  std::vector<rayo_tensor_desc> operands_;
  std::vector<const rayo_tensor_desc *> inputs_;
  const rayo_tensor_desc *output_ = nullptr;
  std::vector<rayo_attr> attrs_;
  rayo_op_desc desc_{};
};

// The plugin with an instance. devices() is 0 where there is no driver.
class Vulkan {
 public:
  Vulkan();
  ~Vulkan();
  Vulkan(const Vulkan &) = delete;
  Vulkan &operator=(const Vulkan &) = delete;
  uint32_t devices();
  rayo_device_info info(uint32_t index);
  const vulkan_control &control();

  mini::Host host;
  static std::string said;  // what plugins logged as warnings and errors
  const rayo_plugin *plugin = nullptr;
  const rayo_device_api *api = nullptr;
  rayo_instance *instance = nullptr;
  rayo_error error{};
};

// A device, its queues and a semaphore; skips where there is no Vulkan device. With RAYO_VULKAN_VALIDATION=1 every test
// also fails where the validation layer has something to say.
class VulkanTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Runs the op; the output's bytes are uploaded first, so that what is not written shows. Fails the test on an error.
  Tensor run(const std::string &op, const std::vector<Tensor> &inputs, Tensor output,
             const std::vector<Attribute> &attributes = {}, int in_place = -1);
  std::vector<float> run_floats(const std::string &op, const std::vector<Tensor> &inputs, std::vector<int64_t> shape,
                                const std::vector<Attribute> &attributes = {});

  rayo_buffer *buffer(uint64_t bytes, uint32_t memory = RAYO_MEMORY_DEVICE);
  void destroy(rayo_buffer *b);
  rayo_status upload(rayo_queue *q, rayo_buffer *to, const void *from, uint64_t bytes,
                     const std::vector<rayo_point> &waits = {}, const std::vector<rayo_point> &signals = {});
  rayo_status download(rayo_queue *q, void *to, rayo_buffer *from, uint64_t bytes,
                       const std::vector<rayo_point> &waits = {}, const std::vector<rayo_point> &signals = {});

  // A kernel bound for compact f32 vectors of n elements, and its submission.
  struct Bound {
    const rayo_kernel *kernel = nullptr;
    rayo_prepared prepared{};
    int64_t count = 0;
    uint32_t inputs = 0;
  };
  Bound bind(const std::string &op, int64_t count, uint32_t inputs);
  rayo_status submit(rayo_queue *q, const Bound &bound, const std::vector<rayo_buffer *> &in, rayo_buffer *out,
                     const std::vector<rayo_point> &waits = {}, const std::vector<rayo_point> &signals = {});
  rayo_status wait(rayo_queue *q, uint64_t timeout = kForEver) { return api->queue_wait(q, timeout, &error); }
  rayo_tensor operand(rayo_buffer *b, const Tensor &like);

  uint64_t expected_messages = 0;  // of the validation layer
  std::optional<Vulkan> vulkan;
  const rayo_device_api *api = nullptr;
  rayo_device *device = nullptr;
  rayo_queue *queue = nullptr, *other = nullptr;
  rayo_semaphore *done = nullptr;
  rayo_error error{};
  std::vector<rayo_buffer *> buffers;
  std::vector<Bound> bounds;
};

}  // namespace rayo_test
