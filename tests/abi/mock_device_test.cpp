// SPDX-License-Identifier: Apache-2.0
//
// Drives the mock device through the ABI alone: upload, compute on two queues with a dependency, download; poisoning;
// buffers destroyed in flight; a lost device; a forked child.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "mini_host.h"
#include "mock_device/control.h"

namespace {

constexpr uint64_t kForEver = UINT64_MAX;
constexpr int64_t kCount = 1000;
constexpr uint64_t kBytes = kCount * sizeof(float);

class MockDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(plugin->create(&host, &instance, &error), RAYO_OK) << error.text;
    ASSERT_EQ(api.device_open(instance, 0, &device, &error), RAYO_OK) << error.text;
    ASSERT_EQ(api.queue_create(device, &queue, &error), RAYO_OK) << error.text;
    ASSERT_EQ(api.queue_create(device, &other, &error), RAYO_OK) << error.text;
    ASSERT_EQ(api.semaphore_create(device, 0, &done, &error), RAYO_OK) << error.text;
    control = static_cast<const mock_control *>(plugin->get_extension(instance, MOCK_CONTROL_NAME, 1));
    ASSERT_NE(control, nullptr);
    prepare("add", 2, add);
    prepare("mock.checked_sqrt", 1, checked_sqrt);
  }
  void TearDown() override {
    api.queue_destroy(queue);
    api.queue_destroy(other);
    for (rayo_buffer *b : buffers) api.buffer_destroy(b);
    api.semaphore_destroy(done);
    EXPECT_EQ(control->live_bytes(device), 0u) << "device memory was not given back";
    api.device_close(device);
    for (const Bound *b : {&add, &checked_sqrt}) b->kernel->release(instance, b->prepared.state);
    plugin->destroy(instance);
  }

  struct Bound {
    const rayo_kernel *kernel = nullptr;
    rayo_prepared prepared = mini::empty_prepared();
  };
  void prepare(const char *op, int inputs, Bound &bound) {
    mini::Call c(host, op);
    for (int i = 0; i < inputs; ++i) c.input({kCount});
    c.output({kCount}).on(device);
    bound.kernel = mini::find_kernel(*plugin, op);
    ASSERT_TRUE(bound.kernel->flags & RAYO_KERNEL_DEVICE);
    ASSERT_EQ(bound.kernel->prepare(instance, &c.desc(), &bound.prepared, &error), RAYO_OK) << error.text;
    ASSERT_EQ(bound.prepared.fn, nullptr);
  }
  rayo_buffer *buffer(uint64_t size = kBytes) {
    rayo_buffer_desc desc{sizeof(rayo_buffer_desc), RAYO_TYPE_BUFFER_DESC, nullptr, size, RAYO_MEMORY_DEVICE, 0};
    rayo_buffer *made = nullptr;
    EXPECT_EQ(api.buffer_create(device, &desc, &made, &error), RAYO_OK) << error.text;
    buffers.push_back(made);
    return made;
  }
  void destroy(rayo_buffer *b) {
    std::erase(buffers, b);
    api.buffer_destroy(b);
  }
  rayo_tensor tensor(rayo_buffer *b) {
    rayo_tensor t{};
    t.struct_size = sizeof t;
    t.struct_type = RAYO_TYPE_TENSOR;
    t.buffer = b;
    EXPECT_EQ(api.buffer_handle(b, &t.dl.data, &error), RAYO_OK);
    t.dl.device = {kDLExtDev, 0};
    t.dl.ndim = 1;
    t.dl.dtype = RAYO_F32;
    t.dl.shape = const_cast<int64_t *>(&kCount);
    return t;
  }
  using Points = std::vector<rayo_point>;
  rayo_status run(rayo_queue *q, const Bound &bound, const std::vector<rayo_buffer *> &in, rayo_buffer *out,
                  const Points &waits = {}, const Points &signals = {}) {
    std::vector<rayo_tensor> inputs;
    inputs.reserve(in.size());
    for (rayo_buffer *b : in) inputs.push_back(tensor(b));
    const rayo_tensor output = tensor(out);
    std::vector<const rayo_tensor *> pointers;
    pointers.reserve(inputs.size());
    for (const rayo_tensor &t : inputs) pointers.push_back(&t);
    const rayo_tensor *outputs[] = {&output};
    rayo_submit s{};
    s.struct_size = sizeof s;
    s.struct_type = RAYO_TYPE_SUBMIT;
    s.kernel = bound.kernel;
    s.state = bound.prepared.state;
    s.inputs = pointers.data();
    s.outputs = outputs;
    s.input_count = static_cast<uint32_t>(pointers.size());
    s.output_count = 1;
    s.waits = waits.data();
    s.wait_count = static_cast<uint32_t>(waits.size());
    s.signals = signals.data();
    s.signal_count = static_cast<uint32_t>(signals.size());
    return api.submit(q, &s);
  }
  rayo_status copy(rayo_queue *q, rayo_buffer *dst, rayo_buffer *src, void *to, const void *from,
                   const Points &waits = {}, const Points &signals = {}) {
    rayo_copy c{};
    c.struct_size = sizeof c;
    c.struct_type = RAYO_TYPE_COPY;
    c.dst_buffer = dst;
    c.src_buffer = src;
    c.dst_host = to;
    c.src_host = from;
    c.size = kBytes;
    c.waits = waits.data();
    c.wait_count = static_cast<uint32_t>(waits.size());
    c.signals = signals.data();
    c.signal_count = static_cast<uint32_t>(signals.size());
    return api.copy(q, &c);
  }
  rayo_status upload(rayo_buffer *b, const std::vector<float> &from, const Points &signals = {}) {
    return copy(queue, b, nullptr, nullptr, from.data(), {}, signals);
  }
  rayo_status wait(rayo_queue *q) { return api.queue_wait(q, kForEver, &error); }

  mini::Host host;
  mini::Plugin file{MOCK_DEVICE_FILE};
  const rayo_plugin *plugin = file.query(host);
  const rayo_device_api &api = *plugin->device_api;
  const mock_control *control = nullptr;
  rayo_instance *instance = nullptr;
  rayo_device *device = nullptr;
  rayo_queue *queue = nullptr, *other = nullptr;
  rayo_semaphore *done = nullptr;
  rayo_error error{};
  Bound add, checked_sqrt;
  std::vector<rayo_buffer *> buffers;
  std::vector<float> ones = std::vector<float>(kCount, 1.0f), eights = std::vector<float>(kCount, 8.0f);
  std::vector<float> result = std::vector<float>(kCount, -1.0f);
};

