// SPDX-License-Identifier: Apache-2.0
//
// Laws of arithmetic, tried on the plugins themselves: the same op on exchanged, regrouped or equal operands.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "oracle/wide.hpp"
#include "suites/distribution.hpp"

namespace rayo::conform::claims {
namespace {

constexpr std::array<std::string_view, 6> kValues = {"specials",   "bits",      "sprinkled",
                                                     "cancelling", "subnormal", "loguniform"};
constexpr std::array<Dtype, 2> kTypes = {Dtype::f32, Dtype::f64};

// An op on operands given by value.
class Evaluator {
 public:
  Evaluator(const Subject &subject, const Case &c) : call_(c, subject) {}
  bool supported() const { return call_.supported(); }
  std::vector<double> operator()(const std::vector<double> &a, const std::vector<double> &b) {
    call_.inputs().operands[0]->write(a);
    call_.inputs().operands[1]->write(b);
    if (!call_.run()) throw CallFailed("unsupported: the kernel declined");
    return call_.output(0).read();
  }

 private:
  BoundCase call_;
};

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

Case vectors(std::string_view op, Dtype dtype, std::int64_t n, std::string_view values, std::uint64_t seed) {
  Case c;
  c.op = op;
  c.dtype = dtype;
  c.shapes = {{n}, {n}};
  c.distributions = {std::string(values)};
  c.seed = seed;
  return c;
}

// Runs `law` on every ready plugin that has the op, for both types.
template <class Law>
std::string for_each_backend(const Setting &setting, std::string_view op, std::string_view what, const Law &law) {
  Tally tally;
  for (const Backend *backend : setting.ready()) {
    const auto subject = load(setting, *backend);
    for (const Dtype dtype : kTypes) {
      if (!subject->classes(op, dtype).empty()) law(*backend, *subject, dtype, tally);
    }
  }
  return tally.text(what);
}

// f(a, b) and f(b, a), element by element.
void compare_exchanged(const Backend &backend, const Case &c, Evaluator &f, const std::vector<double> &a,
                       const std::vector<double> &b, Tally &tally) {
  const std::vector<double> ab = f(a, b);
  const std::vector<double> ba = f(b, a);
  for (std::size_t i = 0; i < ab.size(); ++i) {
    if (same_bits(ab[i], ba[i])) continue;
    const std::string operands =
        ab.size() == a.size() ? fmt::format("a = {:a}, b = {:a}", a[i], b[i]) : fmt::format("length {}", a.size());
    throw Refuted(fmt::format("{}: {} {}: {}: {}(a, b) = {:a}, {}(b, a) = {:a}", backend.name, c.op,
                              dtype_name(c.dtype), operands, c.op, ab[i], c.op, ba[i]),
                  replay(backend, format_case(c)));
  }
  tally.count(backend, c, ab.size());
}

std::int64_t all_pairs(Dtype dtype) {
  const auto n = static_cast<std::int64_t>(special_values(dtype).size());
  return n * n;
}

std::string elementwise_commutes(const Setting &setting, std::string_view op) {
  const auto law = [&](const Backend &backend, const Subject &subject, Dtype dtype, Tally &tally) {
    for (const std::string_view values : kValues) {
      const std::int64_t n = values == "specials" ? all_pairs(dtype) : 1 << 18;
      const Case c = vectors(op, dtype, n, values, setting.seed);
      setting.step(replay(backend, format_case(c)));
      Evaluator f(subject, c);
      compare_exchanged(backend, c, f, draw(values, dtype, c.seed, 0, 2, n), draw(values, dtype, c.seed, 1, 2, n),
                        tally);
    }
  };
  return for_each_backend(setting, op, fmt::format("pairs: {}(a, b) = {}(b, a)", op, op), law);
}

struct Worst {
  double share = 0;  // of the bound
  std::string where;
};

// |((a + b) + c) - (a + (b + c))| against 2 gamma_2 (|a| + |b| + |c|), in wider arithmetic.
template <class R>
double share_of_bound(double left, double right, double a, double b, double c, double unit) {
  const R gamma = R(2) * R(unit) / (R(1) - R(2) * R(unit));
  const R bound = R(2) * gamma * (wide::fabs(R(a)) + wide::fabs(R(b)) + wide::fabs(R(c)));
  const R error = wide::fabs(R(left) - R(right));
  return error == 0 ? 0 : static_cast<double>(error / bound);
}

void associate(const Setting &setting, const Backend &backend, const Subject &subject, Dtype dtype, Worst &worst,
               Tally &tally) {
  for (const std::string_view values : kValues) {
    const std::int64_t n = values == "specials" ? all_pairs(dtype) : 1 << 18;
    const Case line = vectors("add", dtype, n, values, setting.seed);
    setting.step(replay(backend, format_case(line)));
    Evaluator add(subject, line);
    const auto a = draw(values, dtype, line.seed, 0, 2, n);
    const auto b = draw(values, dtype, line.seed, 1, 2, n);
    const auto c = draw(values == "specials" ? "bits" : values, dtype, line.seed, 2, 3, n);
    const auto left = add(add(a, b), c);
    const auto right = add(a, add(b, c));
    std::uint64_t compared = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!std::isfinite(a[i]) || !std::isfinite(b[i]) || !std::isfinite(c[i])) continue;
      const double sum = std::fabs(a[i]) / 4 + std::fabs(b[i]) / 4 + std::fabs(c[i]) / 4;
      const double largest =
          dtype == Dtype::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
      if (sum >= largest / 8) continue;  // some partial sum could overflow
      const double share = dtype == Dtype::f32
                               ? share_of_bound<double>(left[i], right[i], a[i], b[i], c[i], 0x1p-24)
                               : share_of_bound<wide::Quad>(left[i], right[i], a[i], b[i], c[i], 0x1p-53);
      ++compared;
      if (!(share > worst.share) && !std::isnan(share)) continue;
      worst.share = share;
      worst.where = fmt::format("{} {}: a = {:a}, b = {:a}, c = {:a}: (a + b) + c = {:a}, a + (b + c) = {:a}",
                                backend.name, dtype_name(dtype), a[i], b[i], c[i], left[i], right[i]);
      if (!(share <= 1))
        throw Refuted(worst.where + fmt::format(", {:.2f} of the bound", share), replay(backend, format_case(line)));
    }
    tally.count(backend, line, compared);
  }
}

