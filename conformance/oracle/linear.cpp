// SPDX-License-Identifier: Apache-2.0
//
// Oracles of matmul, gemm and transpose: the textbook sums in the wide type.
#include <array>

#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

// One matrix inside an operand: element (row, column) is data[base + row * row_step + column * column_step].
struct Matrix {
  const double *data;
  std::size_t base;
  std::size_t row_step;
  std::size_t column_step;
  double at(std::size_t r, std::size_t c) const { return data[base + r * row_step + c * column_step]; }
};

template <class R>
Element<R> product_element(const Matrix &a, const Matrix &b, std::size_t i, std::size_t j, std::size_t k) {
  Element<R> e;
  for (std::size_t p = 0; p < k; ++p) {
    const double x = a.at(i, p);
    const double y = b.at(p, j);
    e.value += static_cast<R>(x) * static_cast<R>(y);
    e.magnitude += std::fabs(x * y);
  }
  e.count = static_cast<double>(k);
  return e;
}

// numpy.matmul: a 1-D operand becomes a row (left) or column (right) that the result drops again; leading axes
// broadcast.
template <class R>
void matmul(const Problem &p, Expected<R> &out) {
  Shape a = p.inputs[0].shape;
  Shape b = p.inputs[1].shape;
  const bool row_vector = a.size() == 1;
  const bool column_vector = b.size() == 1;
  if (row_vector) a.insert(a.begin(), 1);
  if (column_vector) b.push_back(1);
  const auto m = static_cast<std::size_t>(a[a.size() - 2]);
  const auto k = static_cast<std::size_t>(a[a.size() - 1]);
  const auto n = static_cast<std::size_t>(b[b.size() - 1]);
  const Shape a_batch(a.begin(), a.end() - 2);
  const Shape b_batch(b.begin(), b.end() - 2);
  const Shape batch = broadcast_shapes(a_batch, b_batch);
  out.dtype = p.inputs[0].dtype;
  out.shape = batch;
  if (!row_vector) out.shape.push_back(static_cast<std::int64_t>(m));
  if (!column_vector) out.shape.push_back(static_cast<std::int64_t>(n));
  out.elements.resize(static_cast<std::size_t>(element_count(batch)) * m * n);
  if (out.elements.empty()) return;
  Shape index(batch.size(), 0);
  std::size_t at = 0;
  do {
    const Matrix x{p.inputs[0].data.data(), broadcast_position(index, a_batch) * m * k, k, 1};
    const Matrix y{p.inputs[1].data.data(), broadcast_position(index, b_batch) * k * n, n, 1};
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) out.elements[at++] = product_element<R>(x, y, i, j, k);
    }
  } while (advance(index, batch));
}

template <class R>
void gemm(const Problem &p, Expected<R> &out) {
  const bool ta = attr_int(*p.call, *p.op, "transA") != 0;
  const bool tb = attr_int(*p.call, *p.op, "transB") != 0;
  // Scalars of the call are rounded to the op's type before they are used.
  const bool narrow = p.inputs[0].dtype == Dtype::f32;
  const auto rounded = [narrow](double v) { return narrow ? static_cast<double>(static_cast<float>(v)) : v; };
  const double alpha = rounded(attr_real(*p.call, *p.op, "alpha"));
  const double beta = rounded(attr_real(*p.call, *p.op, "beta"));
  const auto rows = static_cast<std::size_t>(p.inputs[0].shape[0]);
  const auto columns = static_cast<std::size_t>(p.inputs[0].shape[1]);
  const auto b_rows = static_cast<std::size_t>(p.inputs[1].shape[0]);
  const auto b_columns = static_cast<std::size_t>(p.inputs[1].shape[1]);
  const std::size_t m = ta ? columns : rows;
  const std::size_t k = ta ? rows : columns;
  const std::size_t n = tb ? b_rows : b_columns;
  const Matrix a{p.inputs[0].data.data(), 0, ta ? 1 : columns, ta ? columns : 1};
  const Matrix b{p.inputs[1].data.data(), 0, tb ? 1 : b_columns, tb ? b_columns : 1};
  const bool with_c = p.inputs.size() > 2 && beta != 0;  // beta = 0 never reads C
  out.dtype = p.inputs[0].dtype;
  out.shape = {static_cast<std::int64_t>(m), static_cast<std::int64_t>(n)};
  out.elements.reserve(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      Element<R> e = product_element<R>(a, b, i, j, k);
      e.value *= static_cast<R>(alpha);
      e.magnitude *= std::fabs(alpha);
      e.count += 1;  // the product with alpha rounds once more
      if (with_c) {
        const Shape index = {static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)};
        const double c = p.inputs[2].data[broadcast_position(index, p.inputs[2].shape)];
        e.value += static_cast<R>(beta) * static_cast<R>(c);
        e.magnitude += std::fabs(beta * c);
        e.count += 1;
      }
      out.elements.push_back(e);
    }
  }
}

template <class R>
void transpose(const Problem &p, Expected<R> &out) {
  const Values &x = p.inputs[0];
  const std::size_t rank = x.shape.size();
  std::vector<std::int64_t> perm = attr_list(*p.call, *p.op, "perm");
  if (perm.empty()) {
    for (std::size_t d = rank; d-- > 0;) perm.push_back(static_cast<std::int64_t>(d));
  }
  for (std::int64_t &axis : perm) axis += axis < 0 ? static_cast<std::int64_t>(rank) : 0;
  out.dtype = x.dtype;
  out.shape.clear();
  for (const std::int64_t axis : perm) out.shape.push_back(x.shape[static_cast<std::size_t>(axis)]);
  if (x.data.empty()) return;
  Shape index(rank, 0);
  Shape source(rank, 0);
  do {
    for (std::size_t d = 0; d < rank; ++d) source[static_cast<std::size_t>(perm[d])] = index[d];
    Element<R> e;
    e.value = static_cast<R>(x.data[broadcast_position(source, x.shape)]);
    out.elements.push_back(e);
  } while (advance(index, out.shape));
}

using wide::Quad;
constexpr std::array kOracles = {
    Oracle{"matmul", matmul<double>, matmul<Quad>},
    Oracle{"gemm", gemm<double>, gemm<Quad>},
    Oracle{"transpose", transpose<double>, transpose<Quad>},
};

}  // namespace

std::span<const Oracle> linear_oracles() { return kOracles; }

}  // namespace rayo::conform
