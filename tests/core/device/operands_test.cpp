// SPDX-License-Identifier: Apache-2.0
//
// Tensors of a device: what stands in them must fit together, and with the other operands.
#include "device_fixture.hpp"

namespace rayo_test {
namespace {

class DeviceOperands : public DeviceTest {
 protected:
  void expect_text(const std::string &part) {
    EXPECT_NE(last_error().find(part), std::string::npos) << "'" << part << "' in: " << last_error();
  }
  const std::vector<int64_t> shape_ = {4};
};

TEST_F(DeviceOperands, ATensorIsItsBuffersOrIsRefused) {
  const BufferPtr a = filled(find(), {1, 2, 3, 4});
  const BufferPtr y = buffer(find(), 4);
  const rayo_tensor good = on_device(a.get(), shape_);
  const rayo_tensor out = on_device(y.get(), shape_);
  // As a first call, and as one like the last.
  for (const auto change :
       {+[](rayo_tensor *t) { ++t->dl.device.device_id; }, +[](rayo_tensor *t) { t->dl.device.device_type = kDLCUDA; },
        +[](rayo_tensor *t) { t->dl.data = static_cast<char *>(t->dl.data) + 4; }}) {
    rayo_tensor wrong = good;
    change(&wrong);
    EXPECT_EQ(add(wrong, good, out), RAYO_INVALID_ARGUMENT);
    expect_text("of its buffer");
    ASSERT_EQ(add(good, good, out), RAYO_OK) << last_error();
    EXPECT_EQ(content(y.get(), 4), (std::vector<float>{2, 4, 6, 8}));
    EXPECT_EQ(add(wrong, good, out), RAYO_INVALID_ARGUMENT);
    EXPECT_EQ(add(good, good, wrong), RAYO_INVALID_ARGUMENT);
    expect_text("of its buffer");
  }
}

TEST_F(DeviceOperands, MemoryThatTheDeviceHasNoPlainPointersToIsRefused) {
  const BufferPtr a = filled(find(), {1, 2, 3, 4});
  rayo_tensor plain = on_device(a.get(), shape_);
  plain.buffer = nullptr;
  float y[4] = {};
  EXPECT_EQ(add(plain, plain, on_host(y, shape_)), RAYO_UNSUPPORTED);
  expect_text("no loaded plugin takes plain pointers to it");
}

TEST_F(DeviceOperands, OutputsThatAreOnlyDescribedLiveWhereTheFirstInputDoes) {
  const BufferPtr a = filled(find(), {1, 2, 3, 4});
  const rayo_tensor in = on_device(a.get(), shape_);
  const rayo_tensor *ins[] = {&in, &in};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = add_;
  desc.inputs = ins;
  desc.input_count = 2;
  rayo_plan *plan = nullptr;
  ASSERT_EQ(rayo_plan_create(runtime_.get(), &desc, &plan), RAYO_OK) << last_error();
  const BufferPtr y = buffer(find(), 4);
  const rayo_tensor out = on_device(y.get(), shape_);
  const rayo_tensor *outs[] = {&out};
  EXPECT_EQ(rayo_plan_run(plan, ins, outs), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 4), (std::vector<float>{2, 4, 6, 8}));
  rayo_plan_destroy(plan);
  // Where it lies in host memory they do too.
  float host[4] = {1, 1, 1, 1};
  const rayo_tensor here = on_host(host, shape_);
  const rayo_tensor *mixed[] = {&here, &in};
  rayo_shape shape{};
  uint32_t count = 0;
  EXPECT_EQ(rayo_infer_shapes(runtime_.get(), add_, mixed, 2, nullptr, &shape, 1, &count), RAYO_OK) << last_error();
  EXPECT_EQ(shape.extents[0], 4);
}

// Two devices at once.
TEST_F(DeviceOperands, OnTwoDevicesMustBeCopiedFirst) {
  const char *files[] = {MOCK_DEVICE_FILE, MOCK_OTHER_FILE, RAYO_SCALAR_PLUGIN};
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
  options.plugin_files = files;
  options.plugin_file_count = 3;
  runtime_ = make_runtime(options);
  ASSERT_NE(runtime_, nullptr);
  {
    const BufferPtr a = filled(find("mock0"), {1, 2, 3, 4});
    const BufferPtr b = filled(find("other0"), {1, 1, 1, 1});
    const rayo_tensor on_mock = on_device(a.get(), shape_);
    const rayo_tensor on_other = on_device(b.get(), shape_);
    float y[4] = {};
    EXPECT_EQ(add(on_mock, on_other, on_host(y, shape_)), RAYO_INVALID_ARGUMENT);
    expect_text("add: input B lives on other0, another operand on mock0: copy one of them first");
    // A plain pointer to the memory of a device that has such.
    rayo_tensor plain = on_other;
    plain.buffer = nullptr;
    EXPECT_EQ(add(on_mock, plain, on_host(y, shape_)), RAYO_INVALID_ARGUMENT);
    expect_text("add: input B lives on other0");
    plain.dl.device.device_id = 7;
    EXPECT_EQ(add(on_mock, plain, on_host(y, shape_)), RAYO_UNSUPPORTED);
    expect_text("no loaded plugin takes plain pointers to it");
  }
  runtime_.reset();
}

TEST_F(DeviceOperands, AnAbsentInputLivesNowhere) {
  const rayo_op clip = rayo_op_find("clip");
  const BufferPtr x = filled(find(), {1, 2, 3, 4});
  const BufferPtr y = buffer(find(), 4);
  const rayo_tensor in = on_device(x.get(), shape_);
  const rayo_tensor out = on_device(y.get(), shape_);
  float most = 3;
  const rayo_tensor bound = on_host(&most, {});
  const rayo_tensor *ins[] = {&in, nullptr, &bound};
  const rayo_tensor *outs[] = {&out};
  EXPECT_EQ(rayo_run(runtime_.get(), clip, ins, 3, outs, 1, nullptr), RAYO_OK) << last_error();
  EXPECT_EQ(content(y.get(), 4), (std::vector<float>{1, 2, 3, 3}));
}

TEST_F(DeviceOperands, HandlesAndRoomForAnswersAreChecked) {
  rayo_device *device = find();
  rayo_device *found = nullptr;
  EXPECT_EQ(rayo_device_find(nullptr, "mock0", &found), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_device_find(runtime_.get(), nullptr, &found), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_device_find(runtime_.get(), "mock0", nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_device_find(runtime_.get(), "mock7", &found), RAYO_NOT_FOUND);
  expect_text("unknown device 'mock7'; here are: host, mock0");
  rayo_buffer *made = nullptr;
  EXPECT_EQ(rayo_buffer_create(nullptr, 4, RAYO_MEMORY_DEVICE, &made), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_buffer_create(device, 4, RAYO_MEMORY_DEVICE, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_buffer_upload(nullptr, 0, &made, 4), RAYO_INVALID_ARGUMENT);
  const BufferPtr a = buffer(device, 4);
  EXPECT_EQ(rayo_buffer_upload(a.get(), 0, nullptr, 4), RAYO_INVALID_ARGUMENT);
  expect_text("host is NULL, size is 4");
  EXPECT_EQ(rayo_buffer_upload(a.get(), 0, nullptr, 0), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_buffer_upload(a.get(), 8, &made, 16), RAYO_INVALID_ARGUMENT);
  expect_text("16 bytes at offset 8 reach beyond a buffer of 16 bytes");
  rayo_queue *queue = nullptr;
  EXPECT_EQ(rayo_queue_create(nullptr, &queue), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_queue_create(device, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_queue_wait(nullptr, 0), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_fallback_count(nullptr), 0u);
  rayo_fallback fallback{};
  fallback.struct_size = sizeof fallback;
  fallback.struct_type = RAYO_TYPE_FALLBACK;
  EXPECT_EQ(rayo_fallback_get(nullptr, 0, &fallback), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_fallback_get(runtime_.get(), 5, &fallback), RAYO_INVALID_ARGUMENT);
  expect_text("fallback 5 of 0");
}

// The host's own device, whose memory is the caller's.
TEST_F(DeviceOperands, TheHostsBuffersMayBeTheCallersMemory) {
  rayo_device *host = find("host");
  std::vector<float> memory = {1, 2, 3, 4};
  rayo_buffer *imported = nullptr;
  ASSERT_EQ(rayo_buffer_import(host, memory.data(), 16, &imported), RAYO_OK) << last_error();
  const BufferPtr owner(imported);
  void *mapped = nullptr;
  ASSERT_EQ(rayo_buffer_map(imported, &mapped), RAYO_OK) << last_error();
  EXPECT_EQ(mapped, memory.data());
  const float more[] = {7, 8};
  ASSERT_EQ(rayo_buffer_upload(imported, 8, more, 8), RAYO_OK) << last_error();
  EXPECT_EQ(memory, (std::vector<float>{1, 2, 7, 8}));
  rayo_buffer *none = nullptr;
  EXPECT_EQ(rayo_buffer_import(host, nullptr, 16, &none), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_buffer_map(nullptr, &mapped), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_buffer_map(imported, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_buffer_create(host, 16, 77, &none), RAYO_UNSUPPORTED);
  expect_text("memory kind 77");
}

}  // namespace
}  // namespace rayo_test
