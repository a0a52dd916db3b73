// SPDX-License-Identifier: Apache-2.0
//
// How far from the oracle a result may lie, per op and numerics class: plugin-api/ops/bounds.def as a table. `ours` is
// what a kernel of class reproducible must reach, `strict` what policy accurate accepts from a vendor,
// `relaxed` must be declared by the kernel.
#pragma once

#include <string_view>

#include "oracle/oracle.hpp"

namespace rayo::conform {

enum class Grade { ours, strict, relaxed };

// Formulas: plugin-api/ops/bounds.def.
enum class BoundKind {
  exact,
  ulp,
  sigmoid,
  gelu,
  softmax,
  log_softmax,
  layer_norm,
  rms_norm,
  accumulate,
  root,
  variance,
};

struct Bound {
  std::string_view op;
  BoundKind kind;
  double ours;
  double strict;
  double relaxed;
  double per_argument = 0;  // relaxed only
};

const Bound *find_bound(std::string_view op);
double grade_factor(const Bound &bound, Grade grade);

// Constants of a judged type.
struct Format {
  int digits;           // p: 24, 53
  int min_exponent;     // of the smallest normal: -126, -1022
  int max_exponent;     // of the largest: 127, 1023
  double unit() const;  // u = 2^-p
  double min_subnormal() const;
};
Format format_of(Dtype dtype);

// ULP of the type at |value| (at least the smallest subnormal); for values beyond the range, that of the largest.
template <class R>
R ulp_at(const Format &format, R value);

// Largest distance from element.value that is right, or 0: the bits of the rounded value and nothing else.
template <class R>
R tolerance(const Bound &bound, Grade grade, const Problem &problem, const Format &format, const Element<R> &element);

}  // namespace rayo::conform
