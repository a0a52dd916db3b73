// SPDX-License-Identifier: Apache-2.0
//
// BLIS through its typed API: products, dot, norms. Linked twice, as OpenBLAS is: blis.so runs the configuration that
// BLIS detects, blis_best.so (RAYO_PEER_BEST) the one for AVX-512, which it does not always detect.
#include <blis.h>

#include <string>

#include "peer.hpp"

namespace {

#ifdef RAYO_PEER_BEST
constexpr bool kBest = true;
#else
constexpr bool kBest = false;
#endif

void choose(arch_t configuration) {
  setenv("BLIS_ARCH_TYPE", std::to_string(static_cast<int>(configuration)).c_str(), 1);
}

void start() {
  unsetenv("BLIS_ARCH_TYPE");
  if (isa_limit() == "avx2") choose(BLIS_ARCH_HASWELL);
  if (isa_limit() == "baseline") choose(BLIS_ARCH_GENERIC);
  if (isa_limit() == "native" && kBest && __builtin_cpu_supports("avx512vl") != 0) choose(BLIS_ARCH_SKX);
  bli_init();
}

int set_threads(uint32_t threads) {
  bli_thread_set_num_threads(static_cast<dim_t>(threads));
  return 1;
}

trans_t trans(bool yes) { return yes ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE; }

void gemm(const Product &p, const float *a, const float *b, float *c) {
  float alpha = static_cast<float>(p.alpha), beta = static_cast<float>(p.beta);
  bli_sgemm(trans(p.trans_a), trans(p.trans_b), p.m, p.n, p.k, &alpha, const_cast<float *>(a), p.trans_a ? p.m : p.k, 1,
            const_cast<float *>(b), p.trans_b ? p.k : p.n, 1, &beta, c, p.n, 1);
}
void gemm(const Product &p, const double *a, const double *b, double *c) {
  double alpha = p.alpha, beta = p.beta;
  bli_dgemm(trans(p.trans_a), trans(p.trans_b), p.m, p.n, p.k, &alpha, const_cast<double *>(a), p.trans_a ? p.m : p.k,
            1, const_cast<double *>(b), p.trans_b ? p.k : p.n, 1, &beta, c, p.n, 1);
}
void gemv(bool transposed, int64_t rows, int64_t columns, const float *a, const float *x, float *y) {
  float one = 1, zero = 0;
  bli_sgemv(trans(transposed), BLIS_NO_CONJUGATE, rows, columns, &one, const_cast<float *>(a), columns, 1,
            const_cast<float *>(x), 1, &zero, y, 1);
}
void gemv(bool transposed, int64_t rows, int64_t columns, const double *a, const double *x, double *y) {
  double one = 1, zero = 0;
  bli_dgemv(trans(transposed), BLIS_NO_CONJUGATE, rows, columns, &one, const_cast<double *>(a), columns, 1,
            const_cast<double *>(x), 1, &zero, y, 1);
}
void dot(int64_t n, const float *a, const float *b, float *to) {
  bli_sdotv(BLIS_NO_CONJUGATE, BLIS_NO_CONJUGATE, n, const_cast<float *>(a), 1, const_cast<float *>(b), 1, to);
}
void dot(int64_t n, const double *a, const double *b, double *to) {
  bli_ddotv(BLIS_NO_CONJUGATE, BLIS_NO_CONJUGATE, n, const_cast<double *>(a), 1, const_cast<double *>(b), 1, to);
}
void asum(int64_t n, const float *a, float *to) { bli_sasumv(n, const_cast<float *>(a), 1, to); }
void asum(int64_t n, const double *a, double *to) { bli_dasumv(n, const_cast<double *>(a), 1, to); }
void nrm2(int64_t n, const float *a, float *to) { bli_snormfv(n, const_cast<float *>(a), 1, to); }
void nrm2(int64_t n, const double *a, double *to) { bli_dnormfv(n, const_cast<double *>(a), 1, to); }

template <typename T>
Work *prepare_typed(const Call &call) {
  Product p;
  const T *const a = call.data<T>(0);
  if (read_product(call, &p)) {
    const T *const b = call.data<T>(1), *const row = p.bias_row ? call.data<T>(2) : nullptr;
    const bool plain = p.batch == 1 && !p.bias_row && p.alpha == 1 && !p.trans_a && !p.trans_b;
    if (plain && p.n == 1) {
      return make_work([=](void *const *out) { gemv(false, p.m, p.k, a, b, static_cast<T *>(out[0])); });
    }
    if (plain && p.m == 1) {
      return make_work([=](void *const *out) { gemv(true, p.k, p.n, b, a, static_cast<T *>(out[0])); });
    }
    return make_work([=](void *const *out) {
      T *const c = static_cast<T *>(out[0]);
      if (row != nullptr) spread_row(row, c, p.m, p.n);
      for (int64_t i = 0; i < p.batch; ++i) gemm(p, a + i * p.m * p.k, b + i * p.k * p.n, c + i * p.m * p.n);
    });
  }
  const int64_t n = Call::count(call.in(0));
  if (call.is("dot")) {
    const T *const b = call.data<T>(1);
    return make_work([=](void *const *out) { dot(n, a, b, static_cast<T *>(out[0])); });
  }
  if (Call::count(call.out()) != 1) return nullptr;
  if (call.is("reduce_l1")) return make_work([=](void *const *out) { asum(n, a, static_cast<T *>(out[0])); });
  if (call.is("reduce_l2")) return make_work([=](void *const *out) { nrm2(n, a, static_cast<T *>(out[0])); });
  return nullptr;
}

Work *prepare(const Call &call) {
  if (call.all<float>()) return prepare_typed<float>(call);
  return call.all<double>() ? prepare_typed<double>(call) : nullptr;
}

const std::string &version() {
  static const std::string text = [] {
    start();
    return std::string("BLIS ") + bli_info_get_version_str() + " " + bli_arch_string(bli_arch_query_id());
  }();
  return text;
}

}  // namespace

// libgomp's threads spin for a while after a region (GOMP_SPINCOUNT's default).
// Limited to an instruction set, both would run the same code.
RAYO_PEERS(!kBest || isa_limit() == "native",
           make_peer<prepare>(kBest ? "blis_best" : "blis", version().c_str(), set_threads, 20'000))
