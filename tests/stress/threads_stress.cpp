// SPDX-License-Identifier: Apache-2.0
//
// Many threads load, run and unload at once, each with runtimes of its own and all with one that they share, while
// another one loads a plugin into the shared one and unloads it, and changes its profile: what a race would need. Every
// result is checked.
#include <rayo/profile.h>
#include <rayo/rayo.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<uint64_t> g_calls{0};
std::atomic<uint64_t> g_runtimes{0};
std::atomic<uint64_t> g_failures{0};
std::atomic<uint64_t> g_loads{0};
uint32_t g_first_loaded = 0;  // index of the first plugin that was loaded into the shared runtime

// `right` is looked at after the call that `status` is of.
template <class Right>
void check(rayo_status status, Right right, const char *what) {
  if (status == RAYO_OK && right()) return;
  char text[RAYO_ERROR_TEXT] = "wrong result";
  if (status != RAYO_OK) rayo_last_error(text, sizeof text);
  if (g_failures.fetch_add(1) < 10) std::fprintf(stderr, "threads_stress: %s: %s\n", what, text);
}

void check(rayo_status status, const char *what) {
  check(
      status, [] { return true; }, what);
}

rayo_runtime *create(uint32_t variant, const char *trace) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.threads = 1 + variant % 3;
  if (variant % 4 == 1) options.verify = "divergence:1/3,nondeterminism:1/5,nan,inf";
  if (variant % 4 == 2) options.flags |= RAYO_RUNTIME_METRICS;
  if (variant % 8 == 3) options.trace = trace;
  options.log = [](void *, int32_t, const char *) {};
  rayo_runtime *runtime = nullptr;
  check(rayo_runtime_create(&options, &runtime), "create");
  g_runtimes.fetch_add(1);
  return runtime;
}

// A plan of an op, its inputs given and its outputs inferred; null on failure.
rayo_plan *make_plan(rayo_runtime *runtime, const rayo_call_desc &desc, const char *what) {
  rayo_plan *plan = nullptr;
  check(rayo_plan_create(runtime, &desc, &plan), what);
  return plan;
}

rayo_call_desc describe(const char *op, const rayo_tensor *const *inputs, uint32_t count) {
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find(op);
  desc.inputs = inputs;
  desc.input_count = count;
  return desc;
}

// x + x by a plan that may be bound to the plugin that comes and goes: the result, or the one status for that.
void use_plan_of_the_other(rayo_runtime *runtime, const rayo_tensor *const *input, const rayo_tensor *const *outputs) {
  const rayo_tensor *inputs[] = {input[0], input[0]};
  rayo_plan *plan = make_plan(runtime, describe("add", inputs, 2), "plan of add");
  for (int i = 0; i < 3; ++i) {
    const rayo_status status = rayo_plan_run(plan, inputs, outputs);
    if (status == RAYO_PRECONDITION) break;
    check(
        status, [&] { return *static_cast<const float *>(outputs[0]->dl.data) == 4; }, "add");
  }
  rayo_plan_destroy(plan);
}

void use(rayo_runtime *runtime, uint32_t round) {
  if (runtime == nullptr) return;
  const auto n = static_cast<int64_t>(1 + round % 97);
  std::vector<float> x(static_cast<size_t>(n), 2), y(static_cast<size_t>(n));
  check(
      rayo_mul_f32(runtime, n, x.data(), x.data(), y.data()), [&] { return y[0] == 4; }, "mul");
  constexpr int64_t kSide = 144;  // large enough to be cut into tasks
  std::vector<float> a(kSide * kSide, 1), c(kSide * kSide);
  check(
      rayo_matmul_f32(runtime, kSide, kSide, kSide, a.data(), a.data(), c.data()), [&] { return c.back() == kSide; },
      "matmul");
  check(
      rayo_relu_f32(runtime, n, x.data(), x.data()), [&] { return x[0] == 2; }, "relu in place");

  const rayo_tensor in = rayo_tensor_make(x.data(), RAYO_F32, 1, &n, nullptr);
  const rayo_tensor out = rayo_tensor_make(y.data(), RAYO_F32, 1, &n, nullptr);
  const rayo_tensor *inputs[] = {&in};
  const rayo_tensor *outputs[] = {&out};
  const rayo_call_desc desc = describe("sqrt", inputs, 1);
  rayo_plan *plan = make_plan(runtime, desc, "plan of sqrt");
  check(
      rayo_plan_run(plan, inputs, outputs), [&] { return y[0] > 1.41f && y[0] < 1.42f; }, "sqrt");
  rayo_selection selection{};
  selection.struct_size = sizeof selection;
  selection.struct_type = RAYO_TYPE_SELECTION;
  check(
      rayo_plan_select(plan, &selection), [&] { return selection.threads > 0; }, "select");
  rayo_plan_destroy(plan);
  use_plan_of_the_other(runtime, inputs, outputs);
  rayo_explanation *explanation = nullptr;
  check(
      rayo_explain(runtime, &desc, &explanation), [&] { return rayo_explanation_count(explanation) > 0; }, "explain");
  rayo_explanation_destroy(explanation);
  char text[4096];
  rayo_metrics_text(runtime, text, sizeof text);
  g_calls.fetch_add(5);
}

// What changes in the shared runtime, while it is used.
void change(rayo_runtime *runtime, const char *plugin, const char *profile, uint32_t round) {
  uint32_t index = 0;
  check(
      rayo_plugin_load(runtime, plugin, &index), [&] { return index == round + g_first_loaded; }, "plugin load");
  check(rayo_runtime_load_profile(runtime, round % 2 == 0 ? "none" : profile), "profile load");
  use(runtime, round);
  check(rayo_plugin_unload(runtime, "chaos"), "plugin unload");
  g_loads.fetch_add(1);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: threads_stress SECONDS CHAOS_PLUGIN [PROFILE]   plugins: RAYO_PLUGIN_PATH\n");
    return 2;
  }
  const std::chrono::duration<double> limit(std::atof(argv[1]));
  const char *plugin = argv[2];
  const char *profile = argc > 3 ? argv[3] : nullptr;
  constexpr int threads = 8;
  char trace[] = "/tmp/rayo_stress_XXXXXX";
  const int file = mkstemp(trace);
  if (file < 0) return 2;
  rayo_runtime *shared = create(0, trace);
  const auto end = std::chrono::steady_clock::now() + limit;
  g_first_loaded = rayo_plugin_count(shared);
  std::vector<std::thread> all;
  all.emplace_back([&] {
    for (uint32_t round = 0; std::chrono::steady_clock::now() < end; ++round) change(shared, plugin, profile, round);
  });
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      for (uint32_t round = 0; std::chrono::steady_clock::now() < end; ++round) {
        rayo_runtime *own = create(static_cast<uint32_t>(t) + round, trace);
        for (uint32_t i = 0; i < 3; ++i) use(own, round + i);
        use(shared, round);
        rayo_runtime_destroy(own);
      }
    });
  }
  for (std::thread &thread : all) thread.join();
  rayo_runtime_destroy(shared);
  std::remove(trace);
  std::printf(
      "threads_stress: %d threads, %.0f s: %llu runtimes, %llu calls, %llu plugins loaded and unloaded, "
      "%llu failures\n",
      threads, limit.count(), static_cast<unsigned long long>(g_runtimes), static_cast<unsigned long long>(g_calls),
      static_cast<unsigned long long>(g_loads), static_cast<unsigned long long>(g_failures));
  return g_failures == 0 && g_loads > 0 ? 0 : 1;
}
