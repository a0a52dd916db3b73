// SPDX-License-Identifier: Apache-2.0
//
// Matrix products of one of our plugins beside OpenBLAS, oneDNN, BLIS and Eigen: one process, one thread, rounds that
// interleave all contestants. Per shape: GFLOP/s, share of the measured FMA peak, and the best peer's time over ours
// (1.0 and above is ahead) with the 95% interval of its median over the rounds.
//   gemm_peers avx512|avx2 [--plugins DIR] [--shapes SHAPE,...] [--rounds N] [--ms X] [--f64] [--threads]
// SHAPE is MxNxK with optional suffixes: t (B stored transposed), T (A stored transposed), *BATCH. The instruction set
// limits the peers too: the program sets their environment variables and starts itself again, because libraries read
// them when they are loaded. --threads compares our two threads with our one instead (wall time, the runtime's pool).
#include <blis.h>
#include <cblas-openblas.h>
#include <oneapi/dnnl/dnnl.h>
#include <rayo/rayo.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <unordered_map>

#include "gemm_peers_isa.hpp"
#include "gemm_peers_shapes.hpp"
#include "plugins/tests/gemm_harness.h"

namespace {

using rayo::test::Bound;
using rayo::test::Plugin;

struct Contestant {
  std::string name;
  std::function<void()> run;
  std::vector<double> seconds{};
};

/// The thread's own processor time: everything here runs on one thread, and other processes come and go.
double seconds_now(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double time_of(const std::function<void()> &run, int repeats, clockid_t clock) {
  const double start = seconds_now(clock);
  for (int i = 0; i < repeats; ++i) run();
  return (seconds_now(clock) - start) / repeats;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v.size() % 2 == 1 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2;
}

struct Interval {
  double low, middle, high;
};
/// Median with the 95% interval by order statistics (normal approximation of the binomial ranks).
Interval interval_of(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const auto n = static_cast<double>(v.size());
  const auto rank = static_cast<int64_t>(std::floor(n / 2 - 0.98 * std::sqrt(n)));
  const auto low = static_cast<size_t>(std::max<int64_t>(rank, 0));
  return {v[low], median(v), v[v.size() - 1 - low]};
}

// ---- Peers ----------------------------------------------------------------------------------------------------------

void blas_gemm(const Product &s, const float *a, const float *b, float *c) {
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  const auto ta = s.trans_a ? CblasTrans : CblasNoTrans, tb = s.trans_b ? CblasTrans : CblasNoTrans;
  if (n == 1 && !s.trans_a) {
    cblas_sgemv(CblasRowMajor, CblasNoTrans, m, k, 1, a, k, b, 1, 0, c, 1);
  } else if (m == 1 && !s.trans_b) {
    cblas_sgemv(CblasRowMajor, CblasTrans, k, n, 1, b, n, a, 1, 0, c, 1);
  } else {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, s.trans_a ? m : k, b, s.trans_b ? k : n, 0, c, n);
  }
}
void blas_gemm(const Product &s, const double *a, const double *b, double *c) {
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  const auto ta = s.trans_a ? CblasTrans : CblasNoTrans, tb = s.trans_b ? CblasTrans : CblasNoTrans;
  if (n == 1 && !s.trans_a) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, m, k, 1, a, k, b, 1, 0, c, 1);
  } else if (m == 1 && !s.trans_b) {
    cblas_dgemv(CblasRowMajor, CblasTrans, k, n, 1, b, n, a, 1, 0, c, 1);
  } else {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, s.trans_a ? m : k, b, s.trans_b ? k : n, 0, c, n);
  }
}

void blis_gemm(const Product &s, const float *a, const float *b, float *c) {
  float one = 1, zero = 0;
  bli_sgemm(s.trans_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, s.trans_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, s.m, s.n,
            s.k, &one, const_cast<float *>(a), s.trans_a ? s.m : s.k, 1, const_cast<float *>(b), s.trans_b ? s.k : s.n,
            1, &zero, c, s.n, 1);
}
void blis_gemm(const Product &s, const double *a, const double *b, double *c) {
  double one = 1, zero = 0;
  bli_dgemm(s.trans_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, s.trans_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, s.m, s.n,
            s.k, &one, const_cast<double *>(a), s.trans_a ? s.m : s.k, 1, const_cast<double *>(b),
            s.trans_b ? s.k : s.n, 1, &zero, c, s.n, 1);
}

/// oneDNN's matmul primitive: batches in one call.
struct DnnlMatmul {
  using Tags = dnnl::memory::format_tag;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul primitive;
  std::unordered_map<int, dnnl::memory> arguments;

