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
void ternary(const Problem &p, std::size_t first, std::span<Element<R>> out, const std::array<double, 3> &absent,
             const F &f) {
  const Shape shape = elementwise_output(p).shape;
  BroadcastCursor cursor(p, shape, first);
  for (Element<R> &e : out) {
    e.value = f(static_cast<R>(cursor.value(0, absent[0])), static_cast<R>(cursor.value(1, absent[1])),
                static_cast<R>(cursor.value(2, absent[2])));
    cursor.next();
  }
}

template <class R>
void fma(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  // The wide type holds the product of two values of the judged type exactly.
  ternary(p, first, out, {}, [](R a, R b, R c) { return w::add_to_odd(a * b, c); });
}

template <class R>
void where(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  ternary(p, first, out, {}, [](R condition, R x, R y) { return condition != 0 ? x : y; });
}

template <class R>
R ordered_max(R a, R b) {
  if (w::is_nan(a) || w::is_nan(b)) return a + b;
  if (a == b) return w::sign_bit(a) ? b : a;
  return a < b ? b : a;
}

template <class R>
void clip(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  ternary(p, first, out, {0, -kInf, kInf},
          [](R x, R low, R high) { return -ordered_max(R(-ordered_max(x, low)), R(-high)); });
}

using wide::Quad;
constexpr std::array kOracles = {
    by_block<fma<double>, fma<Quad>>("fma"),
    by_block<where<double>, where<Quad>>("where"),
    by_block<clip<double>, clip<Quad>>("clip"),
};

}  // namespace

std::span<const Oracle> ternary_oracles() { return kOracles; }

}  // namespace rayo::conform
