// SPDX-License-Identifier: Apache-2.0
//
// Two hosts at once over one loaded plugin: each instance must use its own host and nothing of the other's. Run over
// the C11 vendor plugin and over the template, which is built with plugin.hpp.
#include <gtest/gtest.h>

#include <cmath>

#include "mini_host.h"

namespace {

struct Runtime {
  explicit Runtime(const mini::Plugin &file) : plugin(file.query(host)) {
    rayo_error error{};
    if (plugin->create(&host, &instance, &error) != RAYO_OK) throw std::runtime_error(error.text);
  }
  mini::Host host;
  const rayo_plugin *plugin;
  rayo_instance *instance = nullptr;
};

// A prepared acme.window whose result is above its limit: every call reports an error to its host.
struct FailingKernel {
  explicit FailingKernel(Runtime &r) : runtime(r) {
    mini::Call c(r.host, "acme.window");
    c.attr({"size", RAYO_ATTR_INT, 1, &one}).attr({"step", RAYO_ATTR_INT, 1, &one});
    c.attr({"limit", RAYO_ATTR_FLOAT, 1, &limit}).attr({"mode", RAYO_ATTR_STRING, 3, "max"});
    c.input({1}).output({1});
    rayo_error error{};
    if (kernel->prepare(r.instance, &c.desc(), &prepared, &error) != RAYO_OK) throw std::runtime_error(error.text);
  }
  rayo_status call() {
    const float x = 1;
    float y = 0;
    return mini::call(prepared, {&x}, {&y});
  }
  Runtime &runtime;
  const rayo_kernel *kernel = runtime.plugin->kernels[0];
  const int64_t one = 1;
  const double limit = 0;
  rayo_prepared prepared = mini::empty_prepared();
};

TEST(TwoRuntimes, PluginAnswersBothWithTheSameTables) {
  const mini::Plugin file(VENDOR_C11_FILE);
  Runtime a(file), b(file);
  EXPECT_EQ(a.plugin, b.plugin);
  EXPECT_NE(a.instance, b.instance);
  a.plugin->destroy(a.instance);
  b.plugin->destroy(b.instance);
}

TEST(TwoRuntimes, OpIdsAreTheSameInBoth) {
  mini::Host a, b;
  EXPECT_EQ(a.intern(&a, "acme.window"), b.intern(&b, "acme.window"));
  EXPECT_NE(a.intern(&a, "acme.window"), a.intern(&a, "acme.other"));
}

TEST(TwoRuntimes, ErrorsAndMemoryStayWithTheirOwnHost) {
  const mini::Plugin file(VENDOR_C11_FILE);
  Runtime a(file), b(file);
  FailingKernel in_a(a), in_b(b);
  const int b_calls = b.host.calls, b_live = b.host.live;
  EXPECT_EQ(in_a.call(), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(a.host.status, RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(b.host.status, RAYO_OK) << "an error of runtime a reached b's host: " << b.host.error;
  a.host.status = RAYO_OK;
  EXPECT_EQ(in_b.call(), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(b.host.status, RAYO_INVALID_ARGUMENT) << "an error of runtime b did not reach its host";
  EXPECT_EQ(a.host.status, RAYO_OK) << "an error of runtime b reached a's host: " << a.host.error;
  in_a.kernel->release(a.instance, in_a.prepared.state);
  a.plugin->destroy(a.instance);
  EXPECT_EQ(a.host.live, 0);
  EXPECT_EQ(b.host.calls, b_calls);
  EXPECT_EQ(b.host.live, b_live);
  in_b.kernel->release(b.instance, in_b.prepared.state);
  b.plugin->destroy(b.instance);
  EXPECT_EQ(b.host.live, 0);
}

TEST(TwoRuntimes, OneOutlivesTheOther) {
  const mini::Plugin file(VENDOR_C11_FILE);
  auto first = std::make_unique<Runtime>(file);
  Runtime second(file);
  FailingKernel kernel(second);
  first->plugin->destroy(first->instance);
  first.reset();  // the first host table is gone: any use of it from here on is a use after free
  EXPECT_EQ(kernel.call(), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(second.host.error.find("limit"), std::string::npos);
  kernel.kernel->release(second.instance, kernel.prepared.state);
  second.plugin->destroy(second.instance);
}

TEST(TwoRuntimes, DevicesOfTwoInstancesReportToTheirOwnHost) {
  const mini::Plugin file(MOCK_DEVICE_FILE);
  Runtime a(file), b(file);
  const rayo_device_api &api = *a.plugin->device_api;
  rayo_device *device_a = nullptr, *device_b = nullptr;
  rayo_queue *queue_a = nullptr, *queue_b = nullptr;
  rayo_error error{};
  ASSERT_EQ(api.device_open(a.instance, 0, &device_a, &error), RAYO_OK) << error.text;
  ASSERT_EQ(api.device_open(b.instance, 0, &device_b, &error), RAYO_OK) << error.text;
  ASSERT_EQ(api.queue_create(device_a, &queue_a, &error), RAYO_OK) << error.text;
  ASSERT_EQ(api.queue_create(device_b, &queue_b, &error), RAYO_OK) << error.text;
  rayo_copy nothing{};
  nothing.struct_size = sizeof nothing;
  nothing.struct_type = RAYO_TYPE_COPY;
  EXPECT_EQ(api.copy(queue_b, &nothing), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(b.host.status, RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(a.host.status, RAYO_OK);
  api.queue_destroy(queue_a);
  api.queue_destroy(queue_b);
  api.device_close(device_a);
  api.device_close(device_b);
  a.plugin->destroy(a.instance);
  b.plugin->destroy(b.instance);
}

}  // namespace
