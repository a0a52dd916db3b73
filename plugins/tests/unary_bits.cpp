// SPDX-License-Identifier: Apache-2.0
//
// unary_bits OP REFERENCE.so OTHER.so... [--log2 N | --all] [--attr k=v]: runs a unary f32 op on a stride of all 2^32
// bit patterns (2^20 of them by default, all with --all), compares the plugins bit by bit (any NaN equals any NaN), and
// measures the reference's error against long double libm. Exit code 1 if bits differ or the bound is passed.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>

#include "plugin_harness.h"

namespace {

using rayo_test::Plugin;
using Real = long double;

Real gelu_none(Real x) { return x / 2 * std::erfc(-x / std::sqrt(Real(2))); }
Real gelu_tanh(Real x) {
  const Real u = std::sqrt(2 / std::acos(Real(-1))) * (x + Real(0.044715L) * x * x * x);
  return x / (1 + std::exp(-2 * u));
}

/// The function, its bound in ULP, an absolute bound that is enough below `tiny_below`, and a bound relative to |x|.
struct Oracle {
  std::function<Real(Real)> f;
  double ulp;
  double tiny_below;  // x below this: an absolute error of 2^-126 passes
  double per_x;       // an error of per_x * |x| passes
  bool rises;         // never falls: neighbours out of order are counted
};
const std::map<std::string, Oracle> kOracles = {
    {"neg", {[](Real x) { return -x; }, 0, -HUGE_VAL, 0, false}},
    {"abs", {[](Real x) { return std::fabs(x); }, 0, -HUGE_VAL, 0, false}},
    {"relu", {[](Real x) { return x > 0 ? x : Real(0); }, 0, -HUGE_VAL, 0, true}},
    {"sqrt", {[](Real x) { return std::sqrt(x); }, 0.5, -HUGE_VAL, 0, true}},
    {"exp", {[](Real x) { return std::exp(x); }, 1, -HUGE_VAL, 0, true}},
    {"log", {[](Real x) { return std::log(x); }, 1, -HUGE_VAL, 0, true}},
    {"tanh", {[](Real x) { return std::tanh(x); }, 2, -HUGE_VAL, 0, true}},
    {"sigmoid", {[](Real x) { return 1 / (1 + std::exp(-x)); }, 2.5, -87.3, 0, true}},
    {"swish", {[](Real x) { return x / (1 + std::exp(-x)); }, 3.5, -87.3, 0, false}},
    {"gelu_none", {gelu_none, 4, -HUGE_VAL, 0x1p-22, false}},
    {"gelu_tanh", {gelu_tanh, 4, -HUGE_VAL, 0x1p-22, false}},
};

/// One ULP of f32 at a true value.
double ulp_at(Real y) {
  const int e = std::max(std::ilogb(y), -126);
  return std::ldexp(1.0, e - 23);
}

struct Worst {
  double ulp = 0;
  float x = 0;
  uint64_t out_of_bound = 0;
  uint64_t bits = 0;
  uint64_t wrong_special = 0;
  uint64_t falls = 0;
};

void judge(const Oracle &oracle, float x, float y, Worst *worst) {
  if (std::isnan(x)) {
    if (!std::isnan(y)) ++worst->wrong_special;
    return;
  }
  Real t = oracle.f(x);
  if (std::isnan(t) && std::isinf(x)) t = 0;  // x / (1 + inf) at -inf: the limit
  if (std::isnan(t) || std::isnan(y)) {
    if (std::isnan(t) != std::isnan(y)) ++worst->wrong_special;
    return;
  }
  const Real limit = std::ldexp(Real(1), 128);
  if (std::isinf(y) || std::isinf(t)) {
    // Infinite results are right where rounding to f32 overflows; one last finite step counts as an ULP.
    if (std::fabs(t) < limit * (1 - std::ldexp(Real(1), -25)) || std::signbit(t) != std::signbit(y)) {
      if (std::isinf(y) || std::fabs(y) < 0x1.fffffep127f) ++worst->wrong_special;
    }
    return;
  }
  if (t == 0) {
    if (y != 0) ++worst->wrong_special;
    return;
  }
  const double error = static_cast<double>(std::fabs(t - y));
  const double ulp = error / ulp_at(t);
  const bool tiny = x < oracle.tiny_below && error <= 0x1p-126;
  const bool relative = error <= oracle.per_x * std::fabs(static_cast<double>(x));
  if (tiny || (relative && ulp > oracle.ulp)) return;
  if (ulp > oracle.ulp) ++worst->out_of_bound;
  if (ulp > worst->ulp) {
    worst->ulp = ulp;
    worst->x = x;
  }
}

bool same(float a, float b) { return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, 4) == 0; }

