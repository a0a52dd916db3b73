// SPDX-License-Identifier: Apache-2.0
//
// What a compiler makes of a plain loop: -O3 for the CPU that the build ran on, or for AVX2; no -ffast-math. `plain` is
// the loop as written; `plain_simd` allows reductions to be reordered by `#pragma omp simd`, which is what a programmer
// writes who wants them vectorised.
#include <algorithm>
#include <cmath>

#include "peer.hpp"

namespace {

template <typename T, typename F>
Work *unary(const Call &call, F f) {
  const T *const x = call.data<T>(0);
  const int64_t n = Call::count(call.out());
  return make_work([=](void *const *out) {
    T *__restrict const y = static_cast<T *>(out[0]);
    const T *__restrict const from = x;
    for (int64_t i = 0; i < n; ++i) y[i] = f(from[i]);
  });
}

// Operands of the output's shape, one row, one column or one element, over a plane.
template <typename T, typename F>
Work *binary(const Call &call, F f) {
  const T *const a = call.data<T>(0), *const b = call.data<T>(1);
  const DLTensor &y_tensor = call.out();
  const int64_t n = Call::count(y_tensor), nb = Call::count(call.in(1));
  if (Call::count(call.in(0)) != n) return nullptr;
  if (nb == n) {
    return make_work([=](void *const *out) {
      T *__restrict const y = static_cast<T *>(out[0]);
      for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
    });
  }
  if (nb == 1) {
    return make_work([=](void *const *out) {
      T *__restrict const y = static_cast<T *>(out[0]);
      const T value = *b;
      for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], value);
    });
  }
  const int64_t columns = y_tensor.shape[y_tensor.ndim - 1], rows = n / columns;
  const DLTensor &b_tensor = call.in(1);
  if (nb == columns && b_tensor.shape[b_tensor.ndim - 1] == columns) {
    return make_work([=](void *const *out) {
      T *__restrict const y = static_cast<T *>(out[0]);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) y[r * columns + c] = f(a[r * columns + c], b[c]);
      }
    });
  }
  if (nb != rows) return nullptr;
  return make_work([=](void *const *out) {
    T *__restrict const y = static_cast<T *>(out[0]);
    for (int64_t r = 0; r < rows; ++r) {
      const T value = b[r];
      for (int64_t c = 0; c < columns; ++c) y[r * columns + c] = f(a[r * columns + c], value);
    }
  });
}

template <typename T>
T nan_max(T a, T b) {
  return a > b || std::isnan(a) ? a : b;
}
template <typename T>
T nan_min(T a, T b) {
  return a < b || std::isnan(a) ? a : b;
}

template <typename T>
Work *elementwise(const Call &call) {
  if (call.is("add")) return binary<T>(call, [](T a, T b) { return a + b; });
  if (call.is("sub")) return binary<T>(call, [](T a, T b) { return a - b; });
  if (call.is("mul")) return binary<T>(call, [](T a, T b) { return a * b; });
  if (call.is("div")) return binary<T>(call, [](T a, T b) { return a / b; });
  if (call.is("max")) return binary<T>(call, nan_max<T>);
  if (call.is("min")) return binary<T>(call, nan_min<T>);
  if (call.is("neg")) return unary<T>(call, [](T x) { return -x; });
  if (call.is("abs")) return unary<T>(call, [](T x) { return std::fabs(x); });
  if (call.is("sqrt")) return unary<T>(call, [](T x) { return std::sqrt(x); });
  if (call.is("rsqrt")) return unary<T>(call, [](T x) { return 1 / std::sqrt(x); });
  if (call.is("relu")) return unary<T>(call, [](T x) { return x < 0 ? T{0} : x; });
  if (call.is("round")) return unary<T>(call, [](T x) { return std::nearbyint(x); });
  if (call.is("floor")) return unary<T>(call, [](T x) { return std::floor(x); });
  if (call.is("ceil")) return unary<T>(call, [](T x) { return std::ceil(x); });
  if (call.is("leaky_relu")) {
    const T alpha = static_cast<T>(call.real("alpha", 0.01));
    return unary<T>(call, [alpha](T x) { return x >= 0 ? x : alpha * x; });
  }
  if (call.is("clip") && call.inputs() == 3) {
    const T low = *call.data<T>(1), high = *call.data<T>(2);
    return unary<T>(call, [low, high](T x) { return std::min(std::max(x, low), high); });
  }
  return nullptr;
}

