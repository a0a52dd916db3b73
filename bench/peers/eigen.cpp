// SPDX-License-Identifier: Apache-2.0
//
// Eigen: products, array expressions, reductions, transposition. Its instruction set is fixed by the compiler's flags,
// so there is one file for each. Without OpenMP, as most applications use it: one thread.
#include <Eigen/Dense>
#include <string>
#include <unsupported/Eigen/SpecialFunctions>

#include "peer.hpp"

namespace {

template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using In = Eigen::Map<const Matrix<T>>;
template <typename T>
using Out = Eigen::Map<Matrix<T>>;
template <typename T>
using ArrayIn = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;
template <typename T>
using ArrayOut = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;

template <typename T>
void multiply(const Product &p, const T *a, const T *b, T *c) {
  const In<T> ma(a, p.trans_a ? p.k : p.m, p.trans_a ? p.m : p.k), mb(b, p.trans_b ? p.n : p.k, p.trans_b ? p.k : p.n);
  Out<T> mc(c, p.m, p.n);
  if (!p.trans_a && !p.trans_b) mc.noalias() = ma * mb;
  if (p.trans_a && !p.trans_b) mc.noalias() = ma.transpose() * mb;
  if (!p.trans_a && p.trans_b) mc.noalias() = ma * mb.transpose();
  if (p.trans_a && p.trans_b) mc.noalias() = ma.transpose() * mb.transpose();
}

template <typename T>
Work *linear(const Call &call) {
  const T *const a = call.data<T>(0);
  Product p;
  if (read_product(call, &p)) {
    if (p.alpha != 1) return nullptr;
    const T *const b = call.data<T>(1), *const row = p.bias_row ? call.data<T>(2) : nullptr;
    return make_work([=](void *const *out) {
      T *const c = static_cast<T *>(out[0]);
      for (int64_t i = 0; i < p.batch; ++i) multiply(p, a + i * p.m * p.k, b + i * p.k * p.n, c + i * p.m * p.n);
      if (row != nullptr)
        Out<T>(c, p.m, p.n).rowwise() += Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>>(row, p.n);
    });
  }
  const DLTensor &in = call.in(0);
  if (call.is("transpose") && in.ndim == 2 && call.attr("perm") == nullptr) {
    const int64_t rows = in.shape[0], columns = in.shape[1];
    return make_work([=](void *const *out) {
      Out<T>(static_cast<T *>(out[0]), columns, rows).noalias() = In<T>(a, rows, columns).transpose();
    });
  }
  return nullptr;
}

// y = f(x) with f an array expression.
template <typename T, typename F>
Work *unary(const Call &call, F f) {
  const T *const x = call.data<T>(0);
  const int64_t n = Call::count(call.out());
  return make_work([=](void *const *out) { ArrayOut<T>(static_cast<T *>(out[0]), n) = f(ArrayIn<T>(x, n)); });
}

template <typename T>
Work *elementwise(const Call &call) {
  if (call.is("neg")) return unary<T>(call, [](const auto &x) { return -x; });
  if (call.is("abs")) return unary<T>(call, [](const auto &x) { return x.abs(); });
  if (call.is("sqrt")) return unary<T>(call, [](const auto &x) { return x.sqrt(); });
  if (call.is("rsqrt")) return unary<T>(call, [](const auto &x) { return x.rsqrt(); });
  if (call.is("exp")) return unary<T>(call, [](const auto &x) { return x.exp(); });
  if (call.is("log")) return unary<T>(call, [](const auto &x) { return x.log(); });
  if (call.is("sin")) return unary<T>(call, [](const auto &x) { return x.sin(); });
  if (call.is("cos")) return unary<T>(call, [](const auto &x) { return x.cos(); });
  if (call.is("tanh")) return unary<T>(call, [](const auto &x) { return x.tanh(); });
  if (call.is("erf")) return unary<T>(call, [](const auto &x) { return x.erf(); });
  if (call.is("sigmoid")) return unary<T>(call, [](const auto &x) { return x.logistic(); });
  if (call.is("swish")) return unary<T>(call, [](const auto &x) { return x * x.logistic(); });
  if (call.is("relu")) return unary<T>(call, [](const auto &x) { return x.cwiseMax(T{0}); });
  if (call.is("round")) return unary<T>(call, [](const auto &x) { return x.rint(); });
  if (call.is("floor")) return unary<T>(call, [](const auto &x) { return x.floor(); });
  if (call.is("ceil")) return unary<T>(call, [](const auto &x) { return x.ceil(); });
  return nullptr;
}

template <typename T, typename F>
Work *binary_with(const Call &call, F f) {
  const T *const a = call.data<T>(0), *const b = call.data<T>(1);
  const int64_t n = Call::count(call.out());
  return make_work(
      [=](void *const *out) { ArrayOut<T>(static_cast<T *>(out[0]), n) = f(ArrayIn<T>(a, n), ArrayIn<T>(b, n)); });
}

template <typename T>
Work *binary(const Call &call) {
  if (call.inputs() != 2 || !call.same_counts()) return nullptr;
  if (call.is("add")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a + b; });
  if (call.is("sub")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a - b; });
  if (call.is("mul")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a * b; });
  if (call.is("div")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a / b; });
  if (call.is("max")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a.max(b); });
  if (call.is("min")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a.min(b); });
  if (call.is("pow")) return binary_with<T>(call, [](const auto &a, const auto &b) { return a.pow(b); });
  return nullptr;
}

