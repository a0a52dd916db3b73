// SPDX-License-Identifier: Apache-2.0
#include "guard/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "guard/elements.hpp"

namespace rayo {
namespace {

enum class Kind { exact, ulp, sigmoid, gelu, softmax, log_softmax, layer_norm, rms_norm, accumulate, root, variance };

struct Row {
  std::string_view op;
  Kind kind;
  double ours;
  double strict;
  double relaxed;
  double per_argument;
};

constexpr Row kRows[] = {
#define BOUND(op, kind, ours, strict, relaxed, per_argument) {#op, Kind::kind, ours, strict, relaxed, per_argument},
#include <ops/bounds.def>
#undef BOUND
};

const Row *find_row(std::string_view op) {
  if (op == "eigh") return nullptr;  // its vectors are not unique
  const auto *at = std::find_if(std::begin(kRows), std::end(kRows), [op](const Row &row) { return row.op == op; });
  return at == std::end(kRows) ? nullptr : at;
}

double factor(const Row &row, uint32_t numerics) {
  if (numerics == RAYO_NUMERICS_REPRODUCIBLE) return row.ours;
  return numerics == RAYO_NUMERICS_STRICT ? row.strict : row.relaxed;
}

struct Format {
  int digits;
  int min_exponent;
  double unit() const { return std::ldexp(1.0, -digits); }
  double min_subnormal() const { return std::ldexp(1.0, min_exponent - digits + 1); }
  double min_normal() const { return std::ldexp(1.0, min_exponent); }
  double ulp(double value) const {
    if (value == 0) return min_subnormal();
    return std::ldexp(1.0, std::max(std::ilogb(value), min_exponent) - digits + 1);
  }
};

Format format_of(DLDataType dtype) {
  if (dtype.code == kDLBfloat) return {8, -126};
  if (dtype.bits == 64) return {53, -1022};
  return dtype.bits == 16 ? Format{11, -14} : Format{24, -126};
}

// Everything that a formula below may use.
struct Terms {
  Row row;
  Format format;
  DLDataType dtype;          // of the inputs that are read
  double factors;            // both kernels'
  bool relaxed;              // one of them is
  double n;                  // the reduced length
  std::vector<char> x;       // dense input 0
  std::vector<char> sums;    // G per output element
  double most_scale = 1;     // max |scale|
  double most_shift = 0;     // max |bias|
  double most_x = 0;         // max |x|
  double divisor = 1;        // variance: n - correction
  std::vector<double> cond;  // mean |x| / sigma per row of a norm
  int64_t row_length = 1;    // elements of a row of a norm

