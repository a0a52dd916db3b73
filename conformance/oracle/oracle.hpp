// SPDX-License-Identifier: Apache-2.0
//
// What every op should return, from the mathematics in wider arithmetic, never from kernel code. An oracle fills, per
// output element, the exact value and the few quantities its error bound is made of (bounds.hpp). Keyed by op name.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "oracle/wide.hpp"
#include "suites/case.hpp"
#include "suites/catalogue.hpp"

namespace rayo::conform {

// A call by its meaning: logical inputs as read back from memory.
struct Problem {
  const OpInfo *op = nullptr;
  const Case *call = nullptr;  // attributes
  std::vector<Values> inputs;  // those given
  bool zero_mean = false;      // every input is zero-mean random
  bool integers = false;       // every input element is a whole number (checked, not assumed)
};

// R is double (types up to 32 bits) or wide::Quad (f64).
template <class R>
struct Element {
  R value = 0;
  double magnitude = 0;  // G = sum |a||b| of a sum; 0 = the op accumulates nothing
  double count = 0;      // n, the reduced length
  double argument = 0;   // x of an elementwise function, |x_i - m| of softmax, the normalised value of a norm
  double condition = 0;  // mean |x| / sigma of a norm; mean |x| of a variance
  double gain = 0;       // |scale| of a norm; n - correction of a variance
  double shift = 0;      // |bias| of a norm
};

struct OutputShape {
  Dtype dtype;
  Shape shape;
};

template <class R>
struct Expected {
  Dtype dtype = Dtype::f32;
  Shape shape;
  std::vector<Element<R>> elements;  // of output 0; none if the op is judged by a relation
  std::vector<OutputShape> more;     // outputs behind the first
};

template <class R>
using OracleFn = void (*)(const Problem &, Expected<R> &);

// One number that must stay below a limit: how ops are judged whose result is not unique (eigenvectors).
struct Ratio {
  std::string name;
  double value;
  double limit;
};
using RelationFn = std::vector<Ratio> (*)(const Problem &, const std::vector<Values> &outputs);

struct Oracle {
  std::string_view op;
  OracleFn<double> narrow;
  OracleFn<wide::Quad> wide;
  RelationFn relation = nullptr;
};

const Oracle *find_oracle(std::string_view op);

// One table per family; find_oracle looks through all.
std::span<const Oracle> elementwise_oracles();
std::span<const Oracle> reduce_oracles();
std::span<const Oracle> linear_oracles();
std::span<const Oracle> ternary_oracles();
std::span<const Oracle> normalise_oracles();
std::span<const Oracle> integer_oracles();
std::span<const Oracle> decomposition_oracles();

template <class R>
void run_oracle(const Oracle &oracle, const Problem &problem, Expected<R> &out) {
  if constexpr (std::is_same_v<R, double>) {
    oracle.narrow(problem, out);
  } else {
    oracle.wide(problem, out);
  }
}

// A float attribute as the op uses it: rounded to the op's type once.
double scalar_attr(const Problem &p, std::string_view name);

// Shape arithmetic shared by the families.
Shape broadcast_shapes(const Shape &a, const Shape &b);
// Row-major position in `shape` (right-aligned, extents 1 broadcast) of an index into a larger shape.
std::size_t broadcast_position(const Shape &index, const Shape &shape);
Shape normalise_axes(const std::vector<std::int64_t> &axes, std::size_t rank);  // sorted, >= 0
Shape reduced_shape(const Shape &shape, const Shape &axes, bool keepdims);

}  // namespace rayo::conform