TEST_F(MockDevice, EnumeratesWithinTheCallersStructSize) {
  rayo_device_info info{};
  info.struct_size = offsetof(rayo_device_info, memory_bytes);  // as an older host would have compiled it
  info.memory_bytes = 77;
  rayo_device_info *const out[] = {&info};
  uint32_t count = 0;
  EXPECT_EQ(api.enumerate(instance, 0, nullptr, &count, &error), RAYO_OK);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(api.enumerate(instance, 1, out, &count, &error), RAYO_OK);
  EXPECT_STREQ(info.id, "mock0");
  EXPECT_EQ(info.dl.device_type, kDLExtDev);
  EXPECT_EQ(info.memory_bytes, 77u) << "written beyond struct_size";
}

TEST_F(MockDevice, UploadsComputesOnTwoQueuesAndDownloads) {
  rayo_buffer *a = buffer(), *b = buffer(), *sum = buffer();
  ASSERT_EQ(upload(a, ones), RAYO_OK) << host.error;
  ASSERT_EQ(upload(b, eights, {{done, 1}}), RAYO_OK) << host.error;
  ASSERT_EQ(run(other, add, {a, b}, sum, {{done, 1}}, {{done, 2}}), RAYO_OK) << host.error;  // 9
  ASSERT_EQ(run(queue, checked_sqrt, {sum}, sum, {{done, 2}}, {{done, 3}}), RAYO_OK);        // 3, in place
  ASSERT_EQ(copy(other, nullptr, sum, result.data(), nullptr, {{done, 3}}, {{done, 4}}), RAYO_OK);
  ASSERT_EQ(api.semaphore_wait(done, 4, kForEver, &error), RAYO_OK) << error.text;
  for (float y : result) ASSERT_EQ(y, 3.0f);
  uint64_t value = 0;
  EXPECT_EQ(api.semaphore_query(done, &value, &error), RAYO_OK);
  EXPECT_EQ(value, 4u);
}

TEST_F(MockDevice, SecondQueueDoesNotStartBeforeItsWaitIsReached) {
  rayo_buffer *a = buffer(), *out = buffer();
  control->pause(device, 1);
  ASSERT_EQ(upload(a, eights, {{done, 1}}), RAYO_OK);
  ASSERT_EQ(run(other, add, {a, a}, out, {{done, 1}}, {{done, 2}}), RAYO_OK);
  EXPECT_EQ(api.semaphore_wait(done, 2, 1000000, &error), RAYO_TIMEOUT);
  EXPECT_EQ(api.queue_wait(other, 0, &error), RAYO_TIMEOUT);
  control->pause(device, 0);
  EXPECT_EQ(wait(other), RAYO_OK) << error.text;
  ASSERT_EQ(copy(queue, nullptr, out, result.data(), nullptr), RAYO_OK);
  EXPECT_EQ(wait(queue), RAYO_OK);
  for (float y : result) ASSERT_EQ(y, 16.0f);
}

