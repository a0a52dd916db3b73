// SPDX-License-Identifier: Apache-2.0
#include "oracle/laws.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace rayo::conform {
namespace {

// ---- commute: f(a, b, ...) = f(b, a, ...) ---------------------------------------------------------------------------

constexpr std::array<std::string_view, 6> kCommutative = {"add", "mul", "max", "min", "fma", "dot"};

std::string check_commute(const LawCall &law) {
  const Answer base = law.same_op(law.inputs);
  std::vector<Values> swapped = law.inputs;
  std::swap(swapped[0], swapped[1]);
  const Answer other = law.same_op(std::move(swapped));
  // Product and sum of two numbers are symmetric, fused or not, and so is every order built of them.
  return compare(base.output, other.output.data, add_slack(base.tolerance, other.tolerance), law.reproducible,
                 "operands swapped");
}

// ---- transpose: (A B)^T = B^T A^T
// ------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 3> kProducts = {"matmul", "gemm", "matmul_integer"};

Values transposed(const Values &x) {
  Values out{x.dtype, {x.shape[1], x.shape[0]}, std::vector<double>(x.data.size())};
  const auto rows = static_cast<std::size_t>(x.shape[0]);
  const auto columns = static_cast<std::size_t>(x.shape[1]);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) out.data[j * rows + i] = x.data[i * columns + j];
  }
  return out;
}

std::string flipped(const LawCall &law, std::string_view attr) {
  return attr_int(law.call, law.op, attr) != 0 ? "0" : "1";
}

// gemm gives B and A as they lie in memory and asks for the other transpositions; the other two transpose the data.
Question transposed_question(const LawCall &law) {
  Question q{law.op.name, law.call.attrs, {}};
  if (law.op.name == "gemm") {
    std::erase_if(q.attrs, [](const auto &attr) { return attr.first == "transA" || attr.first == "transB"; });
    q.attrs.emplace_back("transA", flipped(law, "transB"));
    q.attrs.emplace_back("transB", flipped(law, "transA"));
    q.inputs = {law.inputs[1], law.inputs[0]};
    if (law.inputs.size() > 2) q.inputs.push_back(transposed(law.inputs[2]));
    return q;
  }
  q.inputs = {transposed(law.inputs[1]), transposed(law.inputs[0])};
  if (law.inputs.size() == 4) q.inputs.insert(q.inputs.end(), {law.inputs[3], law.inputs[2]});
  return q;
}

std::string check_transpose(const LawCall &law) {
  const Answer base = law.same_op(law.inputs);
  const Answer other = law.ask(transposed_question(law));
  const Values back = transposed(other.output);
  const Values slack = transposed({other.output.dtype, other.output.shape, other.tolerance});
  // One chain over k per element either way; a single row or column may have dot's order on one side only.
  const bool one_order = base.output.shape[0] > 1 && base.output.shape[1] > 1;
  return compare(base.output, back.data, add_slack(base.tolerance, slack.data), law.reproducible && one_order,
                 "the transposed product");
}

// ---- scale: powers of two pass through -----------------------------------------------------------------------------

// Inputs times 2^(k * input[i]) give outputs times 2^(k * output): exactly, as long as nothing leaves the range.
struct Scaling {
  std::string_view op;
  std::array<int, 3> input;
  int output;
};

constexpr auto kScalings = std::to_array<Scaling>({
    {"add", {1, 1}, 1},
    {"sub", {1, 1}, 1},
    {"mul", {1, 0}, 1},
    {"div", {1, 0}, 1},
    {"max", {1, 1}, 1},
    {"min", {1, 1}, 1},
    {"fma", {1, 0, 1}, 1},
    {"where", {0, 1, 1}, 1},
    {"clip", {1, 1, 1}, 1},
    {"neg", {1}, 1},
    {"abs", {1}, 1},
    {"sqrt", {2}, 1},
    {"relu", {1}, 1},
    {"leaky_relu", {1}, 1},
    {"reduce_sum", {1}, 1},
    {"reduce_mean", {1}, 1},
    {"reduce_max", {1}, 1},
    {"reduce_min", {1}, 1},
    {"reduce_l1", {1}, 1},
    {"reduce_l2", {1}, 1},
    {"variance", {1}, 2},
    {"argmax", {1}, 0},
    {"argmin", {1}, 0},
    {"dot", {1, 0}, 1},
    {"layer_norm", {0, 1, 1}, 1},
    {"rms_norm", {0, 1}, 1},
    {"matmul", {1, 0}, 1},
    {"gemm", {1, 0, 1}, 1},
    {"transpose", {1}, 1},
    {"quantize_linear", {1, 1, 0}, 0},
    {"dequantize_linear", {0, 1, 0}, 1},
});

constexpr auto kScalingOps = [] {
  std::array<std::string_view, kScalings.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kScalings[i].op;
  return names;
}();

std::string check_scale(const LawCall &law) {
  const Scaling &row =
      *std::find_if(kScalings.begin(), kScalings.end(), [&](const Scaling &s) { return s.op == law.op.name; });
  const Answer base = law.same_op(law.inputs);
  for (const int power : {7, -9}) {
    std::vector<Values> scaled = law.inputs;
    for (std::size_t i = 0; i < scaled.size() && i < row.input.size(); ++i) {
      for (double &v : scaled[i].data) v = std::ldexp(v, power * row.input[i]);
    }
    Answer other = law.same_op(std::move(scaled));
    for (double &v : other.output.data) v = std::ldexp(v, -power * row.output);
    for (double &v : other.tolerance) v = std::ldexp(v, -power * row.output);
    std::string text = compare(base.output, other.output.data, add_slack(base.tolerance, other.tolerance),
                               law.reproducible, fmt::format("inputs scaled by 2^{}", power));
    if (!text.empty()) return text;
  }
  return {};
}