std::vector<float> apply(const Plugin &plugin, const std::string &op, const std::vector<float> &x) {
  std::vector<float> y(x.size());
  const bool gelu = op.rfind("gelu_", 0) == 0;
  std::vector<rayo_test::Attr> attrs;
  if (gelu) attrs.push_back(rayo_test::string_attr("approximate", op.substr(5)));
  const auto view = rayo_test::compact({static_cast<int64_t>(x.size())}, RAYO_F32);
  if (plugin.run(gelu ? "gelu" : op, {view}, {x.data()}, view, y.data(), attrs) != RAYO_OK) {
    std::fprintf(stderr, "%s has no %s\n", plugin.name().c_str(), op.c_str());
    std::exit(2);
  }
  return y;
}

/// `count` patterns from pattern `first`, `step` apart.
void scan(const std::string &op, const std::vector<std::unique_ptr<Plugin>> &plugins, uint64_t first, uint64_t step,
          uint64_t count, bool judged, Worst *worst) {
  std::vector<float> x(count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto bits = static_cast<uint32_t>(first + i * step);
    std::memcpy(&x[i], &bits, 4);
  }
  const std::vector<float> y = apply(*plugins[0], op, x);
  const Oracle &oracle = kOracles.at(op);
  for (uint64_t i = 0; judged && i < count; ++i) judge(oracle, x[i], y[i], worst);
  for (uint64_t i = 1; oracle.rises && i < count; ++i) {
    if (x[i] > x[i - 1] ? y[i] < y[i - 1] : (x[i] < x[i - 1] && y[i] > y[i - 1])) ++worst->falls;
  }
  for (size_t p = 1; p < plugins.size(); ++p) {
    const std::vector<float> z = apply(*plugins[p], op, x);
    for (uint64_t i = 0; i < count; ++i) {
      if (!same(y[i], z[i])) {
        if (worst->bits++ < 3)
          std::printf("  %s(%a): %s %a, %s %a\n", op.c_str(), x[i], plugins[0]->name().c_str(), y[i],
                      plugins[p]->name().c_str(), z[i]);
      }
    }
  }
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3 || !kOracles.contains(argv[1])) {
    std::fprintf(stderr, "usage: unary_bits OP REFERENCE.so OTHER.so... [--log2 N | --all] [--bits-only]\n  OP: ");
    for (const auto &row : kOracles) std::fprintf(stderr, "%s ", row.first.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  const std::string op = argv[1];
  int log2 = 20;
  bool judged = true;
  std::vector<std::unique_ptr<Plugin>> plugins;
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--all") == 0) {
      log2 = 32;
    } else if (std::strcmp(argv[i], "--bits-only") == 0) {
      judged = false;
    } else if (std::strcmp(argv[i], "--log2") == 0 && i + 1 < argc) {
      log2 = std::atoi(argv[++i]);
    } else {
      auto plugin = std::make_unique<Plugin>(argv[i], rayo_test::host_features());
      if (plugin->name().empty()) continue;  // not for this machine
      plugins.push_back(std::move(plugin));
      // The same file without hardware FMA: the scalar plugin's other half.
      if (plugins.back()->name() == "scalar" && log2 <= 24) {
        plugins.push_back(std::make_unique<Plugin>(argv[i], rayo_test::host_features(RAYO_CPU_FMA)));
      }
    }
  }
  const uint64_t total = uint64_t{1} << log2;
  const uint64_t step = (uint64_t{1} << 32) >> log2;
  const uint64_t chunk = total < (1u << 18) ? total : (1u << 18);
  Worst worst;
  for (uint64_t i = 0; i < total; i += chunk) scan(op, plugins, i * step + step / 2, step, chunk, judged, &worst);
  const double bound = kOracles.at(op).ulp;
  std::printf(
      "%-10s 2^%d inputs, %zu plugins: worst %.3f ULP at %a (bound %g), %llu beyond, %llu special wrong, %llu bits "
      "differ, %llu falls\n",
      op.c_str(), log2, plugins.size(), worst.ulp, worst.x, bound, static_cast<unsigned long long>(worst.out_of_bound),
      static_cast<unsigned long long>(worst.wrong_special), static_cast<unsigned long long>(worst.bits),
      static_cast<unsigned long long>(worst.falls));
  return worst.out_of_bound + worst.wrong_special + worst.bits == 0 ? 0 : 1;
}