template <typename T>
Work *three_operands(const Call &call) {
  if (call.inputs() != 3 || !call.same_counts()) return nullptr;
  const int64_t n = Call::count(call.out());
  const T *const b = call.data<T>(1), *const c = call.data<T>(2);
  if (call.is("fma")) {
    const T *const a = call.data<T>(0);
    return make_work([=](void *const *out) {
      T *__restrict const y = static_cast<T *>(out[0]);
      for (int64_t i = 0; i < n; ++i) y[i] = std::fma(a[i], b[i], c[i]);
    });
  }
  if (!call.is("where")) return nullptr;
  const uint8_t *const condition = call.data<uint8_t>(0);
  return make_work([=](void *const *out) {
    T *__restrict const y = static_cast<T *>(out[0]);
    for (int64_t i = 0; i < n; ++i) y[i] = condition[i] != 0 ? b[i] : c[i];
  });
}

template <typename T>
Work *transposition(const Call &call) {
  const DLTensor &in = call.in(0);
  if (!call.is("transpose") || in.ndim != 2 || call.attr("perm") != nullptr) return nullptr;
  const T *const x = call.data<T>(0);
  const int64_t rows = in.shape[0], columns = in.shape[1];
  return make_work([=](void *const *out) {
    T *__restrict const y = static_cast<T *>(out[0]);
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t r = 0; r < rows; ++r) y[c * rows + r] = x[r * columns + c];
    }
  });
}

// The reduced axis inside a plane of `outer` x `length` x `inner`; everything when axes are not given.
struct Lines {
  int64_t outer = 1, length = 1, inner = 1;
};

bool read_lines(const Call &call, Lines *out) {
  const DLTensor &in = call.in(0);
  const rayo_attr *attr = call.attr("axes");
  if (attr == nullptr) attr = call.attr("axis");
  Lines lines;
  if (attr == nullptr || in.ndim == 1) {
    lines.length = Call::count(in);
  } else {
    if (attr->count != 1) return false;
    const int64_t axis = *static_cast<const int64_t *>(attr->data);
    for (int64_t i = 0; i < in.ndim; ++i) {
      (i < axis ? lines.outer : i > axis ? lines.inner : lines.length) *= in.shape[i];
    }
  }
  *out = lines;
  return true;
}

// start, step(sum, x), finish(sum, length). kSimd lets the compiler reorder the sum.
template <typename T, bool kSimd, typename Step, typename Finish>
Work *sums(const Call &call, Step step, Finish finish) {
  Lines lines;
  if (!read_lines(call, &lines)) return nullptr;
  const T *const x = call.data<T>(0);
  return make_work([=](void *const *out) {
    T *__restrict const y = static_cast<T *>(out[0]);
    for (int64_t o = 0; o < lines.outer; ++o) {
      const T *const from = x + o * lines.length * lines.inner;
      if (lines.inner == 1) {
        T sum = 0;
        if constexpr (kSimd) {
#pragma omp simd reduction(+ : sum)
          for (int64_t i = 0; i < lines.length; ++i) sum += step(from[i]);
        } else {
          for (int64_t i = 0; i < lines.length; ++i) sum += step(from[i]);
        }
        y[o] = finish(sum, lines.length);
        continue;
      }
      T *const to = y + o * lines.inner;
      std::fill_n(to, lines.inner, T{0});
      for (int64_t i = 0; i < lines.length; ++i) {
        for (int64_t c = 0; c < lines.inner; ++c) to[c] += step(from[i * lines.inner + c]);
      }
      for (int64_t c = 0; c < lines.inner; ++c) to[c] = finish(to[c], lines.length);
    }
  });
}

