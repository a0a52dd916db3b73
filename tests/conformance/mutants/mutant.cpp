// SPDX-License-Identifier: Apache-2.0
//
// A plugin with add and max for f32 and at most one planted bug, chosen when it is compiled (RAYO_MUTANT). The suite
// is tested by these: every bug must be caught by the check that is meant for it, and the one without must pass.
#include <rayo/plugin.hpp>

#include <atomic>
#include <cmath>
#include <cstdint>

namespace {

enum class Bug {
  none,
  tail,
  nan_lost,
  over_read,
  over_write,
  crash_and_hang,
  unstable,
  alignment,
  zero_sign,
  input_write
};
constexpr Bug kBug = Bug::RAYO_MUTANT;

struct Add {
  static float of(float a, float b) { return a + b; }
};
struct Max {
  static float of(float a, float b) {
    if constexpr (kBug == Bug::nan_lost) return a > b ? a : b;  // a NaN on the left vanishes
    if constexpr (kBug == Bug::zero_sign) return std::fmax(a, b) == a && a == b ? a : pick(a, b);
    return pick(a, b);
  }
  static float pick(float a, float b) {
    if (a != a || b != b) return a + b;
    if (a == b) return std::signbit(a) ? b : a;
    return a > b ? a : b;
  }
};

std::atomic<unsigned> calls{0};

template <class F>
class Binary {
 public:
  explicit Binary(const rayo_op_desc &desc) : loop_({desc.inputs[0], desc.inputs[1], desc.outputs[0]}) {
    total_ = 1;
    for (int32_t d = 0; d < desc.outputs[0]->ndim; ++d) total_ *= desc.outputs[0]->shape[d];
  }

  void operator()(const rayo_call &call) const {
    misbehave();
    const auto *a = static_cast<const float *>(call.inputs[0]);
    const auto *b = static_cast<const float *>(call.inputs[1]);
    auto *y = static_cast<float *>(call.outputs[0]);
    const unsigned number = calls.fetch_add(1);
    for (uint64_t task = 0; task < loop_.tasks(); ++task) {
      loop_.run(task, [&](const auto &at, int64_t count) { line(a + at[0], b + at[1], y + at[2], count, number); });
    }
  }

 private:
  void misbehave() const {
    if constexpr (kBug == Bug::crash_and_hang) {
      if (total_ == 17) __builtin_trap();
      for (volatile bool forever = total_ == 33; forever;) {
      }
    }
  }

  void line(const float *a, const float *b, float *y, int64_t count, unsigned number) const {
    const auto &s = loop_.strides();
    const bool dense = s[0] == 1 && s[1] == 1 && s[2] == 1;
    const bool aligned = reinterpret_cast<std::uintptr_t>(a) % 16 == 0;
    for (int64_t i = 0; i < count; ++i) {
      float v = F::of(a[i * s[0]], b[i * s[1]]);
      if (kBug == Bug::tail && i >= count - count % 8 && v != 0) v = std::nextafter(v, 0.0f);
      if (kBug == Bug::unstable && number % 3 == 1 && i == 5) v = std::nextafter(v, 0.0f);
      if (kBug == Bug::alignment && dense && !aligned) v = std::nextafter(v, 0.0f);
      y[i * s[2]] = v;
    }
    if (kBug == Bug::over_read && dense && count > 0) sink_ = b[count];
    if (kBug == Bug::over_write && dense && count % 8 != 0) y[count] = 0;
    if (kBug == Bug::input_write && dense && count > 2 && y != b) const_cast<float *>(b)[1] = 0.5f;
  }

  rayo::plugin::StridedLoop<3> loop_;
  int64_t total_;
  mutable volatile float sink_ = 0;
};

template <class F>
constexpr rayo_kernel make(const char *name, const char *op) {
  return rayo::plugin::kernel<Binary<F>>({.name = name,
                                          .op = op,
                                          .types = "T=f32",
                                          .numerics = RAYO_NUMERICS_REPRODUCIBLE,
                                          .flags = RAYO_KERNEL_IN_PLACE,
                                          .layouts = RAYO_LAYOUT_STRIDED});
}

constexpr rayo_kernel kAdd = make<Add>("add_f32", "add");
constexpr rayo_kernel kMax = make<Max>("max_f32", "max");
constexpr const rayo_kernel *kKernels[] = {&kAdd, &kMax};
constexpr rayo_plugin kPlugin = rayo::plugin::plugin(
    {.name = "mutant", .vendor = "Rayo tests", .version = "0", .description = "a planted bug", .preference = 1},
    kKernels);

}  // namespace

RAYO_PLUGIN_NOTE("mutant", "Rayo tests", RAYO_TIER_HOST, 0, RAYO_THREADS_NONE, RAYO_FORK_SAFE, 0);
RAYO_PLUGIN(mutant, kPlugin)
