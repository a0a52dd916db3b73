// SPDX-License-Identifier: Apache-2.0
//
// What RAYO_VERIFY=divergence:1/1000 costs: two runtimes of one process, one with the guard and one without, take turns
// in rounds of 1000 calls, so that each round of the guarded one holds one comparison with scalar on average. Reports
// the median of the ratios of neighbouring rounds, and the quartiles.
#include <rayo/rayo.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kCalls = 1000;  // of a round: one in the period of the guard

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

struct Work {
  const char *name;
  int64_t elements;  // of each operand
  rayo_status (*run)(rayo_runtime *, const std::vector<float> &a, std::vector<float> *y);
};

rayo_status add(rayo_runtime *runtime, const std::vector<float> &a, std::vector<float> *y) {
  return rayo_add_f32(runtime, static_cast<int64_t>(a.size()), a.data(), a.data(), y->data());
}
rayo_status tanh(rayo_runtime *runtime, const std::vector<float> &a, std::vector<float> *y) {
  return rayo_tanh_f32(runtime, static_cast<int64_t>(a.size()), a.data(), y->data());
}
rayo_status softmax(rayo_runtime *runtime, const std::vector<float> &a, std::vector<float> *y) {
  return rayo_softmax_f32(runtime, static_cast<int64_t>(a.size()) / 256, 256, a.data(), y->data());
}
rayo_status matmul(rayo_runtime *runtime, const std::vector<float> &a, std::vector<float> *y) {
  const int64_t side = a.size() == 64 * 64 ? 64 : 128;
  return rayo_matmul_f32(runtime, side, side, side, a.data(), a.data(), y->data());
}

double round_ns(const Work &work, rayo_runtime *runtime, const std::vector<float> &a, std::vector<float> *y) {
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kCalls; ++i) {
    if (work.run(runtime, a, y) != RAYO_OK) die(work.name);
  }
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

}  // namespace

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;  // of each kind of work
  if (!(seconds > 0)) {
    std::fprintf(stderr,
                 "guard_overhead: SECONDS is '%s'; legal: a number above 0 (default 5), for each kind of work\n"
                 "usage: guard_overhead [SECONDS]   plugins: RAYO_PLUGIN_PATH\n",
                 argv[1]);
    return 2;
  }
  rayo_runtime *plain = create("off");
  rayo_runtime *guarded = create("divergence:1/1000");
  const Work works[] = {{"add 4096", 4096, add},     {"add 65536", 65536, add},
                        {"tanh 65536", 65536, tanh}, {"softmax 64x256", 16384, softmax},
                        {"matmul 64", 4096, matmul}, {"matmul 128", 16384, matmul}};
  std::printf("%-16s %12s %10s %10s %10s %7s\n", "work", "ns per call", "overhead", "quartile", "quartile", "rounds");
  for (const Work &work : works) {
    std::vector<float> a(static_cast<size_t>(work.elements), 0.5f), y(a.size());
    std::vector<double> ratios, times;
    round_ns(work, plain, a, &y);
    round_ns(work, guarded, a, &y);
    const Clock::time_point end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (Clock::now() < end || ratios.size() < 5) {
      const bool first = ratios.size() % 2 == 0;  // who goes first takes turns
      const double one = round_ns(work, first ? plain : guarded, a, &y);
      const double two = round_ns(work, first ? guarded : plain, a, &y);
      ratios.push_back(first ? two / one : one / two);
      times.push_back((first ? one : two) / kCalls);
    }
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