template <typename T, bool kSimd, bool kMax>
Work *extreme(const Call &call) {
  Lines lines;
  if (!read_lines(call, &lines) || lines.inner != 1) return nullptr;
  const T *const x = call.data<T>(0);
  return make_work([=](void *const *out) {
    T *__restrict const y = static_cast<T *>(out[0]);
    for (int64_t o = 0; o < lines.outer; ++o) {
      const T *const from = x + o * lines.length;
      T best = from[0];
      if constexpr (kSimd && kMax) {
#pragma omp simd reduction(max : best)
        for (int64_t i = 0; i < lines.length; ++i) best = from[i] > best ? from[i] : best;
      } else if constexpr (kSimd) {
#pragma omp simd reduction(min : best)
        for (int64_t i = 0; i < lines.length; ++i) best = from[i] < best ? from[i] : best;
      } else {
        for (int64_t i = 0; i < lines.length; ++i) best = kMax ? nan_max(best, from[i]) : nan_min(best, from[i]);
      }
      y[o] = best;
    }
  });
}

template <typename T, bool kMax>
Work *arg_extreme(const Call &call) {
  Lines lines;
  if (!read_lines(call, &lines) || lines.inner != 1) return nullptr;
  const T *const x = call.data<T>(0);
  return make_work([=](void *const *out) {
    for (int64_t o = 0; o < lines.outer; ++o) {
      const T *const from = x + o * lines.length;
      const T *const best =
          kMax ? std::max_element(from, from + lines.length) : std::min_element(from, from + lines.length);
      static_cast<int64_t *>(out[0])[o] = best - from;
    }
  });
}

template <typename T, bool kSimd>
Work *dot(const Call &call) {
  const T *const a = call.data<T>(0), *const b = call.data<T>(1);
  const int64_t n = Call::count(call.in(0));
  return make_work([=](void *const *out) {
    T sum = 0;
    if constexpr (kSimd) {
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    } else {
      for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    }
    *static_cast<T *>(out[0]) = sum;
  });
}

template <typename T, bool kSimd>
Work *reduction(const Call &call) {
  const auto same = [](T sum, int64_t) { return sum; };
  if (call.is("reduce_sum"))
    return sums<T, kSimd>(
        call, [](T x) { return x; }, same);
  if (call.is("reduce_mean")) {
    return sums<T, kSimd>(
        call, [](T x) { return x; }, [](T sum, int64_t n) { return sum / static_cast<T>(n); });
  }
  if (call.is("reduce_l1"))
    return sums<T, kSimd>(
        call, [](T x) { return std::fabs(x); }, same);
  if (call.is("reduce_l2")) {
    return sums<T, kSimd>(
        call, [](T x) { return x * x; }, [](T sum, int64_t) { return std::sqrt(sum); });
  }
  if (call.is("reduce_max")) return extreme<T, kSimd, true>(call);
  if (call.is("reduce_min")) return extreme<T, kSimd, false>(call);
  if (call.is("dot")) return dot<T, kSimd>(call);
  if (kSimd) return nullptr;
  if (call.is("argmax")) return arg_extreme<T, true>(call);
  return call.is("argmin") ? arg_extreme<T, false>(call) : nullptr;
}

template <typename T>
Work *prepare_typed(const Call &call) {
  Work *work = call.inputs() > 0 && call.all<T>() ? elementwise<T>(call) : nullptr;
  if (work == nullptr) work = three_operands<T>(call);
  if (work == nullptr) work = transposition<T>(call);
  return work == nullptr ? reduction<T, false>(call) : work;
}

// The type of the last input decides: the first one may be a condition.
Work *prepare(const Call &call) {
  const DLTensor &last = call.in(call.inputs() - 1);
  if (Call::is_f32(last)) return prepare_typed<float>(call);
  return Call::is_f64(last) ? prepare_typed<double>(call) : nullptr;
}

Work *prepare_simd(const Call &call) {
  if (call.all<float>()) return reduction<float, true>(call);
  return call.all<double>() ? reduction<double, true>(call) : nullptr;
}

bool usable() {
#if defined(RAYO_PEER_AVX2)
  return isa_limit() == "avx2" && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#elif defined(RAYO_PEER_BASELINE)
  return isa_limit() == "baseline";
#else
  return isa_limit() == "native";
#endif
}

constexpr const char *kVersion = "GCC " __VERSION__ " -O3 " RAYO_PEER_FLAGS;

}  // namespace

RAYO_PEERS(usable(), make_peer<prepare>("plain", kVersion), make_peer<prepare_simd>("plain_simd", kVersion))