TEST_F(MockDevice, SubmissionHoldsABufferThatIsDestroyedInFlight) {
  rayo_buffer *a = buffer(), *out = buffer();
  ASSERT_EQ(upload(a, eights), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK);
  control->pause(device, 1);
  ASSERT_EQ(run(queue, add, {a, a}, out, {}, {{done, 1}}), RAYO_OK);
  destroy(a);
  EXPECT_EQ(control->live_bytes(device), 2 * kBytes) << "memory went while a submission held it";
  control->pause(device, 0);
  ASSERT_EQ(copy(queue, nullptr, out, result.data(), nullptr), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK) << error.text;
  EXPECT_EQ(control->live_bytes(device), kBytes) << "memory stayed after the submission was done";
  for (float y : result) ASSERT_EQ(y, 16.0f);
}

TEST_F(MockDevice, SemaphoreMayBeDestroyedWhileASubmissionSignalsIt) {
  rayo_semaphore *brief = nullptr;
  ASSERT_EQ(api.semaphore_create(device, 5, &brief, &error), RAYO_OK);
  rayo_buffer *a = buffer();
  control->pause(device, 1);
  ASSERT_EQ(upload(a, ones, {{brief, 6}}), RAYO_OK);
  ASSERT_EQ(run(other, add, {a, a}, a, {{brief, 6}}), RAYO_OK);
  api.semaphore_destroy(brief);
  control->pause(device, 0);
  EXPECT_EQ(wait(other), RAYO_OK) << error.text;
}

TEST_F(MockDevice, FailurePoisonsWhatWaitsOnIt) {
  rayo_buffer *a = buffer(), *out = buffer();
  const std::vector<float> negative(kCount, -4.0f);
  ASSERT_EQ(upload(a, negative), RAYO_OK);
  ASSERT_EQ(upload(out, ones, {{done, 1}}), RAYO_OK);
  ASSERT_EQ(run(queue, checked_sqrt, {a}, a, {}, {{done, 2}}), RAYO_OK) << "submit must not wait for the result";
  ASSERT_EQ(run(other, add, {out, out}, out, {{done, 2}}, {{done, 3}}), RAYO_OK);
  EXPECT_EQ(api.semaphore_wait(done, 3, kForEver, &error), RAYO_CANCELLED);
  EXPECT_NE(std::string(error.text).find("mock.checked_sqrt met -4"), std::string::npos) << error.text;
  EXPECT_EQ(wait(queue), RAYO_INVALID_ARGUMENT) << "the failure's own status belongs to its queue";
  EXPECT_EQ(wait(other), RAYO_CANCELLED);
  uint64_t value = 0;
  EXPECT_EQ(api.semaphore_query(done, &value, &error), RAYO_OK);
  EXPECT_EQ(value, 1u) << "a poisoned timeline keeps what it had reached";
  EXPECT_EQ(api.semaphore_wait(done, 1, 0, &error), RAYO_OK);
  ASSERT_EQ(copy(queue, nullptr, out, result.data(), nullptr), RAYO_OK);
  EXPECT_EQ(wait(queue), RAYO_OK) << "the queue works again once it has told of its failure: " << error.text;
  for (float y : result) ASSERT_EQ(y, 1.0f) << "cancelled work must not have written";
}

TEST_F(MockDevice, WorkBehindAFailureInTheSameQueueIsCancelled) {
  rayo_buffer *a = buffer();
  const std::vector<float> negative(kCount, -1.0f);
  ASSERT_EQ(upload(a, negative), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK);
  control->pause(device, 1);
  ASSERT_EQ(run(queue, checked_sqrt, {a}, a), RAYO_OK);
  ASSERT_EQ(copy(queue, nullptr, a, result.data(), nullptr, {}, {{done, 1}}), RAYO_OK);
  control->pause(device, 0);
  EXPECT_EQ(api.semaphore_wait(done, 1, kForEver, &error), RAYO_CANCELLED);
  EXPECT_EQ(wait(queue), RAYO_INVALID_ARGUMENT);
}

TEST_F(MockDevice, RefusedSubmissionsLeaveNoTrace) {
  rayo_buffer *a = buffer();
  EXPECT_EQ(run(queue, add, {a, a}, a, {{done, 1}}), RAYO_PRECONDITION) << "a wait for what nobody submitted";
  EXPECT_NE(host.error.find("wait for 1"), std::string::npos) << host.error;
  EXPECT_EQ(run(queue, add, {a}, a), RAYO_INVALID_ARGUMENT) << "one input too few";
  EXPECT_EQ(run(queue, add, {a, a}, a, {}, {{done, 0}}), RAYO_INVALID_ARGUMENT) << "a signal that does not grow";
  rayo_buffer *small = buffer(kBytes - 4);
  EXPECT_EQ(run(queue, add, {a, a}, small, {}, {{done, 1}}), RAYO_INVALID_ARGUMENT) << "output beyond its buffer";
  EXPECT_EQ(wait(queue), RAYO_OK) << error.text;
  EXPECT_EQ(api.semaphore_signal(done, 1, &error), RAYO_OK) << "value 1 was still free: " << error.text;
  EXPECT_EQ(run(queue, add, {a, a}, a, {{done, 1}}), RAYO_OK) << host.error;
}

