// SPDX-License-Identifier: Apache-2.0
//
// exp, log, softmax, log_softmax and the norms by the text of the contract, one element at a time.
#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "oracle/contract.hpp"

namespace rayo::conform::contract {
namespace {

template <class T>
T horner(T x, std::initializer_list<T> coefficients) {
  T acc = 0;
  bool first = true;
  for (const T c : coefficients) {
    acc = first ? c : std::fma(acc, x, c);
    first = false;
  }
  return acc;
}

// Section 1's max.
template <class T>
T max_of(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return a < b ? b : a;
}

template <class T>
T broadcast_value(const Values &v, const Shape &index) {
  return static_cast<T>(v.data[broadcast_position(index, v.shape)]);
}

// y_i of one sequence. `lanes`: the axis is the last one.
template <class T>
std::vector<T> softmax_line(const std::vector<T> &x, bool lanes, bool logarithm) {
  T m = -std::numeric_limits<T>::infinity();
  for (const T v : x) m = max_of(m, v);
  std::vector<T> e;
  for (const T v : x) e.push_back(exp(v - m));
  const std::span<const T> terms(e);
  const T s = lanes ? sum(terms) : leading_sum(terms);
  std::vector<T> y;
  if (logarithm) {
    const T ln = log(s);
    for (const T v : x) y.push_back((v - m) - ln);
  } else {
    const T r = 1 / s;
    for (const T v : e) y.push_back(v * r);
  }
  return y;
}

template <class T>
std::vector<double> softmax(const Problem &p) {
  const Values &x = p.inputs[0];
  std::vector<double> out(x.data.size());
  if (x.data.empty()) return out;
  const auto axis = static_cast<std::size_t>(normalise_axes({attr_int(*p.call, *p.op, "axis")}, x.shape.size())[0]);
  const auto n = static_cast<std::size_t>(x.shape[axis]);
  std::size_t step = 1;
  for (std::size_t d = axis + 1; d < x.shape.size(); ++d) step *= static_cast<std::size_t>(x.shape[d]);
  for (std::size_t line = 0; line < x.data.size() / n; ++line) {
    const std::size_t first = line / step * n * step + line % step;
    std::vector<T> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<T>(x.data[first + i * step]));
    values = softmax_line(values, axis + 1 == x.shape.size(), p.op->name == "log_softmax");
    for (std::size_t i = 0; i < n; ++i) out[first + i * step] = values[i];
  }
  return out;
}

// layer_norm and rms_norm: every row is the row-major sequence over axis and all behind it, in the lane order.
template <class T>
std::vector<double> norm(const Problem &p) {
  const Values &x = p.inputs[0];
  const std::int64_t axis = normalise_axes({attr_int(*p.call, *p.op, "axis")}, x.shape.size())[0];
  const Shape inner(x.shape.begin() + axis, x.shape.end());
  const auto n = static_cast<std::size_t>(element_count(inner));
  const T epsilon = static_cast<T>(attr_real(*p.call, *p.op, "epsilon"));
  const bool centred = p.op->name == "layer_norm";
  const bool biased = p.inputs.size() > 2 && !is_absent(p.inputs[2].shape);
  std::vector<double> out;
  for (std::size_t first = 0; first < x.data.size(); first += n) {
    std::vector<T> d;
    for (std::size_t i = 0; i < n; ++i) d.push_back(static_cast<T>(x.data[first + i]));
    const T mean = centred ? sum(std::span<const T>(d)) / static_cast<T>(n) : T(0);
    for (T &v : d) v = centred ? v - mean : v;
    const T square = sum_squares(std::span<const T>(d), true) / static_cast<T>(n);
    const T r = T(1) / std::sqrt(square + epsilon);
    Shape index(inner.size(), 0);
    for (std::size_t i = 0; i < n; ++i) {
      const T scale = broadcast_value<T>(p.inputs[1], index);
      const T normalised = d[i] * r;
      out.push_back(biased ? std::fma(normalised, scale, broadcast_value<T>(p.inputs[2], index)) : normalised * scale);
      advance(index, inner);
    }
  }
  return out;
}

}  // namespace

