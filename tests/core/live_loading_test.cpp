// SPDX-License-Identifier: Apache-2.0
//
// Plugins that come and go while the runtime lives.
#include <rayo/device.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "api_helpers.hpp"
#include "temp_folder.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::make_runtime;
using rayo_test::plugin_at;
using rayo_test::quiet_options;
using rayo_test::RuntimePtr;
using rayo_test::TempFolder;

constexpr int64_t kSlow = 777;  // elements of a call that takes 100 ms

// good.twice on `n` elements of 1, and its operands.
struct Call {
  explicit Call(int64_t n) : x(static_cast<size_t>(n), 1), y(x.size()), shape{n} {}
  std::vector<float> x, y;
  int64_t shape[1];
  rayo_tensor in = rayo_tensor_make(x.data(), RAYO_F32, 1, shape, nullptr);
  rayo_tensor out = rayo_tensor_make(y.data(), RAYO_F32, 1, shape, nullptr);
  const rayo_tensor *ins[1] = {&in};
  const rayo_tensor *outs[1] = {&out};

  rayo_status run(rayo_runtime *runtime) {
    return rayo_run(runtime, rayo_op_find("good.twice"), ins, 1, outs, 1, nullptr);
  }
  rayo_plan *plan(rayo_runtime *runtime) {
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find("good.twice");
    desc.inputs = ins;
    desc.input_count = 1;
    rayo_plan *made = nullptr;
    EXPECT_EQ(rayo_plan_create(runtime, &desc, &made), RAYO_OK) << last_error();
    return made;
  }
  // Until a slow call has begun.
  void await_start() {
    const std::atomic_ref<int32_t> last(*reinterpret_cast<int32_t *>(&y.back()));
    while (last.load() == 0) std::this_thread::yield();
  }
};

// A runtime over good2 alone, and good.so in a folder that it does not look at.
struct Live {
  TempFolder folder;
  TempFolder others;
  RuntimePtr runtime{nullptr, &rayo_runtime_destroy};
  std::string good = others / "good.so";

  Live() {
    folder.copy_fixture("good2");
    others.copy_fixture("good");
    rayo_runtime_options options = quiet_options();
    options.plugin_path = folder.path().c_str();
    runtime = make_runtime(options);
  }
  uint32_t load() {
    uint32_t index = UINT32_MAX;
    EXPECT_EQ(rayo_plugin_load(runtime.get(), good.c_str(), &index), RAYO_OK) << last_error();
    return index;
  }
};

TEST(LiveLoading, ALoadedFileIsUsedAtOnceAndListed) {
  Live live;
  Call call(5);
  EXPECT_NE(call.run(live.runtime.get()), RAYO_OK);
  const uint32_t before = rayo_op_count(live.runtime.get());
  const uint32_t index = live.load();
  EXPECT_EQ(index, 1u);
  const rayo_plugin_info info = plugin_at(live.runtime.get(), index);
  EXPECT_STREQ(info.name, "good");
  EXPECT_EQ(info.state, RAYO_PLUGIN_READY);
  EXPECT_EQ(rayo_op_count(live.runtime.get()), before + 1);
  EXPECT_EQ(rayo_device_count(live.runtime.get()), 2u);
  ASSERT_EQ(call.run(live.runtime.get()), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[4], 2.0f);
}

TEST(LiveLoading, AnUnloadedPluginIsGoneAndItsPlansSaySo) {
  Live live;
  const uint32_t index = live.load();
  Call call(5);
  rayo_plan *plan = call.plan(live.runtime.get());
  ASSERT_EQ(rayo_plan_run(plan, call.ins, call.outs), RAYO_OK) << last_error();
  ASSERT_EQ(call.run(live.runtime.get()), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  EXPECT_EQ(rayo_plan_run(plan, call.ins, call.outs), RAYO_PRECONDITION);
  EXPECT_NE(last_error().find("plugin good was unloaded"), std::string::npos) << last_error();
  EXPECT_NE(call.run(live.runtime.get()), RAYO_OK);
  const rayo_plugin_info info = plugin_at(live.runtime.get(), index);
  EXPECT_EQ(info.state, RAYO_PLUGIN_UNLOADED);
  EXPECT_STREQ(info.reason, "was unloaded by rayo_plugin_unload");
  EXPECT_EQ(rayo_device_count(live.runtime.get()), 1u);
  char metrics[4096];
  rayo_metrics_text(live.runtime.get(), metrics, sizeof metrics);
  EXPECT_NE(std::string(metrics).find("rayo_plugins{state=\"unloaded\"} 1"), std::string::npos) << metrics;
  EXPECT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_NOT_FOUND);
  EXPECT_NE(last_error().find("ready are: good2"), std::string::npos) << last_error();
  rayo_plan_destroy(plan);
}

TEST(LiveLoading, APlanOutlivesItsPluginAndItsRuntime) {
  rayo_plan *plan = nullptr;
  Call call(5);
  {
    Live live;
    live.load();
    plan = call.plan(live.runtime.get());
    ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  }
  EXPECT_EQ(rayo_plan_run(plan, call.ins, call.outs), RAYO_PRECONDITION);
  rayo_plan_destroy(plan);
}

TEST(LiveLoading, UnloadingWaitsForARunningCall) {
  Live live;
  live.load();
  Call call(kSlow);
  rayo_plan *plan = call.plan(live.runtime.get());
  rayo_status status = RAYO_INTERNAL;
  std::thread runner([&] { status = rayo_plan_run(plan, call.ins, call.outs); });
  call.await_start();
  ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[kSlow - 1], 2.0f);  // the call had ended
  runner.join();
  EXPECT_EQ(status, RAYO_OK);
  rayo_plan_destroy(plan);
}

