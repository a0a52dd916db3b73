// SPDX-License-Identifier: Apache-2.0
//
// SLEEF's u10 functions over an array, in two variants: the ordinary ones and `finz`, which give the same bits on every
// instruction set. Functions that SLEEF does not have are composed of its own and named so: sigmoid, swish, gelu, elu.
// Compiled once per instruction set; the tail is done through a padded vector, as an application would.
#include <sleef.h>

#include <cmath>

#include "peer.hpp"

#if defined(__AVX512F__)
#define VF __m512
#define VD __m512d
#define FN(name) Sleef_##name##f16_u10avx512f
#define DN(name) Sleef_##name##d8_u10avx512f
#define FINZ_FN(name) Sleef_finz_##name##f16_u10avx512f
#define FINZ_DN(name) Sleef_finz_##name##d8_u10avx512f
constexpr const char *kIsa = "native";
#define SLEEF_SUFFIX "AVX-512"
#else
#define VF __m256
#define VD __m256d
#define FN(name) Sleef_##name##f8_u10avx2
#define DN(name) Sleef_##name##d4_u10avx2
#define FINZ_FN(name) Sleef_finz_##name##f8_u10avx2
#define FINZ_DN(name) Sleef_finz_##name##d4_u10avx2
constexpr const char *kIsa = "avx2";
#define SLEEF_SUFFIX "AVX2"
#endif

namespace {

template <typename T>
struct VectorOf;
template <>
struct VectorOf<float> {
  using Type = VF;
};
template <>
struct VectorOf<double> {
  using Type = VD;
};
template <typename T>
using Vector = typename VectorOf<T>::Type;
template <typename T>
constexpr int64_t kLanes = static_cast<int64_t>(sizeof(Vector<T>) / sizeof(T));

template <typename T>
Vector<T> load(const T *from) {
  Vector<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
template <typename T>
void store(T *to, Vector<T> v) {
  std::memcpy(to, &v, sizeof v);
}
template <typename T>
Vector<T> broadcast(T value) {
  return Vector<T>{} + value;
}

// y[i] = f(x[i]) for i < n.
template <typename T, typename F>
void map(const T *x, T *y, int64_t n, F f) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store(y + i, f(load(x + i)));
  if (i == n) return;
  T tail[kLanes<T>] = {};
  std::memcpy(tail, x + i, static_cast<size_t>(n - i) * sizeof(T));
  store(tail, f(load(tail)));
  std::memcpy(y + i, tail, static_cast<size_t>(n - i) * sizeof(T));
}

template <typename T, typename F>
Work *unary(const Call &call, F f) {
  const T *const x = call.data<T>(0);
  const int64_t n = Call::count(call.out());
  return make_work([=](void *const *out) { map(x, static_cast<T *>(out[0]), n, f); });
}

template <typename T, typename F>
Work *binary(const Call &call, F f) {
  const T *const a = call.data<T>(0), *const b = call.data<T>(1);
  const int64_t n = Call::count(call.out());
  if (!call.same_counts()) return nullptr;
  return make_work([=](void *const *out) {
    T *const y = static_cast<T *>(out[0]);
    int64_t i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) store(y + i, f(load(a + i), load(b + i)));
    if (i == n) return;
    T ta[kLanes<T>] = {}, tb[kLanes<T>] = {};
    std::memcpy(ta, a + i, static_cast<size_t>(n - i) * sizeof(T));
    std::memcpy(tb, b + i, static_cast<size_t>(n - i) * sizeof(T));
    store(ta, f(load(ta), load(tb)));
    std::memcpy(y + i, ta, static_cast<size_t>(n - i) * sizeof(T));
  });
}

// The functions of one type and variant under one set of names.
#define DEFINE_FUNCTIONS(Name, T, PICK)                \
  struct Name {                                        \
    using Real = T;                                    \
    using V = Vector<T>;                               \
    static V exp(V x) { return PICK(exp)(x); }         \
    static V log(V x) { return PICK(log)(x); }         \
    static V tanh(V x) { return PICK(tanh)(x); }       \
    static V sin(V x) { return PICK(sin)(x); }         \
    static V cos(V x) { return PICK(cos)(x); }         \
    static V erf(V x) { return PICK(erf)(x); }         \
    static V pow(V x, V y) { return PICK(pow)(x, y); } \
    static V expm1(V x) { return PICK(expm1)(x); }     \
  };