TEST_F(MockDevice, MustUnderstandExtensionIsRefusedOthersAreSkipped) {
  rayo_struct extension{sizeof(rayo_struct), 0x1234u, nullptr};
  rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, &extension, 16, RAYO_MEMORY_DEVICE, 0};
  rayo_buffer *made = nullptr;
  EXPECT_EQ(api.buffer_create(device, &desc, &made, &error), RAYO_OK) << error.text;
  buffers.push_back(made);
  extension.struct_type |= RAYO_MUST_UNDERSTAND;
  EXPECT_EQ(api.buffer_create(device, &desc, &made, &error), RAYO_UNSUPPORTED);
}

TEST_F(MockDevice, OversizedBufferAndForeignMemoryAreClearErrors) {
  rayo_buffer *made = nullptr;
  rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, uint64_t{1} << 40, RAYO_MEMORY_DEVICE, 0};
  EXPECT_EQ(api.buffer_create(device, &desc, &made, &error), RAYO_OUT_OF_MEMORY);
  EXPECT_NE(std::string(error.text).find("limit"), std::string::npos) << error.text;
  EXPECT_EQ(api.buffer_import(device, result.data(), kBytes, &made, &error), RAYO_UNSUPPORTED);
  void *address = nullptr;
  EXPECT_EQ(api.buffer_map(buffer(), &address, &error), RAYO_UNSUPPORTED) << "device memory has no host address";
}

TEST_F(MockDevice, LostDeviceAnswersSoAndCanStillBeTakenDown) {
  rayo_buffer *a = buffer();
  control->pause(device, 1);
  ASSERT_EQ(upload(a, ones, {{done, 1}}), RAYO_OK);
  control->lose(device);
  EXPECT_EQ(api.semaphore_wait(done, 1, kForEver, &error), RAYO_DEVICE_LOST);
  EXPECT_EQ(wait(queue), RAYO_DEVICE_LOST);
  EXPECT_EQ(upload(a, ones), RAYO_DEVICE_LOST);
}

TEST_F(MockDevice, ForkedChildIsToldSoAndDoesNotHang) {
  rayo_buffer *a = buffer();
  ASSERT_EQ(upload(a, ones), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK);
  const rayo_tensor operand = tensor(a);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // a hang ends the child by a signal, which the parent sees
    rayo_buffer *made = nullptr;
    rayo_semaphore *semaphore = nullptr;
    rayo_queue *fresh = nullptr;
    uint64_t value = 0;
    rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, 16, RAYO_MEMORY_DEVICE, 0};
    int wrong = 0;
    wrong |= (upload(a, ones) != RAYO_FORKED) << 0;
    wrong |= (wait(queue) != RAYO_FORKED) << 1;
    wrong |= (api.buffer_create(device, &desc, &made, &error) != RAYO_FORKED) << 2;
    wrong |= (api.semaphore_create(device, 0, &semaphore, &error) != RAYO_FORKED) << 3;
    wrong |= (api.semaphore_query(done, &value, &error) != RAYO_FORKED) << 4;
    wrong |= (api.queue_create(device, &fresh, &error) != RAYO_FORKED) << 5;
    wrong |= (operand.dl.data == nullptr) << 6;
    api.queue_destroy(queue);
    api.semaphore_destroy(done);
    api.buffer_destroy(a);
    api.device_close(device);
    _exit(wrong);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child died by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "bits of the calls that did not answer RAYO_FORKED";
  ASSERT_EQ(copy(queue, nullptr, a, result.data(), nullptr), RAYO_OK) << "the parent must go on working";
  EXPECT_EQ(wait(queue), RAYO_OK) << error.text;
  EXPECT_EQ(result[0], 1.0f);
}

TEST_F(MockDevice, UnknownExtensionsAreNullAndHostCallsUnsupported) {
  EXPECT_EQ(plugin->get_extension(instance, MOCK_CONTROL_NAME, 2), nullptr) << "a version it does not have";
  EXPECT_EQ(plugin->get_extension(instance, "unknown", 1), nullptr);
  mini::Call host_call(host, "add");
  host_call.input({kCount}).input({kCount}).output({kCount});
  rayo_prepared prepared = mini::empty_prepared();
  EXPECT_EQ(add.kernel->prepare(instance, &host_call.desc(), &prepared, &error), RAYO_UNSUPPORTED)
      << "a device kernel without a device";
}

}  // namespace
