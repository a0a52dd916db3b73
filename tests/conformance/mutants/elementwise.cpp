// SPDX-License-Identifier: Apache-2.0
//
// add, max, relu, exp, sigmoid, round; most bugs of loops, tails, memory and layouts are planted here.
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "mutant.hpp"

namespace mutant {

float max_f32(float a, float b) {
  if (has(Bug::max_loses_nan)) return a > b ? a : b;  // a NaN on the left vanishes
  if (a != a || b != b) return a + b;
  if (a == b && has(Bug::max_zero_sign)) return b;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

namespace {

struct Core {
  float p, r, k;
};

Core core(float x) {
  const float k = std::fmaf(x, 0x1.715476p0f, 0x1.8p23f) - 0x1.8p23f;
  float r = std::fmaf(k, -0x1.62e4p-1f, x);
  r = std::fmaf(k, -0x1.7f7d1cp-20f, r);
  float q = 0x1.694ac4p-10f;
  for (const float c : {0x1.12398ep-7f, 0x1.555a28p-5f, 0x1.555492p-3f, 0x1.fffffap-2f}) q = std::fmaf(q, r, c);
  return {q, r, k};
}

// p * 2^k rounded once: both steps before the last are exact in f64.
float scaled(float p, float k) { return static_cast<float>(std::ldexp(static_cast<double>(p), static_cast<int>(k))); }

float clamped(float x) { return x < -104 ? -104.0f : x > 89 ? 89.0f : x; }

float sigmoid_f32(float x) {
  if (x != x) return x;
  if (has(Bug::sigmoid_overflows) && x > 80) return exp_f32(x) / (1 + exp_f32(x));
  const Core c = core(clamped(-x));
  const float e = scaled(1 + std::fmaf(c.r * c.r, c.p, c.r), c.k);
  return 1 / (1 + e);
}

struct Add {
  static constexpr int kInputs = 2;
  template <class T>
  static T of(const T *a, const T *b) {
    if (has(Bug::add_f64_as_f32)) return static_cast<T>(static_cast<float>(*a) + static_cast<float>(*b));
    return *a + *b;
  }
};
struct Max {
  static constexpr int kInputs = 2;
  static float of(const float *a, const float *b) { return max_f32(*a, *b); }
};
struct Relu {
  static constexpr int kInputs = 1;
  static float of(const float *x, const float *) {
    if (has(Bug::relu_negative_zero)) return *x < 0 ? 0.0f : *x;  // -0 passes
    if (*x != *x) return *x;
    return *x > 0 ? *x : 0.0f;
  }
};
struct Exp {
  static constexpr int kInputs = 1;
  static float of(const float *x, const float *) { return exp_f32(*x); }
};
struct Sigmoid {
  static constexpr int kInputs = 1;
  static float of(const float *x, const float *) { return sigmoid_f32(*x); }
};
struct Round {
  static constexpr int kInputs = 1;
  static float of(const float *x, const float *) {
    return has(Bug::round_half_away) ? std::roundf(*x) : std::nearbyintf(*x);
  }
};

// The same value by way of f64: within the bound, other bits.
template <class F, class T>
T by_another_formula(const T *a, const T *b) {
  if constexpr (std::is_same_v<F, Exp>) return static_cast<float>(std::exp(static_cast<double>(*a)));
  return F::of(a, b);
}

template <class F, class T>
class Loop {
 public:
  explicit Loop(const rayo_op_desc &desc) : loop_({view(desc, 0), view(desc, F::kInputs - 1), desc.outputs[0]}) {
    size_ = 1;
    for (int32_t d = 0; d < desc.outputs[0]->ndim; ++d) size_ *= desc.outputs[0]->shape[d];
    threads_ = loop_.tasks() > 1 ? desc.max_threads : 1;
    if (has(Bug::broadcast_middle_axis)) loop_ = wrong_middle(desc);
  }

  uint32_t threads() const { return threads_; }

  void operator()(const rayo_call &call) const {
    const Pointers p = {static_cast<const T *>(call.inputs[0]), static_cast<const T *>(call.inputs[F::kInputs - 1]),
                        static_cast<T *>(call.outputs[0])};
    if (has(Bug::crash_and_hang)) crash_or_hang();
    if (has(Bug::in_place_in_two_passes) && F::kInputs == 2 && size_ > 1) return two_passes(p);
    rayo::plugin::parallel_for(call, loop_.tasks(), [&](uint64_t task, uint32_t) {
      uint64_t at_task = task;
      if (has(Bug::long_arrays_wrap)) at_task = task * kPiece % 65536 / kPiece;  // a 16-bit index
      loop_.run(at_task, [&](const auto &at, int64_t n) { line({p.a + at[0], p.b + at[1], p.y + at[2]}, n); });
    });
    if constexpr (std::is_same_v<F, Add>) misbehave();
  }

 private:
  static constexpr uint64_t kPiece = rayo::plugin::StridedLoop<3>::kPiece;

  struct Pointers {
    const T *a;
    const T *b;
    T *y;
  };

  static const rayo_tensor_desc *view(const rayo_op_desc &desc, int input) { return desc.inputs[input]; }

  // An input that is broadcast along the second of three axes is read as if that were the first.
  static rayo::plugin::StridedLoop<3> wrong_middle(const rayo_op_desc &desc) {
    rayo_tensor_desc inputs[2] = {*view(desc, 0), *view(desc, F::kInputs - 1)};
    int64_t strides[2][RAYO_MAX_NDIM];
    for (int i = 0; i < 2; ++i) {
      for (int32_t d = 0; d < inputs[i].ndim; ++d) strides[i][d] = inputs[i].strides[d];
      if (inputs[i].ndim == 3 && strides[i][1] == 0) std::swap(strides[i][0], strides[i][1]);
      inputs[i].strides = strides[i];
    }
    return rayo::plugin::StridedLoop<3>({&inputs[0], &inputs[1], desc.outputs[0]});
  }

  void crash_or_hang() const {
    if (size_ == 17) __builtin_trap();
    while (size_ == 33) ::pause();
  }

  // Declared to be safe in place, and not: the output is written before the second input is read.
  void two_passes(const Pointers &p) const {
    for (uint64_t task = 0; task < loop_.tasks(); ++task) {
      loop_.run(task, [&](const auto &at, int64_t n) {
        const auto &s = loop_.strides();
        for (int64_t i = 0; i < n; ++i) p.y[at[2] + i * s[2]] = p.a[at[0] + i * s[0]];
        for (int64_t i = 0; i < n; ++i) {
          T *y = p.y + at[2] + i * s[2];
          *y = F::of(y, p.b + at[1] + i * s[1]);
        }
      });
    }
  }

  void line(const Pointers &p, int64_t count) const {
    auto s = loop_.strides();
    if (has(Bug::ignores_strides)) s = {s[0] == 0 ? 0 : 1, s[1] == 0 ? 0 : 1, 1};
    const bool dense = s[0] == 1 && s[1] == 1 && s[2] == 1;
    const int64_t tail = count % 8;
    const bool aligned = reinterpret_cast<std::uintptr_t>(p.a) % 16 == 0;
    const int64_t written = has(Bug::tail_off_by_one) && tail > 1 ? count - 1 : count;
    const bool forked = has(Bug::differs_in_a_forked_child) && in_a_forked_child();
    for (int64_t i = 0; i < written; ++i) {
      const T *a = p.a + i * s[0];
      const T *b = p.b + i * s[1];
      const bool other = (has(Bug::tail_by_another_formula) && i >= count - tail) ||
                         (has(Bug::depends_on_alignment) && dense && !aligned) ||
                         (has(Bug::depends_on_position) && i % 7 == 6) || forked;
      p.y[i * s[2]] = other ? by_another_formula<F>(a, b) : F::of(a, b);
    }
    if (dense && count > 0) stray(p, count, tail);
  }

  // After the first call, that is.
  static bool in_a_forked_child() {
    static const pid_t first = ::getpid();
    return ::getpid() != first;
  }

  // Touches what is not the kernel's.
  void stray(const Pointers &p, int64_t count, int64_t tail) const {
    if (has(Bug::reads_a_vector_too_far)) {
      for (int64_t i = count; tail != 0 && i < count - tail + 8; ++i) sink_ = p.b[i];
    }
    if (has(Bug::writes_past_the_end) && tail != 0) p.y[count] = 0;
    if (has(Bug::writes_before_the_start) && tail != 0) p.y[-1] = 0;
    if (has(Bug::writes_to_an_input) && count > 2 && p.y != p.b) const_cast<T *>(p.b)[1] = T(0.5);
    static std::atomic<int64_t> calls{0};
    if (has(Bug::one_call_in_fifty_differs) && ++calls % 50 == 0) p.y[count - 1] = std::nextafter(p.y[count - 1], T(0));
  }

  rayo::plugin::StridedLoop<3> loop_;
  int64_t size_;
  uint32_t threads_;
  mutable volatile T sink_ = 0;
};

constexpr uint32_t kInPlace = RAYO_KERNEL_IN_PLACE;
constexpr rayo_kernel kAdd = reproducible<Loop<Add, float>>("add_f32", "add", "T=f32", kInPlace);
constexpr rayo_kernel kAddDouble = reproducible<Loop<Add, double>>("add_f64", "add", "T=f64", kInPlace);
constexpr rayo_kernel kMax = reproducible<Loop<Max, float>>("max_f32", "max", "T=f32", kInPlace);
constexpr rayo_kernel kRelu = reproducible<Loop<Relu, float>>("relu_f32", "relu", "T=f32", kInPlace);
constexpr rayo_kernel kExp = reproducible<Loop<Exp, float>>("exp_f32", "exp", "T=f32", kInPlace);
constexpr rayo_kernel kSigmoid = reproducible<Loop<Sigmoid, float>>("sigmoid_f32", "sigmoid", "T=f32", kInPlace);
constexpr rayo_kernel kRound = reproducible<Loop<Round, float>>("round_f32", "round", "T=f32", kInPlace);
constexpr const rayo_kernel *kKernels[] = {&kAdd, &kAddDouble, &kMax, &kRelu, &kExp, &kSigmoid, &kRound};

}  // namespace

float exp_f32(float x) {
  if (x != x) return x;
  const Core c = core(clamped(x));
  const float y = scaled(std::fmaf(std::fmaf(c.p, c.r, 1.0f), c.r, 1.0f), c.k);
  return has(Bug::exp_flushes_subnormals) && y < std::numeric_limits<float>::min() ? 0.0f : y;
}

std::span<const rayo_kernel *const> elementwise_kernels() { return kKernels; }

}  // namespace mutant
