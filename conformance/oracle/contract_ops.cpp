// SPDX-License-Identifier: Apache-2.0
//
// Whole calls by the contract: which order (lanes, leading, chain) each output element of an op has.
#include <algorithm>
#include <cmath>
#include <limits>

#include "oracle/contract.hpp"

namespace rayo::conform::contract {
namespace {

template <class T>
std::vector<T> narrowed(const std::vector<double> &v) {
  std::vector<T> out(v.size());
  std::transform(v.begin(), v.end(), out.begin(), [](double x) { return static_cast<T>(x); });
  return out;
}

// Elements of input 0 grouped by the output element they are reduced into, each group in row-major order.
template <class T>
std::vector<std::vector<T>> groups(const Values &x, const Shape &axes) {
  const Shape kept = reduced_shape(x.shape, axes, true);
  std::vector<std::vector<T>> out(static_cast<std::size_t>(element_count(kept)));
  if (x.data.empty()) return out;
  Shape index(x.shape.size(), 0);
  std::size_t i = 0;
  do {
    out[broadcast_position(index, kept)].push_back(static_cast<T>(x.data[i++]));
  } while (advance(index, x.shape));
  return out;
}

// Two passes: the mean, then the squares of the distances in the order of the sum.
template <class T>
T variance(const std::vector<T> &x, bool lanes, std::int64_t correction) {
  const auto n = static_cast<std::int64_t>(x.size());
  if (n - correction <= 0) return std::numeric_limits<T>::quiet_NaN();
  const std::span<const T> elements(x);
  const T mean = (lanes ? sum(elements) : leading_sum(elements)) / static_cast<T>(n);
  std::vector<T> d;
  for (const T v : x) d.push_back(v - mean);
  return sum_squares(std::span<const T>(d), lanes) / static_cast<T>(n - correction);
}

template <class T>
T reduced(const Problem &p, const std::vector<T> &group, bool lanes) {
  const std::string &op = p.op->name;
  const std::span<const T> elements(group);
  if (op == "reduce_l1") return sum_abs(elements, lanes);
  if (op == "reduce_l2") return std::sqrt(sum_squares(elements, lanes));
  if (op == "variance") return variance(group, lanes, attr_int(*p.call, *p.op, "correction"));
  const T s = lanes ? sum(elements) : leading_sum(elements);
  return op == "reduce_mean" ? s / static_cast<T>(group.size()) : s;
}

template <class T>
std::vector<double> reduce(const Problem &p) {
  const Values &x = p.inputs[0];
  const Shape axes = normalise_axes(attr_list(*p.call, *p.op, "axes"), x.shape.size());
  const bool last = axes.empty() || axes.back() + 1 == static_cast<std::int64_t>(x.shape.size());
  std::vector<double> out;
  for (const std::vector<T> &group : groups<T>(x, axes)) out.push_back(reduced(p, group, last));
  return out;
}

template <class T>
struct Operand {
  const T *data;
  std::size_t row_step;
  std::size_t column_step;
};

// One output element per (i, j); `lanes` selects dot's order, else one chain.
template <class T>
void products(const Operand<T> &a, const Operand<T> &b, std::size_t m, std::size_t n, std::size_t k, bool lanes,
              std::vector<T> &out) {
  std::vector<T> row(k);
  std::vector<T> column(k);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t p = 0; p < k; ++p) row[p] = a.data[i * a.row_step + p * a.column_step];
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t p = 0; p < k; ++p) column[p] = b.data[p * b.row_step + j * b.column_step];
      const std::span<const T> x(row);
      const std::span<const T> y(column);
      out.push_back(lanes ? dot(x, y) : chain(x, y));
    }
  }
}

// A matrix-vector product whose matrix has k as its last logical axis is a set of dots: a single column with A as
// given, or a single row with B transposed.
bool matvec(std::size_t m, std::size_t n, bool a_transposed, bool b_transposed, bool batch_invariant) {
  if (batch_invariant) return false;
  return (n == 1 && !a_transposed) || (m == 1 && b_transposed);
}

