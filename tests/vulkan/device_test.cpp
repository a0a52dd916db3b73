// SPDX-License-Identifier: Apache-2.0
//
// The device tier of the Vulkan plugin by the rules of plugin-api/doc/devices.md: memory, order, waits and signals,
// what a submission holds, what is refused, a forked child.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

namespace rayo_test {
namespace {

constexpr int64_t kCount = 1000;
constexpr uint64_t kBytes = kCount * sizeof(float);

class VulkanDevice : public VulkanTest {
 protected:
  std::vector<float> ones = std::vector<float>(kCount, 1.0f), eights = std::vector<float>(kCount, 8.0f);
  std::vector<float> result = std::vector<float>(kCount, -1.0f);
};

TEST_F(VulkanDevice, SaysWhatItIsWithinTheCallersStructSize) {
  const rayo_device_info info = vulkan->info(0);
  EXPECT_STREQ(info.id, "vulkan0");
  EXPECT_EQ(info.dl.device_type, kDLVulkan);
  EXPECT_STRNE(info.name, "");
  EXPECT_STRNE(info.driver, "");
  EXPECT_GE(info.max_buffer_bytes, uint64_t{1} << 27) << "Vulkan guarantees 128 MiB";
  EXPECT_EQ((info.flags & RAYO_DEVICE_SOFTWARE) != 0, std::string(info.name).find("llvmpipe") != std::string::npos);
  rayo_device_info old{};
  old.struct_size = offsetof(rayo_device_info, memory_bytes);
  old.memory_bytes = 77;
  rayo_device_info *const out[] = {&old};
  uint32_t count = 0;
  EXPECT_EQ(api->enumerate(vulkan->instance, 1, out, &count, &error), RAYO_OK);
  EXPECT_EQ(old.memory_bytes, 77u) << "written beyond struct_size";
  rayo_device *none = nullptr;
  EXPECT_EQ(api->device_open(vulkan->instance, count, &none, &error), RAYO_NOT_FOUND) << error.text;
}

TEST_F(VulkanDevice, UploadsComputesOnTwoQueuesAndDownloads) {
  const Bound add = bind("add", kCount, 2), neg = bind("neg", kCount, 1);
  rayo_buffer *a = buffer(kBytes), *b = buffer(kBytes), *sum = buffer(kBytes);
  ASSERT_EQ(upload(queue, a, ones.data(), kBytes), RAYO_OK) << vulkan->host.error;
  ASSERT_EQ(upload(queue, b, eights.data(), kBytes, {}, {{done, 1}}), RAYO_OK) << vulkan->host.error;
  ASSERT_EQ(submit(other, add, {a, b}, sum, {{done, 1}}, {{done, 2}}), RAYO_OK) << vulkan->host.error;
  ASSERT_EQ(submit(queue, neg, {sum}, sum, {{done, 2}}, {{done, 3}}), RAYO_OK) << vulkan->host.error;
  ASSERT_EQ(download(other, result.data(), sum, kBytes, {{done, 3}}, {{done, 4}}), RAYO_OK) << vulkan->host.error;
  ASSERT_EQ(api->semaphore_wait(done, 4, kForEver, &error), RAYO_OK) << error.text;
  for (const float y : result) ASSERT_EQ(y, -9.0f);
  uint64_t value = 0;
  EXPECT_EQ(api->semaphore_query(done, &value, &error), RAYO_OK);
  EXPECT_EQ(value, 4u);
}

TEST_F(VulkanDevice, LargeCopiesAreInOrderAndLetTheHostMemoryGoWithTheirSignal) {
  constexpr uint64_t kFloats = uint64_t{1} << 22;  // 16 MiB: a worker copies it, whatever stands in its way
  const Bound add = bind("add", kFloats, 2);
  rayo_buffer *x = buffer(kFloats * 4);
  std::vector<float> source(kFloats), got(kFloats, -1.0f);
  for (uint64_t round = 1; round <= 3; ++round) {
    std::fill(source.begin(), source.end(), static_cast<float>(round));
    ASSERT_EQ(upload(queue, x, source.data(), kFloats * 4, {}, {{done, 2 * round - 1}}), RAYO_OK) << vulkan->host.error;
    ASSERT_EQ(submit(queue, add, {x, x}, x), RAYO_OK) << vulkan->host.error;
    ASSERT_EQ(download(queue, got.data(), x, kFloats * 4, {}, {{done, 2 * round}}), RAYO_OK) << vulkan->host.error;
    ASSERT_EQ(api->semaphore_wait(done, 2 * round - 1, kForEver, &error), RAYO_OK) << error.text;
    std::fill(source.begin(), source.end(), -7.0f);  // nobody reads it any more
    ASSERT_EQ(api->semaphore_wait(done, 2 * round, kForEver, &error), RAYO_OK) << error.text;
    for (const float y : got) ASSERT_EQ(y, 2.0f * static_cast<float>(round));
  }
}

TEST_F(VulkanDevice, LongChainsOfWorkRunInOrder) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes), *sum = buffer(kBytes);
  ASSERT_EQ(upload(queue, a, ones.data(), kBytes), RAYO_OK);
  ASSERT_EQ(upload(queue, sum, ones.data(), kBytes), RAYO_OK);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(submit(queue, add, {a, sum}, sum), RAYO_OK) << vulkan->host.error;
  // A download behind work and an upload of what it brings, both before any of it is done.
  ASSERT_EQ(download(queue, result.data(), sum, kBytes), RAYO_OK);
  ASSERT_EQ(upload(queue, a, result.data(), kBytes), RAYO_OK);
  ASSERT_EQ(submit(queue, add, {a, sum}, sum), RAYO_OK);
  std::vector<float> last(kCount);
  ASSERT_EQ(download(queue, last.data(), sum, kBytes), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK) << error.text;
  for (const float y : last) ASSERT_EQ(y, 402.0f);
}