TEST(LiveLoading, UnloadingWaitsForQueuedCalls) {
  Live live;
  live.load();
  rayo_device *host = nullptr;
  rayo_queue *queue = nullptr;
  ASSERT_EQ(rayo_device_find(live.runtime.get(), "host", &host), RAYO_OK) << last_error();
  ASSERT_EQ(rayo_queue_create(host, &queue), RAYO_OK) << last_error();
  Call call(5);
  ASSERT_EQ(rayo_queue_run(queue, rayo_op_find("good.twice"), call.ins, 1, call.outs, 1, nullptr, nullptr), RAYO_OK)
      << last_error();
  Call slow(kSlow);
  ASSERT_EQ(rayo_queue_run(queue, rayo_op_find("good.twice"), slow.ins, 1, slow.outs, 1, nullptr, nullptr), RAYO_OK);
  ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[4], 2.0f);
  EXPECT_EQ(slow.y[kSlow - 1], 2.0f);
  EXPECT_NE(rayo_queue_run(queue, rayo_op_find("good.twice"), call.ins, 1, call.outs, 1, nullptr, nullptr), RAYO_OK);
  EXPECT_EQ(rayo_queue_wait(queue, UINT64_MAX), RAYO_OK) << last_error();
  rayo_queue_destroy(queue);
}

TEST(LiveLoading, AReplacedFileIsAnotherGenerationBesideTheOld) {
  Live live;
  const uint32_t first = live.load();
  Call call(5);
  rayo_plan *old_plan = call.plan(live.runtime.get());
  ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  live.others.copy_fixture("good_changed", "next");
  ASSERT_EQ(std::rename((live.others / "next.so").c_str(), live.good.c_str()), 0);
  const uint32_t second = live.load();
  EXPECT_NE(first, second);
  EXPECT_STRNE(plugin_at(live.runtime.get(), first).sha256, plugin_at(live.runtime.get(), second).sha256);
  ASSERT_EQ(call.run(live.runtime.get()), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[4], 3.0f);
  EXPECT_EQ(rayo_plan_run(old_plan, call.ins, call.outs), RAYO_PRECONDITION);
  rayo_plan_destroy(old_plan);
  // And back: what was loaded before is the same again.
  ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  live.load();
  ASSERT_EQ(call.run(live.runtime.get()), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[4], 3.0f);
}

TEST(LiveLoading, AnotherRuntimeOfThisProcessSeesAReplacedFile) {
  Live live;
  live.load();
  live.others.copy_fixture("good_changed", "next");
  ASSERT_EQ(std::rename((live.others / "next.so").c_str(), live.good.c_str()), 0);
  rayo_runtime_options options = quiet_options();
  options.plugin_path = live.others.path().c_str();
  const RuntimePtr second = make_runtime(options);
  Call call(5);
  ASSERT_EQ(call.run(second.get()), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[4], 3.0f);
  ASSERT_EQ(call.run(live.runtime.get()), RAYO_OK) << last_error();
  EXPECT_EQ(call.y[4], 2.0f);
}

TEST(LiveLoading, AFileThatWasChangedInPlaceIsRefused) {
  Live live;
  live.load();
  ASSERT_EQ(rayo_plugin_unload(live.runtime.get(), "good"), RAYO_OK) << last_error();
  std::FILE *file = std::fopen(live.good.c_str(), "ab");
  ASSERT_NE(file, nullptr);
  std::fputs("more", file);
  std::fclose(file);
  EXPECT_EQ(rayo_plugin_load(live.runtime.get(), live.good.c_str(), nullptr), RAYO_REFUSED);
  EXPECT_NE(last_error().find("changed in place"), std::string::npos) << last_error();
}

TEST(LiveLoading, RefusalsNameTheReasonAndChangeNothing) {
  Live live;
  live.others.copy_fixture("null_create");
  const uint32_t plugins = rayo_plugin_count(live.runtime.get());
  EXPECT_EQ(rayo_plugin_load(live.runtime.get(), (live.others / "null_create.so").c_str(), nullptr), RAYO_REFUSED);
  EXPECT_NE(last_error().find("create or destroy is NULL"), std::string::npos) << last_error();
  EXPECT_EQ(rayo_plugin_load(live.runtime.get(), "/nowhere/x.so", nullptr), RAYO_NOT_FOUND);
  EXPECT_EQ(rayo_plugin_count(live.runtime.get()), plugins);
  live.load();
  live.others.copy_fixture("good", "again");
  EXPECT_EQ(rayo_plugin_load(live.runtime.get(), (live.others / "again.so").c_str(), nullptr), RAYO_REFUSED);
  EXPECT_NE(last_error().find("has the name 'good'"), std::string::npos) << last_error();
  EXPECT_NE(last_error().find("rayo_plugin_unload makes room"), std::string::npos) << last_error();
  EXPECT_EQ(rayo_plugin_load(nullptr, "x", nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plugin_load(live.runtime.get(), nullptr, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(rayo_plugin_unload(live.runtime.get(), nullptr), RAYO_INVALID_ARGUMENT);
}

TEST(LiveLoading, AForkedChildUnloadsWhateverItsParentIsRunning) {
  Live live;
  live.load();
  Call call(kSlow);
  std::thread runner([&] { EXPECT_EQ(call.run(live.runtime.get()), RAYO_OK) << last_error(); });
  call.await_start();
  const pid_t child = fork();
  if (child == 0) _exit(rayo_plugin_unload(live.runtime.get(), "good") == RAYO_OK ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  runner.join();
}

}  // namespace
