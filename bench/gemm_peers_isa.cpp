// SPDX-License-Identifier: Apache-2.0
//
// What gemm_peers needs compiled for one instruction set: Eigen, which fixes its instructions when it is compiled, and
// the peak of fused multiply-adds. Built as a loadable module per instruction set; two in one program would share
// Eigen's templates.
#include "gemm_peers_isa.hpp"

#include <Eigen/Core>
#include <type_traits>

namespace {

template <class T>
void multiply(const Product &s, const T *a, const T *b, T *c) {
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
  for (int64_t i = 0; i < s.batch; ++i) {
    Eigen::Map<Rows> y(c + i * s.m * s.n, s.m, s.n);
    const T *x = a + i * s.m * s.k;
    const T *z = b + i * s.k * s.n;
    const Eigen::Map<const Rows> left(x, s.m, s.k), right(z, s.k, s.n);
    const Eigen::Map<const Columns> left_t(x, s.m, s.k), right_t(z, s.k, s.n);
    if (s.trans_a && s.trans_b) {
      y.noalias() = left_t * right_t;
    } else if (s.trans_a) {
      y.noalias() = left_t * right;
    } else if (s.trans_b) {
      y.noalias() = left * right_t;
    } else if (s.n == 1) {
      Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(c + i * s.m, s.m).noalias() =
          left * Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(z, s.k);
    } else {
      y.noalias() = left * right;
    }
  }
}

}  // namespace

extern "C" {

void gemm_peers_eigen_f32(const Product *s, const float *a, const float *b, float *c) { multiply(*s, a, b, c); }
void gemm_peers_eigen_f64(const Product *s, const double *a, const double *b, double *c) { multiply(*s, a, b, c); }

/// Twelve independent chains cover two ports of latency 4 to 5 and leave registers on every instruction set. A vector
/// type of the compiler's, so that nothing stands between the loop and its instructions.
double gemm_peers_fma_peak(int64_t steps) {
  constexpr int kChains = 12, kLanes = EIGEN_MAX_STATIC_ALIGN_BYTES / sizeof(double);
  using V [[gnu::vector_size(EIGEN_MAX_STATIC_ALIGN_BYTES)]] = double;
  V a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{}, i{}, j{}, k{}, l{};
  // Full mantissas that change at every step: the clock depends on how many bits flip, and the contestants' data are
  // random too.
  const V x = a - 0.99999237060546875, y = a + 0.78539816339744831;
  double seed = 3.0;
  for (V *v : {&a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k, &l}) {
    for (int lane = 0; lane < kLanes; ++lane) (*v)[lane] = 1.0 / ++seed;
  }
  for (int64_t p = 0; p < steps; ++p) {
    for (V *v : {&a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k, &l}) *v = *v * x + y;
    asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f));
    asm volatile("" : "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k), "+x"(l));
  }
  volatile double keep = (a + b + c + d + e + f + g + h + i + j + k + l)[0];
  (void)keep;
  return 2.0 * kChains * kLanes * static_cast<double>(steps);
}

}  // extern "C"
