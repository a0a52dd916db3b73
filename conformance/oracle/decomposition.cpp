// SPDX-License-Identifier: Apache-2.0
//
// eigh is judged by what its answer must satisfy, never by its vectors: those are not unique. The ratios and their
// limits are those of LAPACK's own test suite (residual, orthogonality), in the 1-norm and in units of n eps.
#include <algorithm>
#include <array>
#include <cmath>

#include "oracle/bounds.hpp"
#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

constexpr double kResidualLimit = 60;
constexpr double kOrthogonalityLimit = 50;

template <class R>
using Matrix = std::vector<R>;  // n x n, row-major

// The symmetric matrix that the named triangle stands for.
template <class R>
Matrix<R> symmetric(const double *a, std::size_t n, bool lower) {
  Matrix<R> out(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const R v = static_cast<R>(lower ? a[i * n + j] : a[j * n + i]);
      out[i * n + j] = v;
      out[j * n + i] = v;
    }
  }
  return out;
}

template <class R>
double norm_1(const Matrix<R> &a, std::size_t n) {
  double worst = 0;
  for (std::size_t j = 0; j < n; ++j) {
    R sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += wide::fabs(a[i * n + j]);
    const auto column = static_cast<double>(sum);
    if (std::isnan(column)) return column;
    worst = std::max(worst, column);
  }
  return worst;
}

// X diag(d) X^T, all of d 1 if NULL.
template <class R>
Matrix<R> product(const double *x, const double *d, std::size_t n) {
  Matrix<R> out(n * n, R(0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < n; ++k) {
        const R term = static_cast<R>(x[i * n + k]) * static_cast<R>(x[j * n + k]);
        out[i * n + j] += d == nullptr ? term : term * static_cast<R>(d[k]);
      }
    }
  }
  return out;
}

void keep_worst(double &worst, double ratio) {
  if (!(ratio <= worst)) worst = ratio;  // NaN stays
}

template <class R>
std::vector<Ratio> ratios(const Problem &p, const std::vector<Values> &outputs) {
  const Values &a = p.inputs[0];
  const std::vector<double> &w = outputs[0].data;
  const std::vector<double> &v = outputs[1].data;
  const auto n = static_cast<std::size_t>(a.shape.back());
  const bool lower = attr_text(*p.call, *p.op, "UPLO") == "L";
  const Format format = format_of(a.dtype);
  const double unit = static_cast<double>(n) * 2 * format.unit();
  double residual = 0;
  double orthogonality = 0;
  double disorder = 0;
  for (std::size_t b = 0; n > 0 && b < a.data.size() / (n * n); ++b) {
    Matrix<R> left = symmetric<R>(a.data.data() + b * n * n, n, lower);
    const double norm = std::max(norm_1(left, n), std::ldexp(1.0, format.min_exponent));
    const Matrix<R> right = product<R>(v.data() + b * n * n, w.data() + b * n, n);
    for (std::size_t i = 0; i < n * n; ++i) left[i] -= right[i];
    keep_worst(residual, norm_1(left, n) / (norm * unit));
    Matrix<R> gram = product<R>(v.data() + b * n * n, nullptr, n);
    for (std::size_t i = 0; i < n; ++i) gram[i * n + i] -= R(1);
    keep_worst(orthogonality, norm_1(gram, n) / unit);
    for (std::size_t i = b * n; i + 1 < (b + 1) * n; ++i) disorder += w[i] >= w[i + 1] ? 0 : 1;
  }
  return {{"residual |A - V W V^T| / (n eps |A|)", residual, kResidualLimit},
          {"orthogonality |I - V V^T| / (n eps)", orthogonality, kOrthogonalityLimit},
          {"eigenvalues out of descending order", disorder, 1}};
}

std::vector<Ratio> eigh_relation(const Problem &p, const std::vector<Values> &outputs) {
  return p.inputs[0].dtype == Dtype::f64 ? ratios<wide::Quad>(p, outputs) : ratios<double>(p, outputs);
}

template <class R>
void eigh_shapes(const Problem &p, Expected<R> &out) {
  const Values &a = p.inputs[0];
  out.dtype = a.dtype;
  out.shape = Shape(a.shape.begin(), a.shape.end() - 1);
  out.more = {{a.dtype, a.shape}};
}

constexpr std::array kOracles = {Oracle{"eigh", eigh_shapes<double>, eigh_shapes<wide::Quad>, eigh_relation}};

}  // namespace

std::span<const Oracle> decomposition_oracles() { return kOracles; }

}  // namespace rayo::conform