  double argument(size_t i) const {
    const size_t item = dtype.bits / 8;
    return std::fabs(element_value(dtype, x.data() + i * item));
  }
  double sum(size_t i) const { return element_value(dtype, sums.data() + i * (dtype.bits / 8)); }
};

double gamma(double roundings, double u) { return roundings * u / (1 - roundings * u); }

double largest(const OperandDesc &operand, const std::vector<char> &dense) {
  double most = 0;
  const size_t item = operand.dtype.bits / 8;
  for (size_t at = 0; at + item <= dense.size(); at += item) {
    most = std::max(most, std::fabs(element_value(operand.dtype, dense.data() + at)));
  }
  return most;
}

// Length of the sums behind one output element.
double reduced_length(const BoundCall &call) {
  const std::string_view op = call.schema().raw->name;
  const OperandDesc &a = call.inputs()[0];
  if (op == "matmul") return static_cast<double>(a.shape[a.ndim - 1]);
  if (op == "gemm") return static_cast<double>(a.shape[call.attributes().int_or("transA", 0) != 0 ? 0 : 1]) + 2;
  if (op == "softmax" || op == "log_softmax") {
    return a.ndim == 0 ? 1 : static_cast<double>(a.shape[call.attributes().int_or("axis", 0)]);
  }
  if (op == "layer_norm" || op == "rms_norm") {
    double length = 1;
    for (auto axis = static_cast<int32_t>(call.attributes().int_or("axis", 0)); axis < a.ndim; ++axis) {
      length *= static_cast<double>(a.shape[axis]);
    }
    return length;
  }
  const auto outputs = static_cast<double>(call.outputs()[0].elements());
  return outputs == 0 ? 0 : static_cast<double>(a.elements()) / outputs;
}

// mean |x| / sigma of each row, in double.
std::vector<double> row_conditions(const Terms &terms, double epsilon) {
  std::vector<double> out;
  const size_t item = terms.dtype.bits / 8;
  const auto length = static_cast<size_t>(terms.row_length);
  for (size_t row = 0; length != 0 && row < terms.x.size() / item / length; ++row) {
    const auto at = [&](size_t i) { return element_value(terms.dtype, terms.x.data() + (row * length + i) * item); };
    double sum = 0;
    double magnitude = 0;
    for (size_t i = 0; i < length; ++i) sum += at(i), magnitude += std::fabs(at(i));
    const double mean = sum / static_cast<double>(length);
    double squares = 0;
    for (size_t i = 0; i < length; ++i) squares += (at(i) - mean) * (at(i) - mean);
    const double sigma = std::sqrt(squares / static_cast<double>(length) + epsilon);
    out.push_back(magnitude / static_cast<double>(length) / sigma);
  }
  return out;
}

double variance_tolerance(const Terms &t, double value) {
  const double u = t.format.unit();
  const double shift = gamma(t.n + 1, u) * t.most_x;
  const double extra = t.n * shift * shift;
  const double sum = gamma(t.n + 3, u) * (value * t.divisor * (1 + gamma(t.n + 3, u)) + extra) + extra +
                     (t.n + 1) * t.format.min_subnormal();
  return sum * (1 + 4 * u) / t.divisor + u * value + t.format.min_subnormal();
}

// The distance that one factor of 1 allows. `value` is the larger magnitude of the two.
double unit_tolerance(const Terms &t, size_t i, double value) {
  const double u = t.format.unit();
  const double tiny = t.format.min_subnormal();
  const double root = std::sqrt(t.n);
  switch (t.row.kind) {
    case Kind::exact:
    case Kind::ulp:
      return t.format.ulp(value);
    case Kind::sigmoid:
      return t.format.ulp(value) + t.format.min_normal();
    case Kind::gelu:
      return std::max(t.format.ulp(value), u * t.argument(i));
    case Kind::softmax: {
      // y = e^(x - m) / S with 1 <= S: |x - m| <= -ln y.
      const double distance = value > 0 ? std::max(0.0, -std::log(value)) : 0;
      return value * u * (16 + (t.relaxed ? 3 : 1) * distance + 2 * root) + 2 * tiny;
    }
    case Kind::log_softmax:  // |x - m| <= |y|
      return u * (12 + 2 * root + 4 * value);
    case Kind::layer_norm: {
      const double condition = t.row_length > 0 ? t.cond[i / static_cast<size_t>(t.row_length)] : 0;
      return u * ((4 + 2 * root) * (t.most_scale * condition + value + t.most_shift) + 8 * t.most_scale +
                  t.most_shift) +
             2 * (1 + t.most_scale) * tiny;
    }
    case Kind::rms_norm:
      return u * (8 + 2 * root) * value + 2 * (1 + t.most_scale) * tiny;
    case Kind::accumulate: {
      const double roundings = t.n + 1;
      return gamma(roundings, u) * t.sum(i) * (1 + 2 * gamma(roundings, u)) + (roundings + 1) * tiny;
    }
    case Kind::root:
      return (gamma(t.n, u) + 2 * u) * value + std::sqrt((t.n + 1) * tiny);
    case Kind::variance:
      return variance_tolerance(t, value);
  }
  return 0;
}

double tolerance_at(const Terms &t, bool flushes, size_t i, double actual, double expected) {
  const double value = std::max(std::fabs(actual), std::fabs(expected));
  double allowed = t.factors * unit_tolerance(t, i, value);
  if (t.relaxed && t.row.per_argument > 0) allowed += t.row.per_argument * t.argument(i) * t.format.ulp(value);
  if (flushes) allowed += t.format.min_normal();
  // Sums that overflow on the way may be anything.
  return std::isnan(allowed) ? std::numeric_limits<double>::infinity() : allowed;
}

}  // namespace

bool has_bound(std::string_view op) { return find_row(op) != nullptr; }

Tolerance make_tolerance(ToleranceInputs in) {
  const Row *row = find_row(in.call.schema().raw->name);
  if (row == nullptr) return nullptr;
  const double factors = factor(*row, in.judged) + factor(*row, in.reference);
  const bool relaxed = in.judged == RAYO_NUMERICS_RELAXED || in.reference == RAYO_NUMERICS_RELAXED;
  const OperandDesc &output = in.call.outputs()[0];
  if (output.dtype.code != kDLFloat && output.dtype.code != kDLBfloat) {
    return [factors](size_t, double, double) { return factors; };  // steps of an integer type
  }
  auto t = std::make_shared<Terms>();
  t->row = *row;
  t->format = format_of(output.dtype);
  t->dtype = in.call.inputs()[0].dtype;
  t->factors = factors;
  t->relaxed = relaxed;
  t->n = reduced_length(in.call);
  t->most_x = largest(in.call.inputs()[0], in.inputs[0]);
  t->x = std::move(in.inputs[0]);
  if (row->kind == Kind::accumulate) t->sums = in.magnitudes();
  if (row->kind == Kind::variance) {
    t->divisor = std::max(1.0, t->n - static_cast<double>(in.call.attributes().int_or("correction", 0)));
  }
  if (row->kind == Kind::layer_norm || row->kind == Kind::rms_norm) {
    const rayo_attr *epsilon = in.call.attributes().find("epsilon");
    t->row_length = static_cast<int64_t>(t->n);
    t->most_scale = largest(in.call.inputs()[1], in.inputs[1]);
    if (in.inputs.size() > 2 && !in.inputs[2].empty()) t->most_shift = largest(in.call.inputs()[2], in.inputs[2]);
    t->cond = row_conditions(*t, epsilon != nullptr ? *static_cast<const double *>(epsilon->data) : 0);
  }
  return [t, flushes = in.flushes](size_t i, double actual, double expected) {
    return tolerance_at(*t, flushes, i, actual, expected);
  };
}

}  // namespace rayo
