// SPDX-License-Identifier: Apache-2.0
//
// Oracles of the elementwise ops: one formula each, in forms that do not cancel (gelu by erfc, sigmoid by the sign of
// its argument), so that the wide result is right to far below the judged type's ULP.
#include <array>

#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

namespace w = wide;

struct Add {
  template <class R>
  R operator()(R a, R b) const {
    return a + b;
  }
};
struct Sub {
  template <class R>
  R operator()(R a, R b) const {
    return a - b;
  }
};
struct Mul {
  template <class R>
  R operator()(R a, R b) const {
    return a * b;
  }
};
struct Div {
  template <class R>
  R operator()(R a, R b) const {
    return a / b;
  }
};
struct Max {
  template <class R>
  R operator()(R a, R b) const {
    if (w::is_nan(a) || w::is_nan(b)) return a + b;
    if (a == b) return w::sign_bit(a) ? b : a;
    return a < b ? b : a;
  }
};
struct Min {
  template <class R>
  R operator()(R a, R b) const {
    if (w::is_nan(a) || w::is_nan(b)) return a + b;
    if (a == b) return w::sign_bit(a) ? a : b;
    return a < b ? a : b;
  }
};

// C99's pow: 1 for x^0 and 1^y, NaN or not.
struct Pow {
  template <class R>
  R operator()(R a, R b) const {
    return w::pow(a, b);
  }
};

struct Neg {
  template <class R>
  R operator()(R x) const {
    return -x;
  }
};
struct Abs {
  template <class R>
  R operator()(R x) const {
    return w::fabs(x);
  }
};
struct Sqrt {
  template <class R>
  R operator()(R x) const {
    return w::sqrt(x);
  }
};
struct Rsqrt {
  template <class R>
  R operator()(R x) const {
    return 1 / w::sqrt(x);
  }
};
struct Exp {
  template <class R>
  R operator()(R x) const {
    return w::exp(x);
  }
};
struct Log {
  template <class R>
  R operator()(R x) const {
    return w::log(x);
  }
};
struct Sin {
  template <class R>
  R operator()(R x) const {
    return w::sin(x);
  }
};
struct Cos {
  template <class R>
  R operator()(R x) const {
    return w::cos(x);
  }
};
struct Erf {
  template <class R>
  R operator()(R x) const {
    return w::erf(x);
  }
};
struct Round {
  template <class R>
  R operator()(R x) const {
    return w::rint(x);
  }
};
struct Floor {
  template <class R>
  R operator()(R x) const {
    return w::floor(x);
  }
};
struct Ceil {
  template <class R>
  R operator()(R x) const {
    return w::ceil(x);
  }
};
struct Tanh {
  template <class R>
  R operator()(R x) const {
    return w::tanh(x);
  }
};
struct Sigmoid {
  template <class R>
  R operator()(R x) const {
    if (x >= 0) return 1 / (1 + w::exp(-x));
    const R e = w::exp(x);  // also the branch of NaN
    return e / (1 + e);
  }
};
struct Relu {
  template <class R>
  R operator()(R x) const {
    return Max{}(x, R(0));
  }
};
// x Phi(x); the limit at -inf is 0 although the formula reads -inf * 0.
struct GeluExact {
  template <class R>
  R operator()(R x) const {
    if (w::is_inf(x)) return x > 0 ? x : R(0);
    return x / 2 * w::erfc(-x * w::half_sqrt2<R>());
  }
};
// x/2 (1 + tanh z) = x / (1 + e^-2z).
struct GeluTanh {
  template <class R>
  R operator()(R x) const {
    if (w::is_inf(x)) return x > 0 ? x : R(0);
    // The op's constant is the decimal 0.044715; double holds it to 2^-57, below what an f32 result can show.
    const R z = w::sqrt2_over_pi<R>() * (x + R(44715) / 1000000 * x * x * x);
    return x * Sigmoid{}(2 * z);
  }
};
struct Swish {
  template <class R>
  R operator()(R x) const {
    if (w::is_inf(x)) return x > 0 ? x : R(0);
    return x * Sigmoid{}(x);
  }
};

// A slope below 0: x itself from 0 on, -0 included.
struct LeakyRelu {
  template <class R>
  R operator()(R x, R alpha) const {
    return x >= 0 ? x : alpha * x;
  }
};
struct Elu {
  template <class R>
  R operator()(R x, R alpha) const {
    return x >= 0 ? x : alpha * w::expm1(x);
  }
};

template <class R>
void set(Element<R> &e, R value, double argument) {
  e.value = value;
  e.argument = argument;
}

template <class F, class R>
void with_alpha(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  const R alpha = static_cast<R>(scalar_attr(p, "alpha"));
  const double *x = p.inputs[0].data.data() + first;
  for (std::size_t i = 0; i < out.size(); ++i) set(out[i], F{}(static_cast<R>(x[i]), alpha), x[i]);
}

template <class F, class R>
void unary(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  const double *x = p.inputs[0].data.data() + first;
  for (std::size_t i = 0; i < out.size(); ++i) set(out[i], F{}(static_cast<R>(x[i])), x[i]);
}

template <class R>
void gelu(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  if (attr_text(*p.call, *p.op, "approximate") == "tanh") {
    unary<GeluTanh, R>(p, first, out);
  } else {
    unary<GeluExact, R>(p, first, out);
  }
}

template <class F, class R>
void binary(const Problem &p, std::size_t first, std::span<Element<R>> out) {
  const Shape shape = elementwise_output(p).shape;
  BroadcastCursor cursor(p, shape, first);
  for (Element<R> &e : out) {
    e.value = F{}(static_cast<R>(cursor.value(0)), static_cast<R>(cursor.value(1)));
    cursor.next();
  }
}

template <class F>
constexpr Oracle unary_oracle(std::string_view op) {
  return by_block<unary<F, double>, unary<F, wide::Quad>>(op);
}
template <class F>
constexpr Oracle alpha_oracle(std::string_view op) {
  return by_block<with_alpha<F, double>, with_alpha<F, wide::Quad>>(op);
}
template <class F>
constexpr Oracle binary_oracle(std::string_view op) {
  return by_block<binary<F, double>, binary<F, wide::Quad>>(op);
}

constexpr std::array kOracles = {
    binary_oracle<Add>("add"),
    binary_oracle<Sub>("sub"),
    binary_oracle<Mul>("mul"),
    binary_oracle<Div>("div"),
    binary_oracle<Max>("max"),
    binary_oracle<Min>("min"),
    binary_oracle<Pow>("pow"),
    unary_oracle<Neg>("neg"),
    unary_oracle<Abs>("abs"),
    unary_oracle<Sqrt>("sqrt"),
    unary_oracle<Rsqrt>("rsqrt"),
    unary_oracle<Exp>("exp"),
    unary_oracle<Log>("log"),
    unary_oracle<Sin>("sin"),
    unary_oracle<Cos>("cos"),
    unary_oracle<Tanh>("tanh"),
    unary_oracle<Sigmoid>("sigmoid"),
    unary_oracle<Erf>("erf"),
    unary_oracle<Relu>("relu"),
    unary_oracle<Swish>("swish"),
    unary_oracle<Round>("round"),
    unary_oracle<Floor>("floor"),
    unary_oracle<Ceil>("ceil"),
    by_block<gelu<double>, gelu<wide::Quad>>("gelu"),
    alpha_oracle<LeakyRelu>("leaky_relu"),
    alpha_oracle<Elu>("elu"),
};

}  // namespace

std::span<const Oracle> elementwise_oracles() { return kOracles; }

}  // namespace rayo::conform
