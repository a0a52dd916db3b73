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

float horner(float x, std::initializer_list<float> coefficients) {
  float acc = 0;
  bool first = true;
  for (const float c : coefficients) {
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
std::vector<float> softmax_line(const std::vector<float> &x, bool lanes, bool logarithm) {
  float m = -std::numeric_limits<float>::infinity();
  for (const float v : x) m = max_of(m, v);
  std::vector<float> e;
  for (const float v : x) e.push_back(exp(v - m));
  const std::span<const float> terms(e);
  const float s = lanes ? sum(terms) : leading_sum(terms);
  std::vector<float> y;
  if (logarithm) {
    const float ln = log(s);
    for (const float v : x) y.push_back((v - m) - ln);
  } else {
    const float r = 1 / s;
    for (const float v : e) y.push_back(v * r);
  }
  return y;
}

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
    std::vector<float> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<float>(x.data[first + i * step]));
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

template <class T>
std::optional<std::vector<double>> normalise(const Problem &problem) {
  const std::string &op = problem.op->name;
  if (op == "layer_norm" || op == "rms_norm") return norm<T>(problem);
  if constexpr (std::is_same_v<T, float>) return softmax(problem);
  return std::nullopt;
}

template std::optional<std::vector<double>> normalise<float>(const Problem &);
template std::optional<std::vector<double>> normalise<double>(const Problem &);

}  // namespace rayo::conform::contract
