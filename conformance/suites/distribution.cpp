// SPDX-License-Identifier: Apache-2.0
#include "suites/distribution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "suites/case.hpp"
#include "suites/pcg32.hpp"

namespace rayo::conform {
namespace {

constexpr std::array<std::string_view, 21> kNames = {
    "integers",  "uniform",  "positive", "loguniform", "cancelling", "offset",   "sprinkled",
    "subnormal", "specials", "sweep",    "bits",       "nan",        "constant", "neginf",
    "onenan",    "halves",   "tiny",     "ones",       "nearone",    "flags",    "stride"};

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double from_bits(Dtype dtype, std::uint64_t bits) {
  switch (dtype_size(dtype)) {
    case 4: {
      const auto narrow = static_cast<std::uint32_t>(bits >> 32);
      return load_element(dtype, &narrow);
    }
    case 1: {
      const auto narrow = static_cast<std::uint8_t>(bits >> 56);
      return load_element(dtype, &narrow);
    }
    case 2: {
      const auto narrow = static_cast<std::uint16_t>(bits >> 48);
      return load_element(dtype, &narrow);
    }
    default:
      return load_element(dtype, &bits);
  }
}

double round_to(Dtype dtype, double v) {
  if (dtype == Dtype::f64) return v;
  if (dtype == Dtype::f32) return static_cast<float>(v);
  std::uint64_t memory = 0;
  store_element(dtype, &memory, v);
  return load_element(dtype, &memory);
}

double uniform(Pcg32 &rng, Dtype dtype) { return dtype == Dtype::f64 ? 2 * rng.unit53() - 1 : 2 * rng.unit24() - 1; }

double sign(Pcg32 &rng) { return (rng.next() & 1u) != 0 ? -1.0 : 1.0; }

// 2^U(low, high) without libm: a mantissa in [1, 2) and a whole exponent; log-uniform up to the octave's shape.
double log_uniform(Pcg32 &rng, int low, int high) {
  const int exponent = low + static_cast<int>(rng.below(static_cast<std::uint32_t>(high - low)));
  return std::ldexp(1.0 + rng.unit53(), exponent);
}

double gaussian(Pcg32 &rng) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += rng.unit24();
  return sum - 6.0;  // Irwin-Hall: mean 0, sigma 1, the same bits everywhere
}

double sprinkle(Pcg32 &rng, Dtype dtype) {
  constexpr std::array<double, 5> kGuests = {kNan, kInf, -kInf, -0.0, 0.0};
  const double v = uniform(rng, dtype);
  const std::uint32_t lot = rng.below(16 * kGuests.size());
  return lot < kGuests.size() ? kGuests[lot] : v;
}

double subnormal(Pcg32 &rng, Dtype dtype) {
  const std::uint64_t raw = rng.next64();
  const int mantissa = dtype == Dtype::f64 ? 52 : dtype == Dtype::f32 ? 23 : dtype == Dtype::bf16 ? 7 : 10;
  const int shift = static_cast<int>(64 - 8 * dtype_size(dtype));
  const std::uint64_t bits = (raw & ((UINT64_C(1) << mantissa) - 1)) | 1u;
  const double v = from_bits(dtype, bits << shift);
  return (raw >> 63) != 0 ? -v : v;
}

void draw_cancelling(Pcg32 &rng, Dtype dtype, std::vector<double> &out) {
  for (std::size_t i = 0; i < out.size(); i += 2) {
    const double v = round_to(dtype, sign(rng) * log_uniform(rng, 0, 16));
    out[i] = v;
    if (i + 1 < out.size()) out[i + 1] = round_to(dtype, -v * (1.0 + uniform(rng, dtype) * 0x1p-12));
  }
}

void draw_specials(Dtype dtype, std::size_t operand, std::size_t operands, std::vector<double> &out) {
  const std::vector<double> table = special_values(dtype);
  const std::size_t period = operands > 1 && operand == 0 ? table.size() : 1;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[i / period % table.size()];
}

void draw_sweep(Pcg32 &rng, Dtype dtype, std::vector<double> &out) {
  const auto n = static_cast<std::uint64_t>(out.size());
  if (n == 0) return;
  const std::uint64_t step = std::numeric_limits<std::uint64_t>::max() / n;
  const std::uint64_t residue = rng.next64() % (step == 0 ? 1 : step);
  for (std::uint64_t i = 0; i < n; ++i) out[i] = from_bits(dtype, residue + i * step);
}

void draw_stride(Dtype dtype, std::uint64_t seed, std::vector<double> &out) {
  const std::size_t bits = 8 * dtype_size(dtype);
  const std::uint64_t last = bits == 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
  const std::uint64_t step = out.empty() ? 1 : std::max<std::uint64_t>(1, last / out.size() + (bits == 64 ? 0 : 1));
  std::uint64_t pattern = seed % step;
  for (double &v : out) {
    v = from_bits(dtype, pattern << (64 - bits));
    pattern += step;
  }
}

using DrawFn = double (*)(Pcg32 &, Dtype, std::size_t operand);

// Distributions whose elements are drawn one by one.
DrawFn draw_function(std::string_view name) {
  if (name == "integers")
    return [](Pcg32 &rng, Dtype, std::size_t) { return static_cast<double>(rng.below(17)) - 8.0; };
  if (name == "uniform") return [](Pcg32 &rng, Dtype dtype, std::size_t) { return uniform(rng, dtype); };
  if (name == "positive") return [](Pcg32 &rng, Dtype, std::size_t) { return rng.unit24() + 0x1p-25; };
  if (name == "tiny") return [](Pcg32 &rng, Dtype, std::size_t) { return (rng.unit24() + 0x1p-25) * 0x1p-7; };
  if (name == "loguniform") return [](Pcg32 &rng, Dtype, std::size_t) { return sign(rng) * log_uniform(rng, -20, 20); };
  if (name == "nearone")
    return [](Pcg32 &rng, Dtype, std::size_t) { return 1 + sign(rng) * log_uniform(rng, -20, -4); };
  if (name == "offset") return [](Pcg32 &rng, Dtype, std::size_t) { return 1e4 + gaussian(rng); };
  if (name == "sprinkled") return [](Pcg32 &rng, Dtype dtype, std::size_t) { return sprinkle(rng, dtype); };
  if (name == "subnormal") {
    return [](Pcg32 &rng, Dtype dtype, std::size_t operand) {
      return operand == 0 ? subnormal(rng, dtype) : sign(rng) * log_uniform(rng, -1, 1);
    };
  }
  if (name == "bits") return [](Pcg32 &rng, Dtype dtype, std::size_t) { return from_bits(dtype, rng.next64()); };
  if (name == "halves")
    return [](Pcg32 &rng, Dtype, std::size_t) { return (static_cast<double>(rng.below(1281)) - 640) / 2; };
  if (name == "flags") {
    return [](Pcg32 &rng, Dtype dtype, std::size_t) {
      const double v = from_bits(dtype, rng.next64());
      return (rng.next() & 1u) != 0 ? 0.0 : v;
    };
  }
  if (name == "ones") return [](Pcg32 &, Dtype, std::size_t) { return 1.0; };
  if (name == "nan") return [](Pcg32 &, Dtype, std::size_t) { return kNan; };
  if (name == "neginf") return [](Pcg32 &, Dtype, std::size_t) { return -kInf; };
  throw CaseError(fmt::format("distribution '{}': legal are {}", name, fmt::join(kNames, ", ")));
}

}  // namespace

