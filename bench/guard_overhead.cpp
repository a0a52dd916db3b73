// SPDX-License-Identifier: Apache-2.0
//
// What RAYO_VERIFY=divergence:1/1000 costs: two runtimes of one process, one with the guard and one without, take turns
// every 50 calls, so that both see the same machine. 1000 calls of each are a round, in which the guard looks at one on
// average; what is reported is the median of the rounds' ratios, and the quartiles.
#include <rayo/rayo.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kCalls = 1000;  // of a round: the period of the guard
constexpr int kTurn = 50;

[[noreturn]] void die(const char *what) {
  char text[RAYO_ERROR_TEXT] = "";
  rayo_last_error(text, sizeof text);
  std::fprintf(stderr, "guard_overhead: %s: %s\n", what, text);
  std::exit(1);
}

rayo_runtime *create(const char *verify) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.verify = verify;
  rayo_runtime *runtime = nullptr;
  if (rayo_runtime_create(&options, &runtime) != RAYO_OK) die("create");
  return runtime;
}

// A call of one op on square or flat operands, bound by a runtime. Eager calls would bind anew at each turn: a thread
// remembers one plan for equal calls.
struct Work {
  const char *name;
  const char *op;
  std::vector<int64_t> shape;
  uint32_t inputs;  // of this shape
};

class Call {
 public:
  Call(rayo_runtime *runtime, const Work &work, const float *a, float *y) : name_(work.name) {
    const auto ndim = static_cast<int32_t>(work.shape.size());
    input_ = rayo_tensor_make(const_cast<float *>(a), RAYO_F32, ndim, work.shape.data(), nullptr);
    output_ = rayo_tensor_make(y, RAYO_F32, ndim, work.shape.data(), nullptr);
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find(work.op);
    desc.inputs = in_;
    desc.input_count = work.inputs;
    desc.outputs = out_;
    desc.output_count = 1;
    if (rayo_plan_create(runtime, &desc, &plan_) != RAYO_OK) die(work.name);
  }
  ~Call() { rayo_plan_destroy(plan_); }
  Call(const Call &) = delete;
  Call &operator=(const Call &) = delete;

  double turn_ns() const {
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < kTurn; ++i) {
      if (rayo_plan_run(plan_, in_, out_) != RAYO_OK) die(name_);
    }
    return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
  }

 private:
  const char *name_;
  rayo_tensor input_{}, output_{};
  const rayo_tensor *in_[2] = {&input_, &input_};
  const rayo_tensor *out_[1] = {&output_};
  rayo_plan *plan_ = nullptr;
};

}  // namespace

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;  // of each kind of work
  const char *verify = argc > 2 ? argv[2] : "divergence:1/1000";
  if (!(seconds > 0)) {
    std::fprintf(stderr,
                 "guard_overhead: SECONDS is '%s'; legal: a number above 0 (default 5), for each kind of work\n"
                 "usage: guard_overhead [SECONDS] [VERIFY]   VERIFY as in RAYO_VERIFY; plugins: RAYO_PLUGIN_PATH\n",
                 argv[1]);
    return 2;
  }
  rayo_runtime *plain = create("off");
  rayo_runtime *guarded = create(verify);
  const Work works[] = {{"add 4096", "add", {4096}, 2},       {"add 65536", "add", {65536}, 2},
                        {"tanh 65536", "tanh", {65536}, 1},   {"softmax 64x256", "softmax", {64, 256}, 1},
                        {"matmul 64", "matmul", {64, 64}, 2}, {"matmul 128", "matmul", {128, 128}, 2}};
  std::printf("%-16s %12s %10s %10s %10s %7s\n", "work", "ns per call", "overhead", "quartile", "quartile", "rounds");
  for (const Work &work : works) {
    size_t elements = 1;
    for (const int64_t extent : work.shape) elements *= static_cast<size_t>(extent);
    const std::vector<float> a(elements, 0.5f);
    std::vector<float> y(elements);
    const Call without_guard(plain, work, a.data(), y.data());
    const Call with_guard(guarded, work, a.data(), y.data());
    std::vector<double> ratios, times;
    const Clock::time_point end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (Clock::now() < end || ratios.size() < 6) {
      double with = 0, without = 0;
      for (int turn = 0; turn < kCalls / kTurn; ++turn) {  // who goes first takes turns too
        if (turn % 2 == 0) without += without_guard.turn_ns();
        with += with_guard.turn_ns();
        if (turn % 2 != 0) without += without_guard.turn_ns();
      }
      ratios.push_back(with / without);
      times.push_back(without / kCalls);
    }
    ratios.erase(ratios.begin()), times.erase(times.begin());  // warms up
    std::sort(ratios.begin(), ratios.end());
    std::sort(times.begin(), times.end());
    const auto percent = [&](size_t share) { return (ratios[ratios.size() * share / 4] - 1) * 100; };
    std::printf("%-16s %12.0f %9.2f%% %9.2f%% %9.2f%% %7zu\n", work.name, times[times.size() / 2], percent(2),
                percent(1), percent(3), ratios.size());
  }
  rayo_runtime_destroy(guarded);
  rayo_runtime_destroy(plain);
  return 0;
}
