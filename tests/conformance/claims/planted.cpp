// SPDX-License-Identifier: Apache-2.0
//
// A plugin that stands in for one of ours (RAYO_STAND_IN: its name) with four f32 ops and at most one planted bug
// (RAYO_PLANTED). Each bug must turn just the claim it is about into `refuted`.
#include <sys/resource.h>
#include <unistd.h>
#include <rayo/plugin.hpp>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace {

enum class Bug {
  none,
  wrong_add,   // one ULP off in the fifth element
  unstable,    // every third call is one ULP off
  lopsided,    // a + b, but not b + a, is one ULP off
  minus_zero,  // relu(-0) = -0
  over_write,  // one element past the end
  greedy,      // 100 MiB per call
  stale,       // the result depends on the call before
  forked,      // other bits in a forked child
  starved,     // other bits when a large block cannot be had
  flushing,    // subnormal results are 0
  crashing,    // SIGSEGV on 1 element
};
constexpr Bug kBug = Bug::RAYO_PLANTED;

struct Add {
  static float of(float a, float b) {
    const float y = a + b;
    if (kBug == Bug::lopsided && a > b && y != 0) return std::nextafter(y, 0.0f);
    return y;
  }
};
struct Sub {
  static float of(float a, float b) { return a - b; }
};
struct Mul {
  static float of(float a, float b) {
    const float y = a * b;
    if (kBug == Bug::flushing && std::fpclassify(y) == FP_SUBNORMAL) return std::copysign(0.0f, y);
    return y;
  }
};
struct Relu {
  static float of(float x, float) {
    if (x != x) return x;
    if (kBug == Bug::minus_zero && x == 0) return x;
    return x > 0 ? x : 0.0f;
  }
};

std::atomic<unsigned> calls{0};
std::atomic<int64_t> last_total{0};
const pid_t loaded_by = ::getpid();

// Is a block of 256 MiB to be had?
bool rich() {
  void *block = std::malloc(std::size_t{256} << 20);
  const bool got = block != nullptr;
  std::free(block);
  return got;
}

void waste() {
  constexpr std::size_t kSize = std::size_t{100} << 20;
  auto *block = static_cast<volatile char *>(std::malloc(kSize));
  for (std::size_t i = 0; block != nullptr && i < kSize; i += 4096) block[i] = 1;
  std::free(const_cast<char *>(block));
}

template <class F, int kInputs>
class Map {
 public:
  explicit Map(const rayo_op_desc &desc) : loop_({desc.inputs[0], desc.inputs[kInputs - 1], desc.outputs[0]}) {
    total_ = 1;
    for (int32_t d = 0; d < desc.outputs[0]->ndim; ++d) total_ *= desc.outputs[0]->shape[d];
  }

  void operator()(const rayo_call &call) const {
    const bool off = is_off();
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[kInputs - 1]);
    auto *y = static_cast<float *>(call.outputs[0]);
    for (uint64_t task = 0; task < loop_.tasks(); ++task) {
      loop_.run(task, [&](const auto &at, int64_t count) { line(a + at[0], b + at[1], y + at[2], count, off); });
    }
  }

 private:
  // Once per call: is its fifth element to be wrong?
  bool is_off() const {
    if (kBug == Bug::crashing && total_ == 1) __builtin_trap();
    if (kBug == Bug::greedy) waste();
    if (kBug == Bug::unstable) return calls.fetch_add(1) % 3 == 1;
    if (kBug == Bug::stale) return last_total.exchange(total_) == total_;
    if (kBug == Bug::forked) return ::getpid() != loaded_by;
    if (kBug == Bug::starved) return !rich();
    return kBug == Bug::wrong_add && std::is_same_v<F, Add>;
  }

  void line(const float *a, const float *b, float *y, int64_t count, bool off) const {
    const auto &s = loop_.strides();
    for (int64_t i = 0; i < count; ++i) {
      float v = F::of(a[i * s[0]], b[i * s[1]]);
      if (off && i == 5 && v != 0) v = std::nextafter(v, 0.0f);
      y[i * s[2]] = v;
    }
    if (kBug == Bug::over_write && s[2] == 1 && count % 8 != 0) y[count] = 0;
  }

  rayo::plugin::StridedLoop<3> loop_;
  int64_t total_;
};

template <class F, int kInputs>
constexpr rayo_kernel make(const char *name, const char *op) {
  return rayo::plugin::kernel<Map<F, kInputs>>({.name = name,
                                                .op = op,
                                                .types = "T=f32",
                                                .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                                .flags = RAYO_KERNEL_IN_PLACE,
                                                .layouts = RAYO_LAYOUT_STRIDED});
}

constexpr rayo_kernel kAdd = make<Add, 2>("add_f32", "add");
constexpr rayo_kernel kSub = make<Sub, 2>("sub_f32", "sub");
constexpr rayo_kernel kMul = make<Mul, 2>("mul_f32", "mul");
constexpr rayo_kernel kRelu = make<Relu, 1>("relu_f32", "relu");
constexpr const rayo_kernel *kKernels[] = {&kAdd, &kSub, &kMul, &kRelu};
constexpr rayo_plugin kPlugin = rayo::plugin::plugin(
    {.name = RAYO_STAND_IN, .vendor = "Rayo tests", .version = "0", .description = "a stand-in", .preference = 1},
    kKernels);

}  // namespace

RAYO_PLUGIN_NOTE(RAYO_STAND_IN, "Rayo tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);
RAYO_PLUGIN(stand_in, kPlugin)
