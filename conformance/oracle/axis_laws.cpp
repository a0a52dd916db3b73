// SPDX-License-Identifier: Apache-2.0
//
// Laws of axes. Along some axis an op is a map (each slice of the output depends on one slice of the inputs) or it
// combines the slices by a sum or an extreme. From that alone follow permutation equivariance (or invariance) and
// split-and-concatenate (or combine). The table says which axis is which.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "oracle/laws.hpp"
#include "suites/pcg32.hpp"

namespace rayo::conform {
namespace {

constexpr int kNone = -1;

enum class Combine {
  map,      // the output has the axis
  sum,      // results of parts add up
  largest,  // the largest (smallest) of the parts' results
  smallest,
  whole,  // parts say nothing about the whole (a mean, a norm); order still does not matter
};

struct AxisRow {
  std::string_view op;
  std::array<int, 4> inputs;  // the axis in each input; kNone = the input has no such axis
  int output;                 // the axis in the output; kNone = combined
  Combine combine;
  bool exact;  // by the arithmetic contract: each output element is computed in the same order
};

// Elementwise cases are vectors; reductions, softmax and norms are planes along axis 1; products are matrices.
constexpr auto kRows = [] {
  constexpr std::array kElementwise = {"add",   "sub",   "mul",   "div",     "max",  "min",   "pow",        "fma",
                                       "where", "clip",  "neg",   "abs",     "sqrt", "rsqrt", "exp",        "log",
                                       "sin",   "cos",   "tanh",  "sigmoid", "erf",  "relu",  "leaky_relu", "elu",
                                       "gelu",  "swish", "round", "floor",   "ceil", "cast"};
  constexpr std::array kReductions = {"reduce_mean", "reduce_l2", "variance"};
  constexpr std::array kRowWise = {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_l1",  "reduce_l2",
                                   "variance",   "argmax",      "argmin",     "softmax",    "log_softmax"};
  constexpr auto kOthers = std::to_array<AxisRow>({
      {"reduce_sum", {1, kNone, kNone, kNone}, kNone, Combine::sum, false},
      {"reduce_l1", {1, kNone, kNone, kNone}, kNone, Combine::sum, false},
      {"reduce_max", {1, kNone, kNone, kNone}, kNone, Combine::largest, true},
      {"reduce_min", {1, kNone, kNone, kNone}, kNone, Combine::smallest, true},
      {"dot", {0, 0, kNone, kNone}, kNone, Combine::sum, false},
      {"softmax", {1, kNone, kNone, kNone}, 1, Combine::whole, false},
      {"log_softmax", {1, kNone, kNone, kNone}, 1, Combine::whole, false},
      {"layer_norm", {0, kNone, kNone, kNone}, 0, Combine::map, true},
      {"layer_norm", {1, 0, 0, kNone}, 1, Combine::whole, false},
      {"rms_norm", {0, kNone, kNone, kNone}, 0, Combine::map, true},
      {"rms_norm", {1, 0, kNone, kNone}, 1, Combine::whole, false},
      {"matmul", {0, kNone, kNone, kNone}, 0, Combine::map, true},
      {"matmul", {kNone, 1, kNone, kNone}, 1, Combine::map, true},
      {"matmul", {1, 0, kNone, kNone}, kNone, Combine::sum, false},
      {"gemm", {0, kNone, 0, kNone}, 0, Combine::map, true},
      {"gemm", {kNone, 1, 1, kNone}, 1, Combine::map, true},
      {"gemm", {1, 0, kNone, kNone}, kNone, Combine::whole, false},
      {"matmul_integer", {0, kNone, 0, kNone}, 0, Combine::map, true},
      {"matmul_integer", {kNone, 1, kNone, 0}, 1, Combine::map, true},
      {"matmul_integer", {1, 0, kNone, kNone}, kNone, Combine::whole, false},
      {"transpose", {0, kNone, kNone, kNone}, 1, Combine::map, true},
      {"transpose", {1, kNone, kNone, kNone}, 0, Combine::map, true},
      {"quantize_linear", {0, kNone, kNone, kNone}, 0, Combine::map, true},
      {"dequantize_linear", {0, kNone, kNone, kNone}, 0, Combine::map, true},
  });
  std::array<AxisRow, kElementwise.size() + kReductions.size() + kRowWise.size() + kOthers.size()> rows{};
  std::size_t at = 0;
  for (const char *op : kElementwise) rows[at++] = {op, {0, 0, 0, kNone}, 0, Combine::map, true};
  for (const char *op : kReductions) rows[at++] = {op, {1, kNone, kNone, kNone}, kNone, Combine::whole, false};
  for (const char *op : kRowWise) rows[at++] = {op, {0, kNone, kNone, kNone}, 0, Combine::map, true};
  for (const AxisRow &row : kOthers) rows[at++] = row;
  return rows;
}();

// Elements of `x` with `order` chosen along `axis`.
Values take(const Values &x, int axis, const std::vector<std::size_t> &order) {
  const auto d = static_cast<std::size_t>(axis);
  Values out{x.dtype, x.shape, {}};
  out.shape[d] = static_cast<std::int64_t>(order.size());
  std::size_t inner = 1;
  for (std::size_t i = d + 1; i < x.shape.size(); ++i) inner *= static_cast<std::size_t>(x.shape[i]);
  const std::size_t slab = inner * static_cast<std::size_t>(x.shape[d]);
  for (std::size_t first = 0; slab > 0 && first < x.data.size(); first += slab) {
    for (const std::size_t i : order) {
      const auto from = x.data.begin() + static_cast<std::ptrdiff_t>(first + i * inner);
      out.data.insert(out.data.end(), from, from + static_cast<std::ptrdiff_t>(inner));
    }
  }
  return out;
}

std::vector<Values> take_inputs(const LawCall &law, const AxisRow &row, const std::vector<std::size_t> &order) {
  std::vector<Values> inputs = law.inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // A scalar (a zero point, a broadcast operand) has no axis to permute.
    if (row.inputs[i] != kNone && !inputs[i].shape.empty()) inputs[i] = take(inputs[i], row.inputs[i], order);
  }
  return inputs;
}

std::size_t axis_length(const LawCall &law, const AxisRow &row) {
  for (std::size_t i = 0; i < law.inputs.size(); ++i) {
    if (row.inputs[i] == kNone || law.inputs[i].shape.empty()) continue;
    return static_cast<std::size_t>(law.inputs[i].shape[static_cast<std::size_t>(row.inputs[i])]);
  }
  return 0;
}

std::string describe(const AxisRow &row, std::string_view what) {
  const auto at = std::find_if(row.inputs.begin(), row.inputs.end(), [](int axis) { return axis != kNone; });
  return fmt::format("axis {} of input {} {}", *at, at - row.inputs.begin(), what);
}

std::vector<std::size_t> permutation(std::size_t n, std::uint64_t seed) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Pcg32 rng(seed, 41);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[rng.below(static_cast<std::uint32_t>(i))]);
  return order;
}

