// SPDX-License-Identifier: Apache-2.0
//
// Oracles of the ops with three operands: fma (rounded to odd on the way, so that the last rounding is the only one),
// where, clip.
#include <array>

#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

namespace w = wide;

// f(values of the three operands at one index); an absent operand gives `absent`.
template <class R, class F>
void ternary(const Problem &p, Expected<R> &out, Dtype dtype, const std::array<double, 3> &absent, const F &f) {
  out.dtype = dtype;
  out.shape = {};
  for (const Values &v : p.inputs) {
    if (!is_absent(v.shape)) out.shape = broadcast_shapes(out.shape, v.shape);
  }
  const std::int64_t n = element_count(out.shape);
  out.elements.resize(static_cast<std::size_t>(n));
  if (n == 0) return;
  Shape index(out.shape.size(), 0);
  std::size_t at = 0;
  do {
    std::array<R, 3> x{};
    for (std::size_t i = 0; i < 3; ++i) {
      const bool given = i < p.inputs.size() && !is_absent(p.inputs[i].shape);
      x[i] = given ? static_cast<R>(p.inputs[i].data[broadcast_position(index, p.inputs[i].shape)])
                   : static_cast<R>(absent[i]);
    }
    out.elements[at++].value = f(x[0], x[1], x[2]);
  } while (advance(index, out.shape));
}

template <class R>
void fma(const Problem &p, Expected<R> &out) {
  // The wide type holds the product of two values of the judged type exactly.
  ternary(p, out, p.inputs[0].dtype, {}, [](R a, R b, R c) { return w::add_to_odd(a * b, c); });
}

template <class R>
void where(const Problem &p, Expected<R> &out) {
  ternary(p, out, p.inputs[1].dtype, {}, [](R condition, R x, R y) { return condition != 0 ? x : y; });
}

template <class R>
R ordered_max(R a, R b) {
  if (w::is_nan(a) || w::is_nan(b)) return a + b;
  if (a == b) return w::sign_bit(a) ? b : a;
  return a < b ? b : a;
}

template <class R>
void clip(const Problem &p, Expected<R> &out) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  ternary(p, out, p.inputs[0].dtype, {0, -kInf, kInf},
          [](R x, R low, R high) { return -ordered_max(R(-ordered_max(x, low)), R(-high)); });
}

using wide::Quad;
constexpr std::array kOracles = {
    Oracle{"fma", fma<double>, fma<Quad>},
    Oracle{"where", where<double>, where<Quad>},
    Oracle{"clip", clip<double>, clip<Quad>},
};

}  // namespace

std::span<const Oracle> ternary_oracles() { return kOracles; }

}  // namespace rayo::conform