// f(matrix) gives one value per row, column or in all; rows x columns as the reduced axis asks.
template <typename T>
Work *reduce(const Call &call) {
  const DLTensor &in = call.in(0);
  const T *const x = call.data<T>(0);
  const rayo_attr *const axes = call.attr("axes");
  const bool all = axes == nullptr || axes->count == 0;
  if (!all && (in.ndim != 2 || axes->count != 1)) return nullptr;
  const bool by_row = !all && *static_cast<const int64_t *>(axes->data) == 1;
  const int64_t rows = all ? 1 : in.shape[0], columns = all ? Call::count(in) : in.shape[1];
  const auto with = [&](auto f) {
    return make_work([=](void *const *out) {
      const In<T> matrix(x, rows, columns);
      T *const y = static_cast<T *>(out[0]);
      if (all) {
        *y = f(ArrayIn<T>(x, columns).matrix());
      } else if (by_row) {
        ArrayOut<T>(y, rows) = f(matrix.rowwise()).array();
      } else {
        ArrayOut<T>(y, columns) = f(matrix.colwise()).transpose().array();
      }
    });
  };
  if (call.is("reduce_sum")) return with([](const auto &m) { return m.sum(); });
  if (call.is("reduce_mean")) return with([](const auto &m) { return m.mean(); });
  if (call.is("reduce_max")) return with([](const auto &m) { return m.maxCoeff(); });
  if (call.is("reduce_min")) return with([](const auto &m) { return m.minCoeff(); });
  if (call.is("reduce_l2")) return with([](const auto &m) { return m.norm(); });
  if (call.is("reduce_l1")) return with([](const auto &m) { return m.template lpNorm<1>(); });
  return nullptr;
}

template <typename T>
Work *search(const Call &call) {
  const DLTensor &in = call.in(0);
  const T *const x = call.data<T>(0);
  const int64_t axis = call.integer("axis", 0), n = Call::count(in);
  if (axis != in.ndim - 1 || (!call.is("argmax") && !call.is("argmin"))) return nullptr;
  const int64_t length = in.shape[axis], rows = n / length;
  const bool most = call.is("argmax");
  return make_work([=](void *const *out) {
    for (int64_t r = 0; r < rows; ++r) {
      const ArrayIn<T> row(x + r * length, length);
      Eigen::Index index = 0;
      if (most) {
        row.maxCoeff(&index);
      } else {
        row.minCoeff(&index);
      }
      static_cast<int64_t *>(out[0])[r] = index;
    }
  });
}

template <typename T>
Work *prepare_typed(const Call &call) {
  if (call.is("dot")) {
    const T *const a = call.data<T>(0), *const b = call.data<T>(1);
    const int64_t n = Call::count(call.in(0));
    return make_work([=](void *const *out) {
      *static_cast<T *>(out[0]) = ArrayIn<T>(a, n).matrix().dot(ArrayIn<T>(b, n).matrix());
    });
  }
  for (Work *(*const kind)(const Call &) : {linear<T>, binary<T>, elementwise<T>, reduce<T>, search<T>}) {
    if (Work *const work = kind(call)) return work;
  }
  return nullptr;
}

Work *prepare(const Call &call) {
  if (call.all<float>()) return prepare_typed<float>(call);
  return call.all<double>() ? prepare_typed<double>(call) : nullptr;
}

bool usable() {
#if defined(__AVX512F__)
  return isa_limit() == "native" && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0;
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2") != 0 &&
         (isa_limit() == "avx2" || (isa_limit() == "native" && __builtin_cpu_supports("avx512f") == 0));
#else
  return isa_limit() == "baseline";
#endif
}

const std::string &version() {
  static const std::string text = "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." +
                                  std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION) +
                                  " " + Eigen::SimdInstructionSetsInUse();
  return text;
}

}  // namespace

RAYO_PEERS(usable(), make_peer<prepare>("eigen", version().c_str()))