std::vector<std::size_t> range(std::size_t first, std::size_t end) {
  std::vector<std::size_t> order(end - first);
  std::iota(order.begin(), order.end(), first);
  return order;
}

double combined(Combine how, double a, double b) {
  if (how == Combine::sum) return a + b;
  if (std::isnan(a) || std::isnan(b)) return a + b;
  if (a == b) return (how == Combine::largest) == std::signbit(a) ? b : a;  // -0 < +0
  return (how == Combine::largest) == (a < b) ? b : a;
}

std::string permute_along(const LawCall &law, const AxisRow &row, const Answer &base) {
  const std::vector<std::size_t> order = permutation(axis_length(law, row), law.call.seed);
  const Answer other = law.same_op(take_inputs(law, row, order));
  const Values expected = row.output == kNone ? base.output : take(base.output, row.output, order);
  const Values slack{expected.dtype, base.output.shape, base.tolerance};
  const Values moved = row.output == kNone ? slack : take(slack, row.output, order);
  return compare(other.output, expected.data, add_slack(moved.data, other.tolerance), law.reproducible && row.exact,
                 describe(row, "permuted"));
}

std::string split_along(const LawCall &law, const AxisRow &row, const Answer &base) {
  const std::size_t n = axis_length(law, row);
  if (n < 5) return {};
  // Both parts keep more than one row, so that a product stays a product of matrices.
  const std::size_t cut = 2 + Pcg32(law.call.seed, 42).below(static_cast<std::uint32_t>(n - 4));
  const Answer head = law.same_op(take_inputs(law, row, range(0, cut)));
  const Answer tail = law.same_op(take_inputs(law, row, range(cut, n)));
  const std::string what = describe(row, fmt::format("split at {}", cut));
  if (row.combine != Combine::map) {
    std::vector<double> predicted(base.output.data.size());
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      predicted[i] = combined(row.combine, head.output.data[i], tail.output.data[i]);
    }
    return compare(base.output, predicted, add_slack(base.tolerance, add_slack(head.tolerance, tail.tolerance)),
                   law.reproducible && row.exact, what);
  }
  for (const bool first : {true, false}) {
    const Answer &part = first ? head : tail;
    const std::vector<std::size_t> order = first ? range(0, cut) : range(cut, n);
    const Values expected = take(base.output, row.output, order);
    const Values slack = take({base.output.dtype, base.output.shape, base.tolerance}, row.output, order);
    std::string text =
        compare(part.output, expected.data, add_slack(slack.data, part.tolerance), law.reproducible && row.exact, what);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace

std::span<const std::string_view> axis_law_ops() {
  static const std::vector<std::string_view> ops = [] {
    std::vector<std::string_view> names;
    for (const AxisRow &row : kRows) names.push_back(row.op);
    return names;
  }();
  return ops;
}

std::string check_permutation(const LawCall &law) {
  const Answer base = law.same_op(law.inputs);
  for (const AxisRow &row : kRows) {
    if (row.op != law.op.name) continue;
    std::string text = permute_along(law, row, base);
    if (!text.empty()) return text;
  }
  return {};
}

std::string check_split(const LawCall &law) {
  const Answer base = law.same_op(law.inputs);
  for (const AxisRow &row : kRows) {
    if (row.op != law.op.name || row.combine == Combine::whole) continue;
    std::string text = split_along(law, row, base);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace rayo::conform
