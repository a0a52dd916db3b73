// SPDX-License-Identifier: Apache-2.0
//
// Oracles of reductions. Sums run left to right in the wide type: with at least
// 29 spare bits that order costs nothing a bound could notice.
#include <array>
#include <limits>

#include "oracle/oracle.hpp"

namespace rayo::conform {
namespace {

namespace w = wide;

// Walks every element of input 0 with the position of the output element it is reduced into.
template <class Visit>
void for_each_reduced(const Values &x, const Shape &axes, const Visit &visit) {
  if (x.data.empty()) return;
  const Shape kept = reduced_shape(x.shape, axes, true);
  Shape index(x.shape.size(), 0);
  std::size_t i = 0;
  do {
    visit(i, broadcast_position(index, kept));
    ++i;
  } while (advance(index, x.shape));
}

struct Plan {
  Shape axes;
  double count = 1;  // elements per output
};

template <class R>
Plan start(const Problem &p, Expected<R> &out, R identity) {
  const Values &x = p.inputs[0];
  Plan plan{normalise_axes(attr_list(*p.call, *p.op, "axes"), x.shape.size()), 1};
  out.dtype = x.dtype;
  out.shape = reduced_shape(x.shape, plan.axes, attr_int(*p.call, *p.op, "keepdims") != 0);
  for (const std::int64_t axis : plan.axes) plan.count *= static_cast<double>(x.shape[static_cast<std::size_t>(axis)]);
  out.elements.resize(static_cast<std::size_t>(element_count(out.shape)));
  for (Element<R> &e : out.elements) {
    e.value = identity;
    e.count = plan.count;
  }
  return plan;
}

template <class R>
void reduce_sum(const Problem &p, Expected<R> &out) {
  const Plan plan = start<R>(p, out, R(0));
  const Values &x = p.inputs[0];
  for_each_reduced(x, plan.axes, [&](std::size_t from, std::size_t to) {
    out.elements[to].value += static_cast<R>(x.data[from]);
    out.elements[to].magnitude += std::fabs(x.data[from]);
  });
}

template <class R>
void reduce_mean(const Problem &p, Expected<R> &out) {
  reduce_sum<R>(p, out);
  for (Element<R> &e : out.elements) {
    e.value = e.value / static_cast<R>(e.count);
    e.magnitude = e.magnitude / e.count;
  }
}

template <class R>
void reduce_l1(const Problem &p, Expected<R> &out) {
  const Plan plan = start<R>(p, out, R(0));
  const Values &x = p.inputs[0];
  for_each_reduced(x, plan.axes, [&](std::size_t from, std::size_t to) {
    out.elements[to].value += static_cast<R>(std::fabs(x.data[from]));
    out.elements[to].magnitude += std::fabs(x.data[from]);
  });
}

// magnitude: the sum of squares, in which the error is made.
template <class R>
void reduce_l2(const Problem &p, Expected<R> &out) {
  const Plan plan = start<R>(p, out, R(0));
  const Values &x = p.inputs[0];
  for_each_reduced(x, plan.axes, [&](std::size_t from, std::size_t to) {
    const R v = static_cast<R>(x.data[from]);
    out.elements[to].value += v * v;
  });
  for (Element<R> &e : out.elements) {
    e.magnitude = static_cast<double>(e.value);
    e.value = w::sqrt(e.value);
  }
}

// Two passes. condition: mean |x|; gain: n - correction; magnitude: the variance and what the mean's error adds at
// most.
template <class R>
void variance(const Problem &p, Expected<R> &out) {
  const Plan plan = start<R>(p, out, R(0));
  const Values &x = p.inputs[0];
  std::vector<R> means(out.elements.size(), R(0));
  for_each_reduced(x, plan.axes, [&](std::size_t from, std::size_t to) {
    means[to] += static_cast<R>(x.data[from]);
    out.elements[to].condition += std::fabs(x.data[from]) / plan.count;
  });
  for (R &mean : means) mean /= static_cast<R>(plan.count);
  for_each_reduced(x, plan.axes, [&](std::size_t from, std::size_t to) {
    const R d = static_cast<R>(x.data[from]) - means[to];
    out.elements[to].value += d * d;
  });
  const double degrees = plan.count - static_cast<double>(attr_int(*p.call, *p.op, "correction"));
  for (Element<R> &e : out.elements) {
    e.magnitude = static_cast<double>(e.value);  // before the division: what may overflow
    e.gain = degrees;
    e.value =
        degrees > 0 ? e.value / static_cast<R>(degrees) : static_cast<R>(std::numeric_limits<double>::quiet_NaN());
  }
}

template <bool Largest, class R>
bool beats(R a, R b) {  // is a to be preferred over b: NaN first, then by value, -0 below +0
  if (w::is_nan(b)) return false;
  if (w::is_nan(a)) return true;
  if (a == b) return w::sign_bit(a) != w::sign_bit(b) && w::sign_bit(b) == Largest;
  return Largest ? a > b : a < b;
}

template <bool Largest, class R>
void reduce_extreme(const Problem &p, Expected<R> &out) {
  const R worst = static_cast<R>(std::numeric_limits<double>::infinity()) * (Largest ? -1 : 1);
  const Plan plan = start<R>(p, out, worst);
  const Values &x = p.inputs[0];
  for_each_reduced(x, plan.axes, [&](std::size_t from, std::size_t to) {
    const R v = static_cast<R>(x.data[from]);
    if (beats<Largest>(v, out.elements[to].value)) out.elements[to].value = v;
  });
}

// NaN is beyond every number and equal to NaN; +0 and -0 are equal. Among equals the first, or the last if asked.
template <bool Largest, class R>
void arg_extreme(const Problem &p, Expected<R> &out) {
  const Values &x = p.inputs[0];
  const Shape axes = normalise_axes({attr_int(*p.call, *p.op, "axis")}, x.shape.size());
  const bool last = attr_int(*p.call, *p.op, "select_last_index") != 0;
  out.dtype = Dtype::i64;
  out.shape = reduced_shape(x.shape, axes, attr_int(*p.call, *p.op, "keepdims") != 0);
  out.elements.resize(static_cast<std::size_t>(element_count(out.shape)));
  std::vector<double> best(out.elements.size());
  std::vector<std::int64_t> seen(out.elements.size(), 0);
  for_each_reduced(x, axes, [&](std::size_t from, std::size_t to) {
    const double v = x.data[from];
    const double b = best[to];
    const bool both_nan = std::isnan(v) && std::isnan(b);
    const bool better = std::isnan(v) ? !std::isnan(b) : Largest ? v > b : v < b;
    if (seen[to] == 0 || better || (last && (both_nan || v == b))) {
      best[to] = v;
      out.elements[to].value = static_cast<R>(seen[to]);
    }
    ++seen[to];
  });
}

template <class R>
void dot(const Problem &p, Expected<R> &out) {
  const std::vector<double> &a = p.inputs[0].data;
  const std::vector<double> &b = p.inputs[1].data;
  out.dtype = p.inputs[0].dtype;
  out.shape = {};
  Element<R> e;
  for (std::size_t i = 0; i < a.size(); ++i) {
    e.value += static_cast<R>(a[i]) * static_cast<R>(b[i]);
    e.magnitude += std::fabs(a[i] * b[i]);
  }
  e.count = static_cast<double>(a.size());
  out.elements = {e};
}

using wide::Quad;
constexpr std::array kOracles = {
    Oracle{"reduce_sum", reduce_sum<double>, reduce_sum<Quad>},
    Oracle{"reduce_mean", reduce_mean<double>, reduce_mean<Quad>},
    Oracle{"reduce_max", reduce_extreme<true, double>, reduce_extreme<true, Quad>},
    Oracle{"reduce_min", reduce_extreme<false, double>, reduce_extreme<false, Quad>},
    Oracle{"reduce_l1", reduce_l1<double>, reduce_l1<Quad>},
    Oracle{"reduce_l2", reduce_l2<double>, reduce_l2<Quad>},
    Oracle{"variance", variance<double>, variance<Quad>},
    Oracle{"argmax", arg_extreme<true, double>, arg_extreme<true, Quad>},
    Oracle{"argmin", arg_extreme<false, double>, arg_extreme<false, Quad>},
    Oracle{"dot", dot<double>, dot<Quad>},
};

}  // namespace

std::span<const Oracle> reduce_oracles() { return kOracles; }

}  // namespace rayo::conform