TEST_F(VulkanDevice, TimeoutsAreAnswersAndTheWorkGoesOn) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes);
  EXPECT_EQ(api->semaphore_wait(done, 1, 0, &error), RAYO_TIMEOUT);
  EXPECT_EQ(api->semaphore_wait(done, 1, 30000000, &error), RAYO_TIMEOUT) << error.text;
  vulkan->control().inject(device, VULKAN_FAULT_HANG, 1);
  ASSERT_EQ(submit(queue, add, {a, a}, a, {}, {{done, 1}}), RAYO_OK);
  EXPECT_EQ(wait(queue, 0), RAYO_TIMEOUT);
  EXPECT_EQ(wait(queue, 50000000), RAYO_TIMEOUT) << error.text;
  vulkan->control().set_watchdog_ms(device, 100);
  EXPECT_EQ(wait(queue), RAYO_DEVICE_LOST);
}

TEST_F(VulkanDevice, SubmissionHoldsBuffersAndSemaphoresThatAreDestroyedInFlight) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes), *out = buffer(kBytes);
  rayo_semaphore *brief = nullptr;
  ASSERT_EQ(api->semaphore_create(device, 5, &brief, &error), RAYO_OK);
  ASSERT_EQ(upload(queue, a, eights.data(), kBytes, {}, {{brief, 6}}), RAYO_OK);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(submit(queue, add, {a, a}, out), RAYO_OK);
  ASSERT_EQ(submit(queue, add, {a, a}, out, {{brief, 6}}, {{brief, 7}}), RAYO_OK);
  destroy(a);
  api->semaphore_destroy(brief);
  ASSERT_EQ(download(queue, result.data(), out, kBytes), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK) << error.text;
  for (const float y : result) ASSERT_EQ(y, 16.0f);
}

