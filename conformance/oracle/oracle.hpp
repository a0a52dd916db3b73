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

// Elements [first, first + out.size()) of an elementwise op's output, each op's own formula at a place: so that a
// result of 2^24 elements is judged without 2^24 Elements. Writes `value` and `argument`.
template <class R>
using BlockFn = void (*)(const Problem &, std::size_t first, std::span<Element<R>> out);

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
  BlockFn<double> narrow_block = nullptr;  // elementwise ops
  BlockFn<wide::Quad> wide_block = nullptr;
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

template <class R>
BlockFn<R> block_of(const Oracle &oracle) {
  if constexpr (std::is_same_v<R, double>) {
    return oracle.narrow_block;
  } else {
    return oracle.wide_block;
  }
}

// Type and shape of an elementwise op's output.
OutputShape elementwise_output(const Problem &p);

// Walks the operands of an elementwise op along the output's elements.
class BroadcastCursor {
 public:
  BroadcastCursor(const Problem &p, const Shape &output, std::size_t first);
  // Value of operand i at the current element; `absent` for an optional one that is left out.
  double value(std::size_t i, double absent = 0) const;
  void next();

 private:
  const Problem &problem_;
  const Shape &output_;
  std::size_t at_;
  Shape index_;
  bool same_;  // every operand has the output's shape
};

// The whole output by the block function.
template <class R, BlockFn<R> Block>
void whole(const Problem &p, Expected<R> &out) {
  const OutputShape shape = elementwise_output(p);
  out.dtype = shape.dtype;
  out.shape = shape.shape;
  out.elements.resize(static_cast<std::size_t>(element_count(shape.shape)));
  if (!out.elements.empty()) Block(p, 0, out.elements);
}

template <BlockFn<double> Narrow, BlockFn<wide::Quad> Wide>
constexpr Oracle by_block(std::string_view op) {
  return {op, whole<double, Narrow>, whole<wide::Quad, Wide>, nullptr, Narrow, Wide};
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
