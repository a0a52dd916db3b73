// SPDX-License-Identifier: Apache-2.0
//
// OpenBLAS: products, matrix times vector, dot, sums of magnitudes, transposition. Linked statically with private
// symbols, and twice: openblas.so runs what OpenBLAS detects, openblas_best.so (RAYO_PEER_BEST) the best core type
// that the CPU has, because its own detection does not know every CPU. It chooses when the file is loaded.
#include <cblas-openblas.h>

#include <algorithm>
#include <string>

#include "peer.hpp"

namespace {

#ifdef RAYO_PEER_BEST
constexpr bool kBest = true;
#else
constexpr bool kBest = false;
#endif

bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0; }

// Runs before OpenBLAS's own constructor, which has no priority.
[[gnu::constructor(101)]] void choose_core_type() {
  __builtin_cpu_init();
  const std::string_view isa = isa_limit();
  unsetenv("OPENBLAS_CORETYPE");
  if (isa == "avx2") setenv("OPENBLAS_CORETYPE", "Haswell", 1);
  if (isa == "baseline") setenv("OPENBLAS_CORETYPE", "Prescott", 1);
  if (isa == "native" && kBest && has_avx512()) setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
}

int set_threads(uint32_t threads) {
  openblas_set_num_threads(static_cast<int>(threads));
  return 1;
}

void gemm(const Product &p, const float *a, const float *b, float *c) {
  cblas_sgemm(CblasRowMajor, p.trans_a ? CblasTrans : CblasNoTrans, p.trans_b ? CblasTrans : CblasNoTrans,
              static_cast<blasint>(p.m), static_cast<blasint>(p.n), static_cast<blasint>(p.k),
              static_cast<float>(p.alpha), a, static_cast<blasint>(p.trans_a ? p.m : p.k), b,
              static_cast<blasint>(p.trans_b ? p.k : p.n), static_cast<float>(p.beta), c, static_cast<blasint>(p.n));
}
void gemm(const Product &p, const double *a, const double *b, double *c) {
  cblas_dgemm(CblasRowMajor, p.trans_a ? CblasTrans : CblasNoTrans, p.trans_b ? CblasTrans : CblasNoTrans,
              static_cast<blasint>(p.m), static_cast<blasint>(p.n), static_cast<blasint>(p.k), p.alpha, a,
              static_cast<blasint>(p.trans_a ? p.m : p.k), b, static_cast<blasint>(p.trans_b ? p.k : p.n), p.beta, c,
              static_cast<blasint>(p.n));
}
void gemv(bool trans, int64_t rows, int64_t columns, const float *a, const float *x, float *y) {
  cblas_sgemv(CblasRowMajor, trans ? CblasTrans : CblasNoTrans, static_cast<blasint>(rows),
              static_cast<blasint>(columns), 1, a, static_cast<blasint>(columns), x, 1, 0, y, 1);
}
void gemv(bool trans, int64_t rows, int64_t columns, const double *a, const double *x, double *y) {
  cblas_dgemv(CblasRowMajor, trans ? CblasTrans : CblasNoTrans, static_cast<blasint>(rows),
              static_cast<blasint>(columns), 1, a, static_cast<blasint>(columns), x, 1, 0, y, 1);
}
void transpose(int64_t rows, int64_t columns, const float *a, float *b) {
  cblas_somatcopy(CblasRowMajor, CblasTrans, static_cast<blasint>(rows), static_cast<blasint>(columns), 1, a,
                  static_cast<blasint>(columns), b, static_cast<blasint>(rows));
}
void transpose(int64_t rows, int64_t columns, const double *a, double *b) {
  cblas_domatcopy(CblasRowMajor, CblasTrans, static_cast<blasint>(rows), static_cast<blasint>(columns), 1, a,
                  static_cast<blasint>(columns), b, static_cast<blasint>(rows));
}
float dot(blasint n, const float *a, const float *b) { return cblas_sdot(n, a, 1, b, 1); }
double dot(blasint n, const double *a, const double *b) { return cblas_ddot(n, a, 1, b, 1); }
float asum(blasint n, const float *a) { return cblas_sasum(n, a, 1); }
double asum(blasint n, const double *a) { return cblas_dasum(n, a, 1); }
float sum(blasint n, const float *a) { return cblas_ssum(n, a, 1); }
double sum(blasint n, const double *a) { return cblas_dsum(n, a, 1); }
float nrm2(blasint n, const float *a) { return cblas_snrm2(n, a, 1); }
double nrm2(blasint n, const double *a) { return cblas_dnrm2(n, a, 1); }

template <typename T>
Work *product(const Call &call, const Product &p) {
  const T *const a = call.data<T>(0), *const b = call.data<T>(1);
  const T *const row = p.bias_row ? call.data<T>(2) : nullptr;
  if (p.batch == 1 && !p.bias_row && p.alpha == 1 && !p.trans_a && !p.trans_b && p.n == 1) {
    return make_work([=](void *const *out) { gemv(false, p.m, p.k, a, b, static_cast<T *>(out[0])); });
  }
  if (p.batch == 1 && !p.bias_row && p.alpha == 1 && !p.trans_a && !p.trans_b && p.m == 1) {
    return make_work([=](void *const *out) { gemv(true, p.k, p.n, b, a, static_cast<T *>(out[0])); });
  }
  return make_work([=](void *const *out) {
    T *const c = static_cast<T *>(out[0]);
    if (row != nullptr) spread_row(row, c, p.m, p.n);
    for (int64_t i = 0; i < p.batch; ++i) gemm(p, a + i * p.m * p.k, b + i * p.k * p.n, c + i * p.m * p.n);
  });
}

template <typename T>
Work *prepare_typed(const Call &call) {
  Product p;
  if (read_product(call, &p)) return product<T>(call, p);
  const T *const a = call.data<T>(0);
  const auto n = static_cast<blasint>(Call::count(call.in(0)));
  if (call.is("dot")) {
    const T *const b = call.data<T>(1);
    return make_work([=](void *const *out) { *static_cast<T *>(out[0]) = dot(n, a, b); });
  }
  const DLTensor &in = call.in(0);
  if (call.is("transpose") && in.ndim == 2 && call.attr("perm") == nullptr) {
    const int64_t rows = in.shape[0], columns = in.shape[1];
    return make_work([=](void *const *out) { transpose(rows, columns, a, static_cast<T *>(out[0])); });
  }
  if (Call::count(call.out()) != 1) return nullptr;
  if (call.is("reduce_sum")) return make_work([=](void *const *out) { *static_cast<T *>(out[0]) = sum(n, a); });
  if (call.is("reduce_l1")) return make_work([=](void *const *out) { *static_cast<T *>(out[0]) = asum(n, a); });
  if (call.is("reduce_l2")) return make_work([=](void *const *out) { *static_cast<T *>(out[0]) = nrm2(n, a); });
  return nullptr;
}

Work *prepare(const Call &call) {
  if (call.all<float>()) return prepare_typed<float>(call);
  return call.all<double>() ? prepare_typed<double>(call) : nullptr;
}

const std::string &version() {
  static const std::string text = std::string(openblas_get_config());
  return text;
}

}  // namespace

// Limited to an instruction set, both would run the same code.
RAYO_PEERS(!kBest || isa_limit() == "native",
           make_peer<prepare>(kBest ? "openblas_best" : "openblas", version().c_str(), set_threads))