TEST_F(VulkanDevice, RefusedSubmissionsLeaveNoTrace) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes), *small = buffer(kBytes - 4);
  EXPECT_EQ(submit(queue, add, {a, a}, a, {{done, 1}}), RAYO_PRECONDITION) << "a wait for what nobody submitted";
  EXPECT_NE(vulkan->host.error.find("wait for 1"), std::string::npos) << vulkan->host.error;
  EXPECT_EQ(submit(queue, add, {a}, a), RAYO_INVALID_ARGUMENT) << "one input too few";
  EXPECT_EQ(submit(queue, add, {a, a}, a, {}, {{done, 0}}), RAYO_INVALID_ARGUMENT) << "a signal that does not grow";
  EXPECT_EQ(submit(queue, add, {a, a}, small, {}, {{done, 1}}), RAYO_INVALID_ARGUMENT) << "output beyond its buffer";
  EXPECT_EQ(upload(queue, small, ones.data(), kBytes), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(wait(queue), RAYO_OK) << error.text;
  EXPECT_EQ(api->semaphore_signal(done, 1, &error), RAYO_OK) << "value 1 was still free: " << error.text;
  EXPECT_EQ(api->semaphore_signal(done, 1, &error), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(submit(queue, add, {a, a}, a, {{done, 1}}), RAYO_OK) << vulkan->host.error;
}

TEST_F(VulkanDevice, MemoryKindsAreMappedWhereTheHostSeesThem) {
  rayo_buffer *pinned = buffer(kBytes, RAYO_MEMORY_PINNED);
  void *address = nullptr;
  ASSERT_EQ(api->buffer_map(pinned, &address, &error), RAYO_OK) << error.text;
  std::copy(eights.begin(), eights.end(), static_cast<float *>(address));
  rayo_buffer *own = buffer(kBytes);
  rayo_copy c{};
  c.struct_size = sizeof c;
  c.struct_type = RAYO_TYPE_COPY;
  c.size = kBytes;
  c.dst_buffer = own;
  c.src_buffer = pinned;
  ASSERT_EQ(api->copy(queue, &c), RAYO_OK) << vulkan->host.error;
  ASSERT_EQ(download(queue, result.data(), own, kBytes), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK);
  EXPECT_EQ(result, eights);
  const bool unified = (vulkan->info(0).flags & RAYO_DEVICE_UNIFIED) != 0;
  EXPECT_EQ(api->buffer_map(own, &address, &error), unified ? RAYO_OK : RAYO_UNSUPPORTED);
}

TEST_F(VulkanDevice, ImportsHostMemoryWithoutACopy) {
  if ((vulkan->info(0).flags & RAYO_DEVICE_HOST_IMPORT) == 0) GTEST_SKIP() << "no VK_EXT_external_memory_host here";
  const Bound add = bind("add", kCount, 2);
  std::vector<float> memory(3 * kCount + 3, 2.0f);
  for (const size_t shift : {0u, 1u, 3u}) {
    rayo_buffer *in = nullptr;
    ASSERT_EQ(api->buffer_import(device, memory.data() + shift, kBytes, &in, &error), RAYO_OK) << error.text;
    buffers.push_back(in);
    rayo_buffer *out = nullptr;
    std::vector<float> sums(kCount + 64, -1.0f);
    ASSERT_EQ(api->buffer_import(device, sums.data() + 1, kBytes, &out, &error), RAYO_OK) << error.text;
    ASSERT_EQ(submit(queue, add, {in, in}, out), RAYO_OK) << vulkan->host.error;
    ASSERT_EQ(wait(queue), RAYO_OK) << error.text;
    EXPECT_EQ(sums[0], -1.0f);
    for (size_t i = 1; i <= kCount; ++i) ASSERT_EQ(sums[i], 4.0f);
    EXPECT_EQ(sums[kCount + 1], -1.0f);
    api->buffer_destroy(out);
  }
}

TEST_F(VulkanDevice, ExtensionsThatMustBeUnderstoodAreRefused) {
  rayo_struct extension{sizeof(rayo_struct), 0x1234u, nullptr};
  rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, &extension, 16, RAYO_MEMORY_DEVICE, 0};
  rayo_buffer *made = nullptr;
  ASSERT_EQ(api->buffer_create(device, &desc, &made, &error), RAYO_OK) << error.text;
  buffers.push_back(made);
  extension.struct_type |= RAYO_MUST_UNDERSTAND;
  EXPECT_EQ(api->buffer_create(device, &desc, &made, &error), RAYO_UNSUPPORTED);
  EXPECT_EQ(vulkan->plugin->get_extension(vulkan->instance, "unknown", 1), nullptr);
  EXPECT_EQ(vulkan->plugin->get_extension(vulkan->instance, VULKAN_CONTROL_NAME, 2), nullptr);
}