template <class T>
std::vector<double> matmul(const Problem &p) {
  Shape a = p.inputs[0].shape;
  Shape b = p.inputs[1].shape;
  if (a.size() == 1) a.insert(a.begin(), 1);
  if (b.size() == 1) b.push_back(1);
  const auto m = static_cast<std::size_t>(a[a.size() - 2]);
  const auto k = static_cast<std::size_t>(a[a.size() - 1]);
  const auto n = static_cast<std::size_t>(b[b.size() - 1]);
  const Shape a_batch(a.begin(), a.end() - 2);
  const Shape b_batch(b.begin(), b.end() - 2);
  const Shape batch = broadcast_shapes(a_batch, b_batch);
  const std::vector<T> x = narrowed<T>(p.inputs[0].data);
  const std::vector<T> y = narrowed<T>(p.inputs[1].data);
  const bool lanes = matvec(m, n, false, false, attr_int(*p.call, *p.op, "batch_invariant") != 0);
  std::vector<T> out;
  if (element_count(batch) > 0) {
    Shape index(batch.size(), 0);
    do {
      const Operand<T> left{x.data() + broadcast_position(index, a_batch) * m * k, k, 1};
      const Operand<T> right{y.data() + broadcast_position(index, b_batch) * k * n, n, 1};
      products(left, right, m, n, k, lanes, out);
    } while (advance(index, batch));
  }
  return {out.begin(), out.end()};
}

template <class T>
std::vector<double> gemm(const Problem &p) {
  const bool ta = attr_int(*p.call, *p.op, "transA") != 0;
  const bool tb = attr_int(*p.call, *p.op, "transB") != 0;
  const T alpha = static_cast<T>(attr_real(*p.call, *p.op, "alpha"));
  const T beta = static_cast<T>(attr_real(*p.call, *p.op, "beta"));
  const Shape &a = p.inputs[0].shape;
  const Shape &b = p.inputs[1].shape;
  const auto a_columns = static_cast<std::size_t>(a[1]);
  const auto b_columns = static_cast<std::size_t>(b[1]);
  const auto m = static_cast<std::size_t>(ta ? a[1] : a[0]);
  const auto k = static_cast<std::size_t>(ta ? a[0] : a[1]);
  const auto n = static_cast<std::size_t>(tb ? b[0] : b[1]);
  const std::vector<T> x = narrowed<T>(p.inputs[0].data);
  const std::vector<T> y = narrowed<T>(p.inputs[1].data);
  const bool lanes = matvec(m, n, ta, tb, attr_int(*p.call, *p.op, "batch_invariant") != 0);
  std::vector<T> acc;
  products(Operand<T>{x.data(), ta ? 1 : a_columns, ta ? a_columns : 1},
           Operand<T>{y.data(), tb ? 1 : b_columns, tb ? b_columns : 1}, m, n, k, lanes, acc);
  const bool with_c = p.inputs.size() > 2 && beta != 0;
  std::vector<double> out;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const T t = alpha * acc[i * n + j];
      if (!with_c) {
        out.push_back(t);
        continue;
      }
      const Shape index = {static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)};
      const T c = static_cast<T>(p.inputs[2].data[broadcast_position(index, p.inputs[2].shape)]);
      out.push_back(std::fma(beta, c, t));
    }
  }
  return out;
}

template <class T>
std::optional<std::vector<double>> evaluate_as(const Problem &p) {
  const std::string &op = p.op->name;
  for (const std::string_view name : {"reduce_sum", "reduce_mean", "reduce_l1", "reduce_l2", "variance"}) {
    if (op == name) return reduce<T>(p);
  }
  if (p.op->family == "normalise") return normalise<T>(p);
  if (op == "matmul") return matmul<T>(p);
  if (op == "gemm") return gemm<T>(p);
  if (op == "dot") {
    const std::vector<T> a = narrowed<T>(p.inputs[0].data);
    const std::vector<T> b = narrowed<T>(p.inputs[1].data);
    return std::vector<double>{dot(std::span<const T>(a), std::span<const T>(b))};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<double>> evaluate(const Problem &problem) {
  switch (problem.inputs[0].dtype) {
    case Dtype::f64:
      return evaluate_as<double>(problem);
    case Dtype::f32:
      return evaluate_as<float>(problem);
    default:
      return std::nullopt;
  }
}

}  // namespace rayo::conform::contract
