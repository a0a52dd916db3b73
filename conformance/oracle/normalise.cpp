// SPDX-License-Identifier: Apache-2.0
//
// Oracles of softmax, log_softmax and the norms: textbook formulas in the wide type, maximum subtracted and variance in
// two passes, which costs nothing and keeps the wide result right to the last bit a bound could notice.
#include <algorithm>
#include <array>
#include <limits>

#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

namespace w = wide;

// One sequence along the axis: elements first, first + step, ...
struct Line {
  std::size_t first;
  std::size_t step;
  std::size_t n;
  std::size_t at(std::size_t i) const { return first + i * step; }
};

// visit(line) for every sequence along the attribute `axis`; sizes `out` for the input's shape.
template <class R, class Visit>
void for_each_line(const Problem &p, Expected<R> &out, const Visit &visit) {
  const Values &x = p.inputs[0];
  out.dtype = x.dtype;
  out.shape = x.shape;
  out.elements.resize(x.data.size());
  if (x.data.empty()) return;
  const auto axis = static_cast<std::size_t>(normalise_axes({attr_int(*p.call, *p.op, "axis")}, x.shape.size())[0]);
  std::size_t step = 1;
  for (std::size_t d = axis + 1; d < x.shape.size(); ++d) step *= static_cast<std::size_t>(x.shape[d]);
  const auto n = static_cast<std::size_t>(x.shape[axis]);
  for (std::size_t outer = 0; outer < x.data.size(); outer += n * step) {
    for (std::size_t inner = 0; inner < step; ++inner) visit(Line{outer + inner, step, n});
  }
}

double maximum(const std::vector<double> &x, const Line &line) {
  double m = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < line.n; ++i) {
    const double v = x[line.at(i)];
    if (std::isnan(v)) return v;
    m = std::max(m, v);
  }
  return m;
}

// Leaves e^(x_i - m), or x_i - m if `logarithm`, in value and returns the sum of e^(x_i - m).
template <class R>
R shifted(const std::vector<double> &x, const Line &line, bool logarithm, Expected<R> &out) {
  const R m = static_cast<R>(maximum(x, line));
  R sum = 0;
  for (std::size_t i = 0; i < line.n; ++i) {
    Element<R> &e = out.elements[line.at(i)];
    e.value = static_cast<R>(x[line.at(i)]) - m;
    e.argument = static_cast<double>(w::fabs(e.value));
    e.count = static_cast<double>(line.n);
    const R power = w::exp(e.value);
    sum += power;
    if (!logarithm) e.value = power;
  }
  return sum;
}

template <class R>
void softmax(const Problem &p, Expected<R> &out) {
  for_each_line(p, out, [&](const Line &line) {
    const R sum = shifted(p.inputs[0].data, line, false, out);
    for (std::size_t i = 0; i < line.n; ++i) out.elements[line.at(i)].value /= sum;
  });
}

template <class R>
void log_softmax(const Problem &p, Expected<R> &out) {
  for_each_line(p, out, [&](const Line &line) {
    const R ln = w::log(shifted(p.inputs[0].data, line, true, out));
    for (std::size_t i = 0; i < line.n; ++i) out.elements[line.at(i)].value -= ln;
  });
}

// The axes from `axis` on are one row of n elements; visit(first, n, inner shape).
template <class R, class Visit>
void for_each_row(const Problem &p, Expected<R> &out, const Visit &visit) {
  const Values &x = p.inputs[0];
  out.dtype = x.dtype;
  out.shape = x.shape;
  out.elements.resize(x.data.size());
  if (x.data.empty()) return;
  const std::int64_t axis = normalise_axes({attr_int(*p.call, *p.op, "axis")}, x.shape.size())[0];
  const Shape inner(x.shape.begin() + axis, x.shape.end());
  const auto n = static_cast<std::size_t>(element_count(inner));
  for (std::size_t first = 0; first < x.data.size(); first += n) visit(first, n, inner);
}

// value = normalised value * scale + bias; fills what the bounds are made of.
template <class R>
void scale_row(const Problem &p, std::size_t first, const Shape &inner, double condition, Expected<R> &out) {
  const auto parameter = [&](std::size_t i, const Shape &index) {
    const Values &v = p.inputs[i];
    return v.data[broadcast_position(index, v.shape)];
  };
  const bool biased = p.inputs.size() > 2 && !is_absent(p.inputs[2].shape);
  Shape index(inner.size(), 0);
  std::size_t at = first;
  do {
    Element<R> &e = out.elements[at++];
    const double scale = parameter(1, index);
    const double bias = biased ? parameter(2, index) : 0;
    e.argument = static_cast<double>(w::fabs(e.value));
    e.count = static_cast<double>(element_count(inner));
    e.condition = condition;
    e.gain = std::fabs(scale);
    e.shift = std::fabs(bias);
    e.value = e.value * static_cast<R>(scale);
    if (biased) e.value += static_cast<R>(bias);
  } while (advance(index, inner));
}

template <class R>
void layer_norm(const Problem &p, Expected<R> &out) {
  const std::vector<double> &x = p.inputs[0].data;
  const R epsilon = static_cast<R>(scalar_attr(p, "epsilon"));
  for_each_row(p, out, [&](std::size_t first, std::size_t n, const Shape &inner) {
    R mean = 0;
    double magnitude = 0;
    for (std::size_t i = first; i < first + n; ++i) {
      mean += static_cast<R>(x[i]);
      magnitude += std::fabs(x[i]);
    }
    mean /= static_cast<R>(n);
    R variance = 0;
    for (std::size_t i = first; i < first + n; ++i) {
      const R d = static_cast<R>(x[i]) - mean;
      variance += d * d;
    }
    const R sigma = w::sqrt(variance / static_cast<R>(n) + epsilon);
    for (std::size_t i = first; i < first + n; ++i) out.elements[i].value = (static_cast<R>(x[i]) - mean) / sigma;
    scale_row(p, first, inner, magnitude / static_cast<double>(n) / static_cast<double>(sigma), out);
  });
}

template <class R>
void rms_norm(const Problem &p, Expected<R> &out) {
  const std::vector<double> &x = p.inputs[0].data;
  const R epsilon = static_cast<R>(scalar_attr(p, "epsilon"));
  for_each_row(p, out, [&](std::size_t first, std::size_t n, const Shape &inner) {
    R squares = 0;
    for (std::size_t i = first; i < first + n; ++i) squares += static_cast<R>(x[i]) * static_cast<R>(x[i]);
    const R root = w::sqrt(squares / static_cast<R>(n) + epsilon);
    for (std::size_t i = first; i < first + n; ++i) out.elements[i].value = static_cast<R>(x[i]) / root;
    scale_row(p, first, inner, 0, out);
  });
}

using wide::Quad;
constexpr std::array kOracles = {
    Oracle{"softmax", softmax<double>, softmax<Quad>},
    Oracle{"log_softmax", log_softmax<double>, log_softmax<Quad>},
    Oracle{"layer_norm", layer_norm<double>, layer_norm<Quad>},
    Oracle{"rms_norm", rms_norm<double>, rms_norm<Quad>},
};

}  // namespace

std::span<const Oracle> normalise_oracles() { return kOracles; }

}  // namespace rayo::conform