// Every length around lanes and blocks of the dot order, and each kind of values.
constexpr std::array<std::int64_t, 20> kDotLengths = {1,  2,  3,  7,   8,    15,   16,    31,    32,    33,
                                                      63, 64, 65, 127, 1000, 4096, 16383, 16384, 16385, 50000};

}  // namespace

std::string add_commutes(const Setting &setting) { return elementwise_commutes(setting, "add"); }
std::string mul_commutes(const Setting &setting) { return elementwise_commutes(setting, "mul"); }

std::string dot_commutes(const Setting &setting) {
  const auto law = [&](const Backend &backend, const Subject &subject, Dtype dtype, Tally &tally) {
    for (const std::string_view values : kValues) {
      for (const std::int64_t n : kDotLengths) {
        const Case c = vectors("dot", dtype, n, values, setting.seed);
        setting.step(replay(backend, format_case(c)));
        Evaluator dot(subject, c);
        compare_exchanged(backend, c, dot, draw(values, dtype, c.seed, 0, 2, n), draw(values, dtype, c.seed, 1, 2, n),
                          tally);
      }
    }
  };
  return for_each_backend(setting, "dot", "products: dot(a, b) = dot(b, a)", law);
}

std::string dot_of_itself(const Setting &setting) {
  const auto law = [&](const Backend &backend, const Subject &subject, Dtype dtype, Tally &tally) {
    for (const std::string_view values : kValues) {
      for (const std::int64_t n : kDotLengths) {
        const Case c = vectors("dot", dtype, n, values, setting.seed);
        setting.step(replay(backend, format_case(c)));
        Evaluator dot(subject, c);
        std::vector<double> a = draw(values, dtype, c.seed, 0, 1, n);
        for (double &v : a) v = std::isnan(v) ? 1 : v;
        const double product = dot(a, a).at(0);
        if (!(product >= 0)) {
          throw Refuted(fmt::format("{}: dot {} of {} values '{}' with themselves is {:a}", backend.name,
                                    dtype_name(dtype), n, values, product),
                        replay(backend, format_case(c)));
        }
        tally.count(backend, c, 1);
      }
    }
  };
  return for_each_backend(setting, "dot", "products of a vector with itself, all >= 0", law);
}

std::string add_associates(const Setting &setting) {
  Worst worst;
  const auto law = [&](const Backend &backend, const Subject &subject, Dtype dtype, Tally &tally) {
    associate(setting, backend, subject, dtype, worst, tally);
  };
  const std::string text = for_each_backend(setting, "add", "triples", law);
  return fmt::format("at most {:.3f} of the bound over {} ({})", worst.share, text, worst.where);
}

std::string softmax_sums_to_one(const Setting &setting) {
  double worst = 0;
  std::string where;
  const auto law = [&](const Backend &backend, const Subject &subject, Dtype dtype, Tally &tally) {
    const double unit = dtype == Dtype::f32 ? 0x1p-24 : 0x1p-53;
    for (const std::string_view values : {"uniform", "positive", "offset", "cancelling", "constant", "subnormal"}) {
      for (const std::int64_t n : {1, 2, 3, 7, 16, 33, 64, 65, 257, 1000, 4097, 16385, 100000}) {
        Case c = vectors("softmax", dtype, n, values, setting.seed);
        c.shapes = {{n}};
        setting.step(replay(backend, format_case(c)));
        BoundCase call(c, subject);
        if (!call.run()) continue;
        wide::Quad sum = 0;  // wider than the f64 the claim asks for: the sum's own error is none
        for (const double y : call.output(0).read()) sum += y;
        const double length = static_cast<double>(n);
        const double bound = unit * (16 + 2 * std::sqrt(length) + std::log(length));
        const double error = static_cast<double>(wide::fabs(sum - wide::Quad(1)));
        if (!(error <= bound)) {
          throw Refuted(
              fmt::format("{}: {}: |sum - 1| = {:.3g}, bound {:.3g}", backend.name, format_case(c), error, bound),
              replay(backend, format_case(c)));
        }
        if (error / bound > worst) {
          worst = error / bound;
          where = fmt::format("{}: {}", backend.name, format_case(c));
        }
        tally.count(backend, c, 1);
      }
    }
  };
  const std::string text = for_each_backend(setting, "softmax", "sums", law);
  return fmt::format("at most {:.3f} of the bound over {} ({})", worst, text, where);
}

}  // namespace rayo::conform::claims