float exp(float x) {
  if (std::isnan(x)) return x;
  x = std::min(std::max(x, -104.0f), 89.0f);
  const float t = std::fma(x, 0x1.715476p0f, 0x1.8p23f);
  const float k = t - 0x1.8p23f;
  float r = std::fma(k, -0x1.62e4p-1f, x);
  r = std::fma(k, -0x1.7f7d1cp-20f, r);
  const float q = horner(r, {0x1.694ac4p-10f, 0x1.12398ep-7f, 0x1.555a28p-5f, 0x1.555492p-3f, 0x1.fffffap-2f, 1.0f});
  const float p = std::fma(q, r, 1.0f);
  return std::ldexp(p, static_cast<int>(k));
}

float log(float x) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  if (x == 0) return -kInf;
  if (x == kInf) return kInf;
  if (std::isnan(x) || x < 0) return std::numeric_limits<float>::quiet_NaN();
  int k0 = 0;
  if (x < std::numeric_limits<float>::min()) {
    x *= 0x1p25f;
    k0 = -25;
  }
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t j = (bits - 0x3f3504f3) >> 23;
  const float m = std::bit_cast<float>(static_cast<std::uint32_t>(bits) - (static_cast<std::uint32_t>(j) << 23));
  const auto k = static_cast<float>(j + k0);
  const float f = m - 1;
  const float q = horner(f, {-0x1.2a6f78p-4f, 0x1.015974p-3f, -0x1.0e96ccp-3f, 0x1.239ce2p-3f, -0x1.5466fep-3f,
                             0x1.99944ep-3f, -0x1.000234p-2f, 0x1.55557p-2f, -0.5f});
  const float w = std::fma(f * f, q, k * 0x1.7f7d1cp-20f);
  return std::fma(k, 0x1.62e4p-1f, f + w);
}

double exp(double x) {
  if (std::isnan(x)) return x;
  x = std::min(std::max(x, -746.0), 710.0);
  const double t = std::fma(x, 0x1.71547652b82fep0, 0x1.8p52);
  const double k = t - 0x1.8p52;
  const double r = std::fma(k, -0x1.ef35793c7673p-45, std::fma(k, -0x1.62e42fefa38p-1, x));
  const double tail =
      horner(r, {0x1.1ee71e34c3762p-29, 0x1.af6e760ee5409p-26, 0x1.27e537b8e5814p-22, 0x1.71ddee7979735p-19,
                 0x1.a01a017b3ef77p-16, 0x1.a01a01b44206ep-13, 0x1.6c16c16c1ec9p-10, 0x1.111111110eap-7,
                 0x1.5555555555543p-5, 0x1.555555555555cp-3, 0x1p-1});
  const double p = std::fma(std::fma(tail, r, 1.0), r, 1.0);
  return std::ldexp(p, static_cast<int>(k));
}

double log(double x) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (x == 0) return -kInf;
  if (x == kInf) return kInf;
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  int k0 = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    k0 = -54;
  }
  const auto bits = std::bit_cast<std::int64_t>(x);
  const std::int64_t j = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const double m = std::bit_cast<double>(static_cast<std::uint64_t>(bits) - (static_cast<std::uint64_t>(j) << 52));
  const auto k = static_cast<double>(j + k0);
  const double f = m - 1;
  const double q = horner(f, {-0x1.8de14da51b73fp-6, 0x1.d2caa4e056bdap-5,  -0x1.0109f3a02f629p-4,
                              0x1.bba4e0d309c62p-5,  -0x1.b45a3396c5f22p-5, 0x1.dc98755386f9fp-5,
                              -0x1.00d00e6132758p-4, 0x1.116a031136144p-4,  -0x1.248941ca8710dp-4,
                              0x1.3b0d77afc7c71p-4,  -0x1.5555774ae3ad4p-4, 0x1.745d58e7732fbp-4,
                              -0x1.99999a9bda1d3p-4, 0x1.c71c702d37965p-4,  -0x1.fffffff3bdd3fp-4,
                              0x1.249249275fd51p-3,  -0x1.555555556bp-3,    0x1.9999999994d55p-3,
                              -0x1.ffffffffffe7dp-3, 0x1.555555555556bp-2,  -0x1p-1});
  const double w = std::fma(f * f, q, k * 0x1.ef35793c7673p-45);
  return std::fma(k, 0x1.62e42fefa38p-1, f + w);
}

template <class T>
std::vector<double> normalise(const Problem &problem) {
  const std::string &op = problem.op->name;
  return op == "layer_norm" || op == "rms_norm" ? norm<T>(problem) : softmax<T>(problem);
}

template std::vector<double> normalise<float>(const Problem &);
template std::vector<double> normalise<double>(const Problem &);

}  // namespace rayo::conform::contract
