// SPDX-License-Identifier: Apache-2.0
//
// What a Vulkan device answers when things break: too large a buffer, no memory, a lost device at any call, a kernel
// that does not end. Every text names the op or function, the plugin, the device, what happened, and what to do.
#include <functional>

#include "harness.h"

namespace rayo_test {
namespace {

constexpr int64_t kCount = 64;
constexpr uint64_t kBytes = kCount * sizeof(float);

class VulkanFaults : public VulkanTest {
 protected:
  static ::testing::AssertionResult is_complete(const std::string &text, const std::string &op,
                                                const std::string &code) {
    for (const std::string &part :
         {op, std::string("plugin vulkan"), std::string("device vulkan0"), code, std::string("; ")})
      if (text.find(part) == std::string::npos)
        return ::testing::AssertionFailure() << "'" << text << "' lacks '" << part << "'";
    return ::testing::AssertionSuccess();
  }
  std::vector<float> ones = std::vector<float>(kCount, 1.0f), result = std::vector<float>(kCount);
};

TEST_F(VulkanFaults, BufferAboveTheLimitIsAClearError) {
  const uint64_t limit = vulkan->info(0).max_buffer_bytes;
  rayo_buffer *made = nullptr;
  for (const uint64_t size : {limit + 1, uint64_t{1} << 40, UINT64_MAX}) {
    const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, size, RAYO_MEMORY_DEVICE, 0};
    EXPECT_EQ(api->buffer_create(device, &desc, &made, &error), RAYO_OUT_OF_MEMORY);
    EXPECT_TRUE(is_complete(error.text, "buffer_create", std::to_string(limit)));
    EXPECT_NE(std::string(error.text).find(std::to_string(size)), std::string::npos);
  }
}

TEST_F(VulkanFaults, KernelThatDoesNotEndIsGivenUp) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes);
  ASSERT_EQ(upload(queue, a, ones.data(), kBytes), RAYO_OK);
  vulkan->control().set_watchdog_ms(device, 300);
  vulkan->control().inject(device, VULKAN_FAULT_HANG, 1);
  ASSERT_EQ(submit(queue, add, {a, a}, a, {}, {{done, 1}}), RAYO_OK);
  ASSERT_EQ(submit(other, add, {a, a}, a, {{done, 1}}, {{done, 2}}), RAYO_OK) << "it is not known yet";
  EXPECT_EQ(api->semaphore_wait(done, 2, kForEver, &error), RAYO_DEVICE_LOST);
  EXPECT_TRUE(is_complete(error.text, "add", "watchdog")) << error.text;
  EXPECT_EQ(wait(queue), RAYO_DEVICE_LOST);
  EXPECT_EQ(upload(queue, a, ones.data(), kBytes), RAYO_DEVICE_LOST);
}

TEST_F(VulkanFaults, WatchdogLetsWorkRunThatMakesProgress) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes);
  vulkan->control().set_watchdog_ms(device, 5000);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(submit(queue, add, {a, a}, a), RAYO_OK);
  EXPECT_EQ(wait(queue), RAYO_OK) << error.text;
}

// Everything an application does, until the first failure; its status, and its text in `error`.
rayo_status job(VulkanTest &, const rayo_device_api *api, rayo_device *device, rayo_queue *queue, rayo_error *error,
                const mini::Host &host, const std::function<rayo_status(rayo_buffer *)> &submit) {
  const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, kBytes, RAYO_MEMORY_DEVICE, 0};
  rayo_buffer *b = nullptr;
  rayo_semaphore *s = nullptr;
  rayo_status status = api->buffer_create(device, &desc, &b, error);
  if (status == RAYO_OK) status = api->semaphore_create(device, 0, &s, error);
  if (status == RAYO_OK) {
    status = submit(b);
    if (status != RAYO_OK) *error = rayo_error{}, host.error.copy(error->text, RAYO_ERROR_TEXT - 1);
  }
  if (status == RAYO_OK) status = api->queue_wait(queue, kForEver, error);
  if (b != nullptr) api->buffer_destroy(b);
  if (s != nullptr) api->semaphore_destroy(s);
  return status;
}

TEST_F(VulkanFaults, OutOfMemoryAtAnyCallIsAnErrorAndThenWorkGoesOn) {
  const Bound add = bind("add", kCount, 2);
  const auto whole_job = [&] {
    return job(*this, api, device, queue, &error, vulkan->host, [&](rayo_buffer *b) {
      const rayo_status status = upload(queue, b, ones.data(), kBytes);
      if (status != RAYO_OK) return status;
      const rayo_status ran = submit(queue, add, {b, b}, b);
      return ran != RAYO_OK ? ran : download(queue, result.data(), b, kBytes);
    });
  };
  int failures = 0;
  for (uint64_t at = 1;; ++at) {
    ASSERT_LT(at, 50u);
    vulkan->control().inject(device, VULKAN_FAULT_OOM, at);
    const rayo_status status = whole_job();
    if (status == RAYO_OK) break;
    // buffer_handle, which the harness calls for operands, may be the call that fails: then the submission is refused.
    ++failures;
    vulkan->control().inject(device, VULKAN_FAULT_OOM, 0);
    EXPECT_EQ(whole_job(), RAYO_OK) << "after an injected failure at call " << at << ": " << error.text;
    EXPECT_EQ(result[0], 2.0f);
  }
  EXPECT_GE(failures, 6);
}

TEST_F(VulkanFaults, LostAtAnyCallIsToldByEveryCallAfterIt) {
  for (uint64_t at = 1; at <= 8; ++at) {
    rayo_device *brief = nullptr;
    rayo_queue *q = nullptr;
    ASSERT_EQ(api->device_open(vulkan->instance, 0, &brief, &error), RAYO_OK) << error.text;
    ASSERT_EQ(api->queue_create(brief, &q, &error), RAYO_OK);
    vulkan->control().inject(brief, VULKAN_FAULT_LOST, at);
    const auto whole_job = [&] {
      return job(*this, api, brief, q, &error, vulkan->host, [&](rayo_buffer *b) {
        for (int i = 0; i < 3; ++i)
          if (const rayo_status status = upload(q, b, ones.data(), kBytes); status != RAYO_OK) return status;
        return download(q, result.data(), b, kBytes);
      });
    };
    rayo_status status = whole_job();
    if (status == RAYO_OK) status = whole_job();
    EXPECT_EQ(status, RAYO_DEVICE_LOST) << at;
    EXPECT_TRUE(is_complete(error.text, ":", "VK_ERROR_DEVICE_LOST (-4)"));
    EXPECT_EQ(whole_job(), RAYO_DEVICE_LOST);
    api->queue_destroy(q);
    api->device_close(brief);
  }
}

}  // namespace
}  // namespace rayo_test