TEST_F(VulkanDevice, ForkedChildIsToldSoAndDoesNotHang) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *a = buffer(kBytes);
  ASSERT_EQ(upload(queue, a, ones.data(), kBytes), RAYO_OK);
  ASSERT_EQ(wait(queue), RAYO_OK);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // a hang ends the child by a signal, which the parent sees
    rayo_buffer *made = nullptr;
    rayo_semaphore *semaphore = nullptr;
    rayo_queue *fresh = nullptr;
    void *address = nullptr;
    uint64_t value = 0;
    rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, 16, RAYO_MEMORY_DEVICE, 0};
    unsigned wrong = 0;
    wrong |= unsigned{upload(queue, a, ones.data(), kBytes) != RAYO_FORKED} << 0;
    wrong |= unsigned{wait(queue) != RAYO_FORKED} << 1;
    wrong |= unsigned{api->buffer_create(device, &desc, &made, &error) != RAYO_FORKED} << 2;
    wrong |= unsigned{api->semaphore_create(device, 0, &semaphore, &error) != RAYO_FORKED} << 3;
    wrong |= unsigned{api->semaphore_query(done, &value, &error) != RAYO_FORKED} << 4;
    wrong |= unsigned{api->queue_create(device, &fresh, &error) != RAYO_FORKED} << 5;
    wrong |= unsigned{api->semaphore_signal(done, 9, &error) != RAYO_FORKED} << 6;
    wrong |= unsigned{api->buffer_map(a, &address, &error) != RAYO_FORKED} << 7;
    api->queue_destroy(queue);
    api->semaphore_destroy(done);
    api->buffer_destroy(a);
    api->device_close(device);
    _exit(static_cast<int>(wrong));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child died by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "bits of the calls that did not answer RAYO_FORKED";
  ASSERT_EQ(submit(queue, add, {a, a}, a), RAYO_OK) << "the parent must go on working: " << vulkan->host.error;
  ASSERT_EQ(download(queue, result.data(), a, kBytes), RAYO_OK);
  EXPECT_EQ(wait(queue), RAYO_OK) << error.text;
  EXPECT_EQ(result[0], 2.0f);
}

// Resident memory in KiB.
long resident_kib() {
  long pages = 0, ignored = 0;
  FILE *f = std::fopen("/proc/self/statm", "r");
  if (f == nullptr || std::fscanf(f, "%ld %ld", &ignored, &pages) != 2) pages = 0;
  if (f != nullptr) std::fclose(f);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST_F(VulkanDevice, ThousandCyclesOfCreateAndDestroyDoNotGrow) {
  const Bound add = bind("add", kCount, 2);
  rayo_buffer *keep = buffer(kBytes);
  ASSERT_EQ(upload(queue, keep, ones.data(), kBytes), RAYO_OK);
  const auto cycle = [&] {
    rayo_queue *q = nullptr;
    rayo_semaphore *s = nullptr;
    ASSERT_EQ(api->queue_create(device, &q, &error), RAYO_OK) << error.text;
    ASSERT_EQ(api->semaphore_create(device, 0, &s, &error), RAYO_OK) << error.text;
    rayo_buffer *b = buffer(1 << 20);
    ASSERT_EQ(submit(q, add, {keep, keep}, b, {}, {{s, 1}}), RAYO_OK) << vulkan->host.error;
    ASSERT_EQ(download(q, result.data(), b, kBytes, {{s, 1}}), RAYO_OK);
    ASSERT_EQ(api->queue_wait(q, kForEver, &error), RAYO_OK) << error.text;
    destroy(b);
    api->semaphore_destroy(s);
    api->queue_destroy(q);
  };
  for (int i = 0; i < 100; ++i) cycle();
  const long before = resident_kib();
  for (int i = 0; i < 900; ++i) cycle();
  // One leaked buffer a cycle would be 900 MiB, one leaked page 3.5 MiB.
  EXPECT_LT(resident_kib() - before, 3000);
}

TEST_F(VulkanDevice, DevicesOpenAndCloseAgain) {
  const auto cycle = [&] {
    rayo_device *second = nullptr;
    ASSERT_EQ(api->device_open(vulkan->instance, 0, &second, &error), RAYO_OK) << error.text;
    api->device_close(second);
  };
  for (int i = 0; i < 10; ++i) cycle();
  const long before = resident_kib();
  for (int i = 0; i < 100; ++i) cycle();
  EXPECT_LT(resident_kib() - before, 6000) << "60 KiB a device";
}

}  // namespace
}  // namespace rayo_test