DEFINE_FUNCTIONS(OrdinaryF32, float, FN)
DEFINE_FUNCTIONS(FinzF32, float, FINZ_FN)
DEFINE_FUNCTIONS(OrdinaryF64, double, DN)
DEFINE_FUNCTIONS(FinzF64, double, FINZ_DN)

template <typename S>
Work *prepare_set(const Call &call) {
  using T = typename S::Real;
  if (call.is("exp")) return unary<T>(call, [](auto x) { return S::exp(x); });
  if (call.is("log")) return unary<T>(call, [](auto x) { return S::log(x); });
  if (call.is("tanh")) return unary<T>(call, [](auto x) { return S::tanh(x); });
  if (call.is("sin")) return unary<T>(call, [](auto x) { return S::sin(x); });
  if (call.is("cos")) return unary<T>(call, [](auto x) { return S::cos(x); });
  if (call.is("erf")) return unary<T>(call, [](auto x) { return S::erf(x); });
  if (call.is("pow")) return binary<T>(call, [](auto x, auto y) { return S::pow(x, y); });
  return nullptr;
}

template <typename S>
Work *prepare_composed_set(const Call &call) {
  using T = typename S::Real;
  const auto one = broadcast<T>(1), half = broadcast<T>(static_cast<T>(0.5));
  if (call.is("sigmoid")) return unary<T>(call, [=](auto x) { return one / (one + S::exp(-x)); });
  if (call.is("swish")) return unary<T>(call, [=](auto x) { return x / (one + S::exp(-x)); });
  if (call.is("elu")) {
    const auto alpha = broadcast<T>(static_cast<T>(call.real("alpha", 1)));
    return unary<T>(call, [=](auto x) { return x >= 0 ? x : alpha * S::expm1(x); });
  }
  if (call.is("gelu") && call.text("approximate", "none") == "none") {
    const auto scale = broadcast<T>(static_cast<T>(0.70710678118654752440));
    return unary<T>(call, [=](auto x) { return half * x * (one + S::erf(x * scale)); });
  }
  if (call.is("gelu")) {
    const auto c0 = broadcast<T>(static_cast<T>(0.79788456080286535588)), c1 = broadcast<T>(static_cast<T>(0.044715));
    return unary<T>(call, [=](auto x) { return half * x * (one + S::tanh(c0 * (x + c1 * x * x * x))); });
  }
  return nullptr;
}

Work *ordinary(const Call &call) {
  if (call.all<float>()) return prepare_set<OrdinaryF32>(call);
  return call.all<double>() ? prepare_set<OrdinaryF64>(call) : nullptr;
}
Work *finz(const Call &call) {
  if (call.all<float>()) return prepare_set<FinzF32>(call);
  return call.all<double>() ? prepare_set<FinzF64>(call) : nullptr;
}
Work *composed(const Call &call) {
  if (call.all<float>()) return prepare_composed_set<OrdinaryF32>(call);
  return call.all<double>() ? prepare_composed_set<OrdinaryF64>(call) : nullptr;
}

bool usable() {
#if defined(__AVX512F__)
  return isa_limit() == kIsa && __builtin_cpu_supports("avx512f") != 0;
#else
  // Unlimited, the AVX-512 file answers where the CPU has it.
  return __builtin_cpu_supports("avx2") != 0 &&
         (isa_limit() == kIsa || (isa_limit() == "native" && __builtin_cpu_supports("avx512f") == 0));
#endif
}

#define SLEEF_TEXT2(a) #a
#define SLEEF_TEXT(a) SLEEF_TEXT2(a)
constexpr const char *kVersion =
    "SLEEF " SLEEF_TEXT(SLEEF_VERSION_MAJOR) "." SLEEF_TEXT(SLEEF_VERSION_MINOR) " u10 " SLEEF_SUFFIX;

}  // namespace

RAYO_PEERS(usable(), make_peer<ordinary>("sleef", kVersion), make_peer<finz>("sleef_finz", kVersion),
           make_peer<composed>("sleef_composed", kVersion))
