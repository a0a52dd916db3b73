// SPDX-License-Identifier: Apache-2.0
//
// What a call costs before it computes anything: add on 16 elements by the plugin's kernel called directly, as a plan
// and as eager calls, all of one plugin. What dispatch costs is the difference to the kernel. Run with
// --benchmark_enable_random_interleaving=true --benchmark_repetitions=9 and compare medians.
#include <benchmark/benchmark.h>
#include <rayo/rayo.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "plugin_harness.h"

namespace {

constexpr int64_t kCount = 16;

struct Operands {
  alignas(64) float a[kCount];
  alignas(64) float b[kCount];
  alignas(64) float y[kCount];
};

const char *device() { return (rayo_test::host_features() & RAYO_CPU_AVX2) != 0 ? "avx2" : "scalar"; }

rayo_runtime *runtime() {
  static rayo_runtime *const instance = [] {
    rayo_runtime *made = nullptr;
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    options.device = device();
    if (rayo_runtime_create(&options, &made) != RAYO_OK) {
      char text[RAYO_ERROR_TEXT];
      rayo_last_error(text, sizeof text);
      std::fprintf(stderr, "dispatch_bench: %s\n", text);
      std::exit(3);
    }
    return made;
  }();
  return instance;
}

Operands &operands() {
  static Operands data = [] {
    Operands made{};
    for (int64_t i = 0; i < kCount; ++i) made.a[i] = made.b[i] = static_cast<float>(i);
    return made;
  }();
  return data;
}

void check(benchmark::State &state, rayo_status status) {
  if (status == RAYO_OK) return;
  static char text[RAYO_ERROR_TEXT];
  rayo_last_error(text, sizeof text);
  state.SkipWithError(text);
}

// The plugin's own kernel, prepared for these operands and called without a runtime.
void bare_kernel(benchmark::State &state) {
  Operands &data = operands();
  rayo_plugin_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_PLUGIN_INFO;
  std::string file;
  for (uint32_t i = 0; i < rayo_plugin_count(runtime()); ++i) {
    check(state, rayo_plugin_get(runtime(), i, &info));
    if (std::strcmp(info.name, device()) == 0 && info.state == RAYO_PLUGIN_READY) file = info.file;
  }
  if (file.empty()) return state.SkipWithError("the plugin is not there");
  const rayo_test::Plugin plugin(file.c_str(), rayo_test::host_features());
  const rayo_test::View view = rayo_test::compact({kCount}, RAYO_F32);
  check(state, plugin.prepared("add", {view, view}, {data.a, data.b}, view, data.y, {}, 1,
                               [&](rayo_kernel_fn kernel, const rayo_call &call) {
                                 for (auto _ : state) benchmark::DoNotOptimize(kernel(&call));
                                 return RAYO_OK;
                               }));
}

// What is left when there is no kernel either: a call that the compiler cannot see through.
[[gnu::noinline]] void add_16(const float *a, const float *b, float *y) {
  for (int64_t i = 0; i < kCount; ++i) y[i] = a[i] + b[i];
}

void bare_function(benchmark::State &state) {
  Operands &data = operands();
  for (auto _ : state) {
    add_16(data.a, data.b, data.y);
    benchmark::ClobberMemory();
  }
}

void plan_run(benchmark::State &state) {
  Operands &data = operands();
  const int64_t shape[] = {kCount};
  const rayo_tensor a = rayo_tensor_make(data.a, RAYO_F32, 1, shape, nullptr);
  const rayo_tensor b = rayo_tensor_make(data.b, RAYO_F32, 1, shape, nullptr);
  const rayo_tensor y = rayo_tensor_make(data.y, RAYO_F32, 1, shape, nullptr);
  const rayo_tensor *inputs[] = {&a, &b};
  const rayo_tensor *outputs[] = {&y};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("add");
  desc.inputs = inputs;
  desc.input_count = 2;
  desc.outputs = outputs;
  desc.output_count = 1;
  rayo_plan *plan = nullptr;
  check(state, rayo_plan_create(runtime(), &desc, &plan));
  for (auto _ : state) benchmark::DoNotOptimize(rayo_plan_run(plan, inputs, outputs));
  rayo_plan_destroy(plan);
}

void eager_one_liner(benchmark::State &state) {
  Operands &data = operands();
  check(state, rayo_add_f32(runtime(), kCount, data.a, data.b, data.y));
  for (auto _ : state) benchmark::DoNotOptimize(rayo_add_f32(runtime(), kCount, data.a, data.b, data.y));
}

void eager_run(benchmark::State &state) {
  Operands &data = operands();
  const int64_t shape[] = {4, 4};
  const rayo_tensor a = rayo_tensor_make(data.a, RAYO_F32, 2, shape, nullptr);
  const rayo_tensor y = rayo_tensor_make(data.y, RAYO_F32, 2, shape, nullptr);
  const rayo_tensor *inputs[] = {&a};
  const rayo_tensor *outputs[] = {&y};
  const rayo_op op = rayo_op_find("softmax");
  const int64_t axis = 1;
  const rayo_attr attrs[] = {rayo_attr_ints("axis", &axis, 1), RAYO_ATTR_END};
  check(state, rayo_run(runtime(), op, inputs, 1, outputs, 1, attrs));
  for (auto _ : state) benchmark::DoNotOptimize(rayo_run(runtime(), op, inputs, 1, outputs, 1, attrs));
}

BENCHMARK(bare_function);
BENCHMARK(bare_kernel);
BENCHMARK(plan_run);
BENCHMARK(eager_one_liner);
BENCHMARK(eager_run)->Name("eager_softmax_4x4_with_attribute");

}  // namespace

BENCHMARK_MAIN();