  DnnlMatmul(const Product &s, const float *a, const float *b, float *c) {
    const auto f32 = dnnl::memory::data_type::f32;
    const dnnl::memory::desc x({s.batch, s.m, s.k}, f32, s.trans_a ? Tags::acb : Tags::abc);
    const dnnl::memory::desc w({s.batch, s.k, s.n}, f32, s.trans_b ? Tags::acb : Tags::abc);
    const dnnl::memory::desc y({s.batch, s.m, s.n}, f32, Tags::abc);
    primitive = dnnl::matmul({{x, w, y}, engine});
    arguments = {{DNNL_ARG_SRC, {x, engine, const_cast<float *>(a)}},
                 {DNNL_ARG_WEIGHTS, {w, engine, const_cast<float *>(b)}},
                 {DNNL_ARG_DST, {y, engine, c}}};
  }
  void run() {
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

void enter_dnnl(std::vector<Contestant> &all, const Product &s, const float *a, const float *b, float *c) {
  all.push_back({"onednn", [=] {
                   for (int64_t i = 0; i < s.batch; ++i)
                     dnnl_sgemm(s.trans_a ? 'T' : 'N', s.trans_b ? 'T' : 'N', s.m, s.n, s.k, 1, a + i * s.m * s.k,
                                s.trans_a ? s.m : s.k, b + i * s.k * s.n, s.trans_b ? s.k : s.n, 0, c + i * s.m * s.n,
                                s.n);
                 }});
  auto matmul = std::make_shared<DnnlMatmul>(s, a, b, c);
  all.push_back({"onednn matmul", [matmul] { matmul->run(); }});
}
void enter_dnnl(std::vector<Contestant> &, const Product &, const double *, const double *, double *) {}

// ---- The race -------------------------------------------------------------------------------------------------------

struct Settings {
  std::string isa = "avx512", plugins;
  std::vector<Product> shapes = default_shapes();
  int rounds = 15;
  double reading = 3e-3;  // seconds of one reading
  bool f64 = false, threads = false;
};

struct Modules {
  EigenF32 *eigen_f32;
  EigenF64 *eigen_f64;
  FmaPeak *fma_peak;
  void eigen(const Product &s, const float *a, const float *b, float *c) const { eigen_f32(&s, a, b, c); }
  void eigen(const Product &s, const double *a, const double *b, double *c) const { eigen_f64(&s, a, b, c); }
};

std::string name_of(const Product &s) {
  std::string text = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
  if (s.trans_a) text += "T";
  if (s.trans_b) text += "t";
  if (s.batch > 1) text += "*" + std::to_string(s.batch);
  return text;
}

template <class T>
std::vector<T> random_numbers(int64_t n) {
  std::mt19937 random(1);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> v(static_cast<size_t>(n));
  for (T &x : v) x = uniform(random);
  return v;
}

template <class T>
constexpr DLDataType kType = sizeof(T) == 4 ? RAYO_F32 : RAYO_F64;

std::unique_ptr<Bound> bind(const Plugin &plugin, const Product &s, DLDataType type) {
  rayo::test::Layout a({s.batch, s.m, s.k}), b({s.batch, s.k, s.n});
  if (s.trans_a) a.strides = {s.m * s.k, 1, s.m};
  if (s.trans_b) b.strides = {s.k * s.n, 1, s.k};
  return std::make_unique<Bound>(plugin, "matmul", type, std::vector<rayo::test::Layout>{a, b},
                                 rayo::test::Layout({s.batch, s.m, s.n}), rayo::test::Attributes{}, 1);
}

template <class T>
double race(const Product &s, const Plugin &plugin, const Modules &modules, const Settings &settings) {
  const auto a = random_numbers<T>(s.batch * s.m * s.k), b = random_numbers<T>(s.batch * s.k * s.n);
  std::vector<T> c(static_cast<size_t>(s.batch * s.m * s.n));
  const rayo::test::ThreadExecutor one(1);
  const auto bound = bind(plugin, s, kType<T>);
  const std::vector<const void *> inputs = {a.data(), b.data()};
  std::vector<Contestant> all;
  all.push_back({"rayo", [&] { bound->run(one, inputs, c.data()); }});
  const auto each = [&](const char *name, auto fn) {
    all.push_back({name, [&, fn] {
                     for (int64_t i = 0; i < s.batch; ++i)
                       fn(a.data() + i * s.m * s.k, b.data() + i * s.k * s.n, c.data() + i * s.m * s.n);
                   }});
  };
  each("openblas", [&](const T *x, const T *w, T *y) { blas_gemm(s, x, w, y); });
  enter_dnnl(all, s, a.data(), b.data(), c.data());
  each("blis", [&](const T *x, const T *w, T *y) { blis_gemm(s, x, w, y); });
  all.push_back({"eigen", [&] { modules.eigen(s, a.data(), b.data(), c.data()); }});
  const double flops = 2.0 * static_cast<double>(s.batch * s.m * s.n) * static_cast<double>(s.k);
  all[0].run();
  const double guess = time_of(all[0].run, 1, CLOCK_THREAD_CPUTIME_ID);
  const int repeats = static_cast<int>(std::clamp(settings.reading / guess, 1.0, 100000.0));
  for (Contestant &one_of : all) one_of.run();
  // Share of the peak, against a reading of the peak beside each of ours: the clock moves with the machine's load.
  const auto steps = static_cast<int64_t>(settings.reading * 1e8);
  std::vector<double> shares;
  for (int r = 0; r < settings.rounds; ++r) {
    double peak_flops = 0;
    const double peak_time = time_of([&] { peak_flops = modules.fma_peak(steps); }, 1, CLOCK_THREAD_CPUTIME_ID);
    for (Contestant &one_of : all) one_of.seconds.push_back(time_of(one_of.run, repeats, CLOCK_THREAD_CPUTIME_ID));
    shares.push_back(flops / all[0].seconds.back() / (peak_flops / peak_time * 8 / sizeof(T)));
  }
  size_t best = 1;
  for (size_t i = 2; i < all.size(); ++i) {
    if (median(all[i].seconds) < median(all[best].seconds)) best = i;
  }
  std::vector<double> ratios;
  for (size_t r = 0; r < all[0].seconds.size(); ++r) ratios.push_back(all[best].seconds[r] / all[0].seconds[r]);
  const Interval ratio = interval_of(ratios);
  const double ours = flops / median(all[0].seconds);
  std::printf("%-18s %6.1f %3.0f%%  %.2fx [%.2f %.2f] %-14s", name_of(s).c_str(), ours * 1e-9, 100 * median(shares),
              ratio.middle, ratio.low, ratio.high, all[best].name.c_str());
  for (size_t i = 1; i < all.size(); ++i) std::printf(" %.1f", flops / median(all[i].seconds) * 1e-9);
  std::printf("\n");
  std::fflush(stdout);
  return ratio.middle;
}

/// Our two threads beside our one, on the runtime's pool: wall time.
template <class T>
double race_threads(const Product &s, const Settings &settings) {
  const auto a = random_numbers<T>(s.batch * s.m * s.k), b = random_numbers<T>(s.batch * s.k * s.n);
  std::vector<T> c(static_cast<size_t>(s.batch * s.m * s.n));
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.device = settings.isa.c_str();
  options.threads = 2;
  rayo_runtime *runtime = nullptr;
  if (rayo_runtime_create(&options, &runtime) != RAYO_OK) throw std::runtime_error("no runtime: see RAYO_PLUGIN_PATH");
  const int64_t sa[] = {s.batch, s.m, s.k}, sb[] = {s.batch, s.k, s.n}, sc[] = {s.batch, s.m, s.n};
  const rayo_tensor x = rayo_tensor_make(const_cast<T *>(a.data()), kType<T>, 3, sa, nullptr);
  const rayo_tensor w = rayo_tensor_make(const_cast<T *>(b.data()), kType<T>, 3, sb, nullptr);
  const rayo_tensor y = rayo_tensor_make(c.data(), kType<T>, 3, sc, nullptr);
  const rayo_tensor *inputs[] = {&x, &w};
  const rayo_tensor *outputs[] = {&y};
  std::vector<Contestant> all;
  std::vector<rayo_plan *> plans;
  for (uint32_t threads : {1U, 2U}) {
    rayo_run_options limits = RAYO_RUN_OPTIONS_INIT;
    limits.threads = threads;
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find("matmul");
    desc.inputs = inputs;
    desc.input_count = 2;
    desc.outputs = outputs;
    desc.output_count = 1;
    desc.options = &limits;
    rayo_plan *plan = nullptr;
    if (rayo_plan_create(runtime, &desc, &plan) != RAYO_OK) throw std::runtime_error("no plan");
    plans.push_back(plan);
    all.push_back({std::to_string(threads), [&, plan] { rayo_plan_run(plan, inputs, outputs); }});
  }
  const int repeats = static_cast<int>(std::clamp(settings.reading / time_of(all[0].run, 2, CLOCK_MONOTONIC), 1., 1e5));
  for (int r = 0; r < settings.rounds; ++r) {
    for (Contestant &one_of : all) one_of.seconds.push_back(time_of(one_of.run, repeats, CLOCK_MONOTONIC));
  }
  std::vector<double> ratios;
  for (size_t r = 0; r < all[0].seconds.size(); ++r) ratios.push_back(all[0].seconds[r] / all[1].seconds[r]);
  const Interval ratio = interval_of(ratios);
  std::printf("%-18s one %.4g ms, two %.4g ms  %.2fx [%.2f %.2f]\n", name_of(s).c_str(), median(all[0].seconds) * 1e3,
              median(all[1].seconds) * 1e3, ratio.middle, ratio.low, ratio.high);
  for (rayo_plan *plan : plans) rayo_plan_destroy(plan);
  rayo_runtime_destroy(runtime);
  return ratio.middle;
}

void *symbol(void *module, const char *name) {
  void *found = dlsym(module, name);
  if (found == nullptr) throw std::runtime_error(dlerror());
  return found;
}

void run_all(const Settings &settings) {
  const std::string file = std::string(GEMM_PEERS_MODULES) + "/gemm_peers_" + settings.isa + ".so";
  void *handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  Modules modules{};
  modules.eigen_f32 = reinterpret_cast<EigenF32 *>(symbol(handle, "gemm_peers_eigen_f32"));
  modules.eigen_f64 = reinterpret_cast<EigenF64 *>(symbol(handle, "gemm_peers_eigen_f64"));
  modules.fma_peak = reinterpret_cast<FmaPeak *>(symbol(handle, "gemm_peers_fma_peak"));
  const Plugin plugin(settings.plugins + "/" + settings.isa + ".so");
  if (!settings.threads) {
    std::printf(
        "%s %s, one thread; columns: our GFLOP/s, share of FMA peak, ratio and its interval, best peer, "
        "GFLOP/s of openblas%s blis eigen\n",
        settings.isa.c_str(), settings.f64 ? "f64" : "f32", settings.f64 ? "" : " onednn onednn-matmul");
  }
  double logs = 0;
  int below = 0;
  for (const Product &s : settings.shapes) {
    const double ratio =
        settings.threads
            ? (settings.f64 ? race_threads<double>(s, settings) : race_threads<float>(s, settings))
            : (settings.f64 ? race<double>(s, plugin, modules, settings) : race<float>(s, plugin, modules, settings));
    logs += std::log(ratio);
    below += ratio < 0.97 ? 1 : 0;
  }
  const auto count = static_cast<double>(settings.shapes.size());
  std::printf("geometric mean %.3fx, %d of %.0f rows below 0.97x\n", std::exp(logs / count), below, count);
}

/// Libraries read these when they are loaded: set them and start again. What the user set is kept.
void limit_peers(const Settings &settings, char **argv) {
  if (std::getenv("GEMM_PEERS_STARTED") != nullptr) return;
  const bool wide = settings.isa == "avx512";
  setenv("OPENBLAS_CORETYPE", wide ? "SkylakeX" : "Haswell", 0);
  setenv("DNNL_MAX_CPU_ISA", wide ? "AVX512_CORE" : "AVX2", 0);
  setenv("BLIS_ARCH_TYPE", std::to_string(wide ? BLIS_ARCH_SKX : BLIS_ARCH_HASWELL).c_str(), 0);
  for (const char *name : {"OMP_NUM_THREADS", "BLIS_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) setenv(name, "1", 0);
  setenv("GEMM_PEERS_STARTED", "1", 1);
  execv("/proc/self/exe", argv);
  throw std::runtime_error("cannot start again with the peers' settings");
}

Settings read_arguments(int argc, char **argv) {
  Settings s;
  s.plugins = GEMM_PEERS_PLUGINS;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const bool more = i + 1 < argc;
    if (arg == "avx512" || arg == "avx2") {
      s.isa = arg;
    } else if (arg == "--plugins" && more) {
      s.plugins = argv[++i];
    } else if (arg == "--shapes" && more) {
      s.shapes = parse_shapes(argv[++i]);
    } else if (arg == "--rounds" && more) {
      s.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (arg == "--ms" && more) {
      s.reading = std::atof(argv[++i]) * 1e-3;
    } else if (arg == "--f64") {
      s.f64 = true;
    } else if (arg == "--threads") {
      s.threads = true;
    } else {
      throw std::runtime_error("'" + arg + "' is not understood; legal: avx512 avx2 --plugins DIR --shapes MxNxK,... " +
                               "--rounds N --ms X --f64 --threads");
    }
  }
  return s;
}

}  // namespace

int main(int argc, char **argv) {
  try {
    const Settings settings = read_arguments(argc, argv);
    limit_peers(settings, argv);
    run_all(settings);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "gemm_peers: %s\n", e.what());
    return 1;
  }
  return 0;
}