std::span<const std::string_view> distribution_names() { return kNames; }

bool is_distribution(std::string_view name) { return std::find(kNames.begin(), kNames.end(), name) != kNames.end(); }

bool is_zero_mean_random(std::string_view distribution) { return distribution == "uniform"; }

std::vector<double> special_values(Dtype dtype) {
  const bool wide = dtype == Dtype::f64;
  const double min_normal = wide ? 0x1p-1022 : 0x1p-126;
  const double min_subnormal = wide ? 0x1p-1074 : 0x1p-149;
  const double max = wide ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  const double epsilon = wide ? 0x1p-52 : 0x1p-23;
  const double exp_overflow = wide ? 709.782712893384 : 88.722839;
  const double exp_underflow = wide ? -745.1332191019412 : -103.97208;
  const double exp_subnormal = wide ? -708.3964185322641 : -87.336544;
  const double last_half = wide ? 0x1p52 - 0.5 : 0x1p23 - 0.5;
  std::vector<double> magnitudes = {0.0,
                                    min_subnormal,
                                    2 * min_subnormal,
                                    3 * min_subnormal,
                                    min_normal - min_subnormal,
                                    min_normal,
                                    2 * min_normal,
                                    min_normal / epsilon,
                                    epsilon / 2,
                                    epsilon,
                                    1e-10,
                                    1e-5,
                                    0.25,
                                    1.0 / 3,
                                    0.5 - epsilon / 4,
                                    0.5,
                                    0.6,
                                    0.70710678118654752,
                                    0.93,
                                    1.0 - epsilon / 2,
                                    1.0,
                                    1.0 + epsilon,
                                    1.5,
                                    2.0,
                                    2.5,
                                    2.7182818284590452,
                                    3.0,
                                    3.1415926535897931,
                                    5.0,
                                    8.0,
                                    9.01,
                                    10.0,
                                    17.0,
                                    44.0,
                                    88.0,
                                    exp_overflow,
                                    std::nextafter(exp_overflow, kInf),
                                    -exp_underflow,
                                    -exp_subnormal,
                                    104.0,
                                    1e4,
                                    65504.0,
                                    last_half,
                                    2 * last_half + 2,
                                    8388609.0,
                                    16777217.0,
                                    127.0,
                                    127.5,
                                    128.0,
                                    255.0,
                                    255.5,
                                    256.0,
                                    0x1p31 - 128,
                                    0x1p31 - 1,
                                    0x1p31,
                                    0x1p62,
                                    0x1p63 - 0x1p39,
                                    0x1p63,
                                    65519.99609375,
                                    65520.0,
                                    0x1p-25,
                                    0x1p-25 * (1 + epsilon),
                                    1 + 0x1p-11,
                                    1 + 0x1p-11 + 0x1p-30,
                                    1 + 0x3p-11,
                                    1 + 0x1p-8,
                                    1 + 0x1p-8 + 0x1p-30,
                                    max / 2,
                                    max,
                                    kInf};
  std::vector<double> values;
  for (const double m : magnitudes) {
    values.push_back(round_to(dtype, m));
    values.push_back(round_to(dtype, -m));
  }
  values.push_back(kNan);
  return values;
}

std::vector<double> draw(std::string_view distribution, Dtype dtype, std::uint64_t seed, std::size_t operand,
                         std::size_t operands, std::int64_t count) {
  Pcg32 rng(seed, operand + 1);
  std::vector<double> out(static_cast<std::size_t>(count));
  if (distribution == "cancelling") {
    draw_cancelling(rng, dtype, out);
  } else if (distribution == "specials") {
    draw_specials(dtype, operand, operands, out);
  } else if (distribution == "sweep") {
    draw_sweep(rng, dtype, out);
  } else if (distribution == "stride") {
    draw_stride(dtype, seed, out);
  } else if (distribution == "constant") {
    const double v = round_to(dtype, 0.1 + uniform(rng, dtype));
    std::fill(out.begin(), out.end(), v);
  } else if (distribution == "onenan") {
    for (double &v : out) v = uniform(rng, dtype);
    if (!out.empty()) out[rng.below(static_cast<std::uint32_t>(out.size()))] = kNan;
  } else {
    const DrawFn draw_one = draw_function(distribution);
    for (double &v : out) v = round_to(dtype, draw_one(rng, dtype, operand));
  }
  return out;
}

}  // namespace rayo::conform
