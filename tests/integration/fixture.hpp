// SPDX-License-Identifier: Apache-2.0
//
// A runtime over the scalar plugin alone, and tensors over vectors, for tests of the C API.
#pragma once

#include <gtest/gtest.h>
#include <rayo/rayo.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace rayo_test {

inline std::string last_error() {
  char text[RAYO_ERROR_TEXT] = "";
  rayo_last_error(text, sizeof text);
  return text;
}

class ScalarRuntime : public testing::Test {
 protected:
  void SetUp() override {
    const char *file = RAYO_SCALAR_PLUGIN;
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES;
    options.plugin_files = &file;
    options.plugin_file_count = 1;
    ASSERT_EQ(rayo_runtime_create(&options, &runtime_), RAYO_OK) << last_error();
  }
  void TearDown() override { rayo_runtime_destroy(runtime_); }

  rayo_runtime *runtime_ = nullptr;
};

// A tensor with its own shape and strides; the data is borrowed.
struct View {
  View(void *data, std::vector<int64_t> extents, std::vector<int64_t> steps = {}, DLDataType dtype = RAYO_F32)
      : shape(std::move(extents)), strides(std::move(steps)) {
    tensor = rayo_tensor_make(data, dtype, static_cast<int32_t>(shape.size()), shape.data(),
                              strides.empty() ? nullptr : strides.data());
  }
  View(const View &) = delete;
  View &operator=(const View &) = delete;

  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  rayo_tensor tensor;
};

inline rayo_status run(rayo_runtime *runtime, const char *op, std::initializer_list<const View *> inputs,
                       std::initializer_list<const View *> outputs, const rayo_attr *attrs = nullptr) {
  std::vector<const rayo_tensor *> in;
  std::vector<const rayo_tensor *> out;
  for (const View *view : inputs) in.push_back(view == nullptr ? nullptr : &view->tensor);
  for (const View *view : outputs) out.push_back(view == nullptr ? nullptr : &view->tensor);
  return rayo_run(runtime, rayo_op_find(op), in.data(), static_cast<uint32_t>(in.size()), out.data(),
                  static_cast<uint32_t>(out.size()), attrs);
}

}  // namespace rayo_test
