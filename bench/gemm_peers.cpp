// SPDX-License-Identifier: Apache-2.0
//
// Matrix products of our plugins beside oneDNN and OpenBLAS: one process, one thread, rounds that interleave all
// contestants, medians. Prints GFLOP/s and the ratio of the best peer's time to ours (1.0 and above is ahead).
//   gemm_peers PLUGIN.so... [--shapes MxNxK,...] [--rounds N] [--f64]
// Comparable numbers need a quiet machine; ratios within a run hold up better than absolute numbers.
#include <cblas-openblas.h>
#include <oneapi/dnnl/dnnl.h>
#include <tests/gemm_harness.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <random>

namespace {

using rayo::test::Bound;
using rayo::test::Plugin;

struct Shape {
  int64_t m, n, k;
};

struct Contestant {
  std::string name;
  std::function<void()> run;
  std::vector<double> seconds{};
};

/// The thread's own processor time: everything here runs on one thread, and other processes come and go.
double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double time_of(const std::function<void()> &run, int repeats) {
  const double start = thread_seconds();
  for (int i = 0; i < repeats; ++i) run();
  return (thread_seconds() - start) / repeats;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

void product(const Shape &s, const float *a, const float *b, float *c, bool blas) {
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  if (blas && n == 1) {
    cblas_sgemv(CblasRowMajor, CblasNoTrans, m, k, 1.0F, a, k, b, 1, 0.0F, c, 1);
  } else if (blas) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0F, a, k, b, n, 0.0F, c, n);
  } else {
    dnnl_sgemm('N', 'N', s.m, s.n, s.k, 1.0F, a, s.k, b, s.n, 0.0F, c, s.n);
  }
}
void product(const Shape &s, const double *a, const double *b, double *c, bool) {
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  if (n == 1) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, m, k, 1.0, a, k, b, 1, 0.0, c, 1);
    return;
  }
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0, a, k, b, n, 0.0, c, n);
}

template <class T>
void race(const Shape &s, const std::vector<std::unique_ptr<Plugin>> &plugins, int rounds) {
  std::mt19937 random(1);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> a(static_cast<size_t>(s.m * s.k)), b(static_cast<size_t>(s.k * s.n)),
      c(static_cast<size_t>(s.m * s.n));
  for (T &x : a) x = uniform(random);
  for (T &x : b) x = uniform(random);
  const rayo::test::ThreadExecutor one(1);
  std::vector<std::unique_ptr<Bound>> bound;
  std::vector<Contestant> all;
  const auto enter = [&](const Plugin &plugin, const char *suffix, const rayo::test::Attributes &attributes) {
    bound.push_back(std::make_unique<Bound>(plugin, "matmul", sizeof(T) == 4 ? RAYO_F32 : RAYO_F64,
                                            std::vector<rayo::test::Layout>{{{s.m, s.k}}, {{s.k, s.n}}},
                                            rayo::test::Layout{{s.m, s.n}}, attributes, 1));
    const Bound *op = bound.back().get();
    all.push_back({plugin.name() + suffix, [&, op] { op->run(one, {a.data(), b.data()}, c.data()); }});
  };
  for (const auto &plugin : plugins) {
    enter(*plugin, "", {});
    // Matrix times vector: the same by one chain per element, what batch_invariant costs.
    if (s.n == 1) enter(*plugin, " chain", {.batch_invariant = 1});
  }
  const size_t ours = all.size();
  if (sizeof(T) == 4) all.push_back({"onednn", [&] { product(s, a.data(), b.data(), c.data(), false); }});
  all.push_back({"openblas", [&] { product(s, a.data(), b.data(), c.data(), true); }});
  const double flops = 2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
  const int repeats = static_cast<int>(std::clamp(4e8 / flops, 1.0, 20000.0));  // some ms per reading
  for (Contestant &one_of : all) one_of.run();
  for (int r = 0; r < rounds; ++r) {
    for (Contestant &one_of : all) one_of.seconds.push_back(time_of(one_of.run, repeats));
  }
  std::printf("%5ldx%ldx%ld %s", s.m, s.n, s.k, sizeof(T) == 4 ? "f32" : "f64");
  double best_peer = 1e30;
  for (size_t i = ours; i < all.size(); ++i) best_peer = std::min(best_peer, median(all[i].seconds));
  for (size_t i = 0; i < all.size(); ++i) {
    const double t = median(all[i].seconds);
    std::printf("  %s %.1f", all[i].name.c_str(), flops / t * 1e-9);
    if (i < ours) std::printf(" (%.2fx)", best_peer / t);
  }
  std::printf("\n");
  std::fflush(stdout);
}

std::vector<Shape> parse_shapes(const char *text) {
  std::vector<Shape> shapes;
  Shape s{};
  for (int used = 0; std::sscanf(text, "%ldx%ldx%ld%n", &s.m, &s.n, &s.k, &used) == 3; text += used) {
    shapes.push_back(s);
    if (text[used] == ',') ++used;
  }
  return shapes;
}

}  // namespace

int main(int argc, char **argv) {
  std::vector<Shape> shapes;
  for (int64_t n : {64, 128, 256, 511, 512, 1024, 2048}) shapes.push_back({n, n, n});
  std::vector<std::unique_ptr<Plugin>> plugins;
  int rounds = 9;
  bool f64 = false;
  try {
    for (int i = 1; i < argc; ++i) {
      const std::string arg = argv[i];
      if (arg == "--shapes" && i + 1 < argc) {
        shapes = parse_shapes(argv[++i]);
      } else if (arg == "--rounds" && i + 1 < argc) {
        rounds = std::max(1, std::atoi(argv[++i]));
      } else if (arg == "--f64") {
        f64 = true;
      } else {
        plugins.push_back(std::make_unique<Plugin>(arg));
      }
    }
  } catch (const std::exception &e) {
    std::fprintf(stderr, "gemm_peers: %s\n", e.what());
    return 1;
  }
  if (plugins.empty() || shapes.empty()) {
    std::fprintf(stderr, "usage: gemm_peers PLUGIN.so... [--shapes MxNxK,...] [--rounds N] [--f64]\n");
    return 2;
  }
  openblas_set_num_threads(1);
  for (const Shape &s : shapes) {
    if (f64) {
      race<double>(s, plugins, rounds);
    } else {
      race<float>(s, plugins, rounds);
    }
  }
  return 0;
}