// ---- shift: x + c for a c that keeps x + c exact
// -----------------------------------------------------------------------

struct Shift {
  std::string_view op;
  double output;  // the result moves by this times c
  bool exact;     // by the contract: differences to the maximum are the same numbers
};

constexpr auto kShifts = std::to_array<Shift>({{"softmax", 0, true},
                                               {"log_softmax", 0, true},
                                               {"layer_norm", 0, false},
                                               {"variance", 0, false},
                                               {"reduce_mean", 1, false},
                                               {"reduce_max", 1, true},
                                               {"reduce_min", 1, true},
                                               {"argmax", 0, true},
                                               {"argmin", 0, true}});

constexpr auto kShiftOps = [] {
  std::array<std::string_view, kShifts.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kShifts[i].op;
  return names;
}();

std::string check_shift(const LawCall &law) {
  constexpr double kShift = 24;  // integers of the case are below 2^4: the sums are exact
  const Shift &row = *std::find_if(kShifts.begin(), kShifts.end(), [&](const Shift &s) { return s.op == law.op.name; });
  const Answer base = law.same_op(law.inputs);
  std::vector<Values> shifted = law.inputs;
  for (double &v : shifted[0].data) v += kShift;
  Answer other = law.same_op(std::move(shifted));
  for (double &v : other.output.data) v -= row.output * kShift;
  return compare(base.output, other.output.data, add_slack(base.tolerance, other.tolerance),
                 law.reproducible && row.exact, fmt::format("x + {}", kShift));
}

// ---- round_trip: |dequantize(quantize(x)) - x| <= scale / 2
// -------------------------------------------------------------

constexpr std::array<std::string_view, 1> kRoundTrip = {"quantize_linear"};

std::string check_round_trip(const LawCall &law) {
  constexpr double kUnit = 0x1p-24;
  const Answer quantised = law.same_op(law.inputs);
  const Values &x = law.inputs[0];
  const double scale = law.inputs[1].data[0];
  const double zero = law.inputs.size() > 2 ? law.inputs[2].data[0] : 0;
  const double low = quantised.output.dtype == Dtype::i8 ? -128 : 0;
  const double high = quantised.output.dtype == Dtype::i8 ? 127 : 255;
  std::vector<Values> back = law.inputs;
  back[0] = quantised.output;
  const Answer answer = law.ask({"dequantize_linear", {{"axis", "0"}}, std::move(back)});
  std::size_t checked = 0;
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    const double steps = x.data[i] / scale + zero;
    if (!(steps > low && steps < high)) continue;  // saturates
    ++checked;
    // The quotient and the product round once each.
    const double allowed = scale / 2 + 2 * kUnit * std::fabs(x.data[i]) + 2 * kUnit * scale + answer.tolerance[i] +
                           quantised.tolerance[i] * scale;
    if (std::fabs(answer.output.data[i] - x.data[i]) <= allowed) continue;
    return fmt::format("element {} is {:.9g} after quantising {:.9g} with scale {:.9g}: more than half a step off", i,
                       answer.output.data[i], x.data[i], scale);
  }
  return checked == 0 ? "every element saturates: the case tells nothing" : "";
}

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

std::vector<double> add_slack(const std::vector<double> &a, const std::vector<double> &b) {
  std::vector<double> sum(a.size());
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) sum[i] = a[i] + b[i];
  return sum;
}

std::string compare(const Values &actual, const std::vector<double> &predicted, const std::vector<double> &slack,
                    bool exact, std::string_view what) {
  if (actual.data.size() != predicted.size()) {
    return fmt::format("{}: {} elements, the case has {}", what, predicted.size(), actual.data.size());
  }
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double a = actual.data[i];
    const double p = predicted[i];
    if (same_bits(a, p)) continue;
    if (exact || slack[i] == 0) {
      return fmt::format("element {} is {:a}, by {} {:a}: the law is exact", i, a, what, p);
    }
    const double allowed = slack[i] + 0x1p-51 * std::fabs(p);  // predicting rounded in double
    if (std::fabs(a - p) <= allowed) continue;
    return fmt::format("element {} is {:.9g}, by {} {:.9g}: {:.3g} apart, both bounds together allow {:.3g}", i, a,
                       what, p, std::fabs(a - p), allowed);
  }
  return {};
}

std::span<const Law> laws() {
  static const std::array<Law, 7> table = {{
      {"commute", "f(a, b) = f(b, a)", kCommutative, check_commute},
      {"transpose", "(A B)^T = B^T A^T", kProducts, check_transpose},
      {"scale", "powers of two in the inputs come out as powers of two", kScalingOps, check_scale},
      {"permute", "permuted inputs give permuted outputs; what is combined along an axis stays", axis_law_ops(),
       check_permutation},
      {"shift", "softmax(x + c) = softmax(x), max(x + c) = max(x) + c, ...", kShiftOps, check_shift},
      {"split", "the parts' results, concatenated or combined, are the whole's", axis_law_ops(), check_split},
      {"round_trip", "|dequantize(quantize(x)) - x| <= scale / 2", kRoundTrip, check_round_trip},
  }};
  return table;
}

const Law *find_law(std::string_view name) {
  for (const Law &law : laws()) {
    if (law.name == name) return &law;
  }
  return nullptr;
}

bool law_holds_for(const Law &law, std::string_view op) {
  return std::find(law.ops.begin(), law.ops.end(), op) != law.ops.end();
}

}  // namespace rayo::conform
