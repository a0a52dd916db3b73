// SPDX-License-Identifier: Apache-2.0
//
// A runtime with the mock device and the scalar plugin, and short words for what the tests of the device tier say
// often.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <rayo/device.h>

#include <memory>
#include <string>
#include <vector>

#include "../../abi/mock_device/control.h"
#include "../api_helpers.hpp"

namespace rayo_test {

constexpr uint64_t kForEver = UINT64_MAX;

// The mock's switches: the same in every runtime of the process, since the file is loaded once.
inline const mock_faults &mock_switches() {
  static const mock_faults *const faults = [] {
    void *library = dlopen(MOCK_DEVICE_FILE, RTLD_NOW | RTLD_LOCAL);
    auto *query = reinterpret_cast<rayo_plugin_query_fn>(dlsym(library, "rayo_plugin_query"));
    rayo_host host{};
    host.struct_size = sizeof host;
    host.struct_type = RAYO_TYPE_HOST;
    host.abi_version = RAYO_ABI_VERSION;
    host.report_error = [](const rayo_host *, rayo_status, const char *) {};
    const rayo_plugin *plugin = nullptr;
    query(&host, RAYO_ABI_VERSION, &plugin);
    return static_cast<const mock_faults *>(plugin->get_extension(nullptr, MOCK_FAULTS_NAME, 1));
  }();
  return *faults;
}

struct BufferHandle {
  void operator()(rayo_buffer *buffer) const { rayo_buffer_destroy(buffer); }
};
struct QueueHandle {
  void operator()(rayo_queue *queue) const { rayo_queue_destroy(queue); }
};
struct SemaphoreHandle {
  void operator()(rayo_semaphore *semaphore) const { rayo_semaphore_destroy(semaphore); }
};
using BufferPtr = std::unique_ptr<rayo_buffer, BufferHandle>;
using QueuePtr = std::unique_ptr<rayo_queue, QueueHandle>;
using SemaphorePtr = std::unique_ptr<rayo_semaphore, SemaphoreHandle>;

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override { start(true); }
  void TearDown() override {
    mock_switches().arm(-1, RAYO_OK);
    mock_switches().unified(0);
    runtime_.reset();
    EXPECT_EQ(mock_switches().alive(), 0u) << "something of the mock device was not given back";
  }

  // `with_scalar`: whether the host has kernels of its own.
  void start(bool with_scalar) {
    runtime_.reset();
    const char *files[] = {MOCK_DEVICE_FILE, RAYO_SCALAR_PLUGIN};
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
    options.plugin_files = files;
    options.plugin_file_count = with_scalar ? 2 : 1;
    options.log = [](void *self, int32_t level, const char *text) {
      if (level <= RAYO_LOG_WARN) static_cast<DeviceTest *>(self)->log_.emplace_back(text);
    };
    options.log_ctx = this;
    if (!trace_.empty()) options.trace = trace_.c_str();
    runtime_ = make_runtime(options);
    ASSERT_NE(runtime_, nullptr);
    add_ = rayo_op_find("add");
  }
  rayo_device *find(const char *id = "mock0") {
    rayo_device *device = nullptr;
    EXPECT_EQ(rayo_device_find(runtime_.get(), id, &device), RAYO_OK) << last_error();
    return device;
  }
  BufferPtr buffer(rayo_device *device, uint64_t floats) {
    rayo_buffer *made = nullptr;
    EXPECT_EQ(rayo_buffer_create(device, floats * sizeof(float), RAYO_MEMORY_DEVICE, &made), RAYO_OK) << last_error();
    return BufferPtr(made);
  }
  BufferPtr filled(rayo_device *device, const std::vector<float> &values) {
    BufferPtr made = buffer(device, values.size());
    EXPECT_EQ(rayo_buffer_upload(made.get(), 0, values.data(), values.size() * sizeof(float)), RAYO_OK) << last_error();
    return made;
  }
  QueuePtr queue(rayo_device *device) {
    rayo_queue *made = nullptr;
    EXPECT_EQ(rayo_queue_create(device, &made), RAYO_OK) << last_error();
    return QueuePtr(made);
  }
  SemaphorePtr semaphore(rayo_device *device) {
    rayo_semaphore *made = nullptr;
    EXPECT_EQ(rayo_semaphore_create(device, 0, &made), RAYO_OK) << last_error();
    return SemaphorePtr(made);
  }
  static std::vector<float> content(rayo_buffer *buffer, size_t count) {
    std::vector<float> values(count, -1.0F);
    EXPECT_EQ(rayo_buffer_download(buffer, 0, values.data(), count * sizeof(float)), RAYO_OK) << last_error();
    return values;
  }
  // Both borrow the shape.
  static rayo_tensor on_device(rayo_buffer *buffer, const std::vector<int64_t> &shape, uint64_t offset = 0,
                               const int64_t *strides = nullptr) {
    rayo_tensor tensor{};
    EXPECT_EQ(rayo_buffer_tensor(buffer, offset, RAYO_F32, static_cast<int32_t>(shape.size()), shape.data(), strides,
                                 &tensor),
              RAYO_OK)
        << last_error();
    return tensor;
  }
  static rayo_tensor on_host(const float *data, const std::vector<int64_t> &shape, const int64_t *strides = nullptr) {
    return rayo_tensor_make(const_cast<float *>(data), RAYO_F32, static_cast<int32_t>(shape.size()), shape.data(),
                            strides);
  }
  rayo_status add(const rayo_tensor &a, const rayo_tensor &b, const rayo_tensor &y, const char *device = nullptr) {
    const rayo_tensor *in[] = {&a, &b};
    const rayo_tensor *out[] = {&y};
    rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
    options.device = device;
    return rayo_run_with(runtime_.get(), add_, in, 2, out, 1, nullptr, &options);
  }
  rayo_status queue_add(rayo_queue *queue, const rayo_tensor &a, const rayo_tensor &b, const rayo_tensor &y,
                        const rayo_sync *sync = nullptr) const {
    const rayo_tensor *in[] = {&a, &b};
    const rayo_tensor *out[] = {&y};
    return rayo_queue_run(queue, add_, in, 2, out, 1, nullptr, sync);
  }
  std::vector<rayo_fallback> fallbacks() const {
    std::vector<rayo_fallback> all;
    for (uint32_t i = 0; i < rayo_fallback_count(runtime_.get()); ++i) {
      rayo_fallback each{};
      each.struct_size = sizeof each;
      each.struct_type = RAYO_TYPE_FALLBACK;
      EXPECT_EQ(rayo_fallback_get(runtime_.get(), i, &each), RAYO_OK) << last_error();
      all.push_back(each);
    }
    return all;
  }

  RuntimePtr runtime_{nullptr, &rayo_runtime_destroy};
  std::vector<std::string> log_;
  std::string trace_;  // a file, for start()
  rayo_op add_ = RAYO_OP_NONE;
};

}  // namespace rayo_test
