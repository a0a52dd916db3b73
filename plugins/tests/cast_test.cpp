// SPDX-License-Identifier: Apache-2.0
//
// cast between all types on every plugin, against a reference that finds the nearest value of the target type by
// searching all of them (16-bit types) or by exact comparison.
#include <algorithm>
#include <utility>

#include "cases.h"

namespace rayo_test {
namespace {

struct Type {
  const char *name;
  DLDataType dtype;
};
const std::vector<Type> kTypes = {{"f32", RAYO_F32}, {"f64", RAYO_F64}, {"f16", RAYO_F16}, {"bf16", RAYO_BF16},
                                  {"i8", RAYO_I8},   {"u8", RAYO_U8},   {"i32", RAYO_I32}, {"i64", RAYO_I64}};

using Wide = long double;  // 64 bits of significand: holds every value of every type

bool is_real(DLDataType t) { return t.code == kDLFloat || t.code == kDLBfloat; }
size_t size_of(DLDataType t) { return t.bits / 8; }

/// The value of 16 bits in a format with `exponent` exponent bits.
Wide small_value(uint16_t bits, int exponent) {
  const int fraction = 15 - exponent, bias = (1 << (exponent - 1)) - 1;
  const int e = (bits >> fraction) & ((1 << exponent) - 1), f = bits & ((1 << fraction) - 1);
  Wide v;
  if (e == (1 << exponent) - 1) {
    v = f != 0 ? std::numeric_limits<Wide>::quiet_NaN() : std::numeric_limits<Wide>::infinity();
  } else {
    v = e == 0 ? std::ldexp(static_cast<Wide>(f), 1 - bias - fraction)
               : std::ldexp(static_cast<Wide>(f + (1 << fraction)), e - bias - fraction);
  }
  return (bits & 0x8000) != 0 ? -v : v;
}
int exponent_bits(DLDataType t) { return t.code == kDLBfloat ? 8 : 5; }

/// Nearest by search among the ascending non-negative values; infinity stands at the next power of two.
uint16_t small_nearest(Wide x, int exponent) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  const auto top = static_cast<uint16_t>(((1 << exponent) - 1) << (15 - exponent));  // infinity's bits
  if (std::isnan(x)) return static_cast<uint16_t>(top | 1);
  const Wide a = std::fabs(x);
  const auto value = [&](uint16_t b) {
    return b == top ? std::ldexp(Wide(1), 1 << (exponent - 1)) : small_value(b, exponent);
  };
  if (a >= value(top)) return static_cast<uint16_t>(top | sign);
  uint16_t low = 0, high = top;
  while (high - low > 1) {
    const auto mid = static_cast<uint16_t>((low + high) / 2);
    (value(mid) <= a ? low : high) = mid;
  }
  const Wide down = a - value(low), up = value(high) - a;  // exact: few bits apart
  const uint16_t best = down < up || (down == up && low % 2 == 0) ? low : high;
  return static_cast<uint16_t>(best | sign);
}

template <class T>
T get(const void *p) {
  T x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
Wide read(DLDataType t, const char *p) {
  if (t.bits == 16) return small_value(get<uint16_t>(p), exponent_bits(t));
  if (is_real(t)) return t.bits == 64 ? static_cast<Wide>(get<double>(p)) : static_cast<Wide>(get<float>(p));
  if (t.code == kDLUInt) return get<uint8_t>(p);
  return t.bits == 64 ? static_cast<Wide>(get<int64_t>(p)) : (t.bits == 32 ? get<int32_t>(p) : get<int8_t>(p));
}

template <class I>
I saturated(Wide x) {
  if (std::isnan(x)) return 0;
  const Wide low = std::numeric_limits<I>::min(), high = std::numeric_limits<I>::max();
  return static_cast<I>(std::min(high, std::max(low, std::trunc(x))));
}
template <class T>
void put(char *p, T x) {
  std::memcpy(p, &x, sizeof x);
}
void write(DLDataType t, char *p, Wide x) {
  if (t.bits == 16) return put(p, small_nearest(x, exponent_bits(t)));
  if (is_real(t)) return t.bits == 64 ? put(p, static_cast<double>(x)) : put(p, static_cast<float>(x));
  if (t.code == kDLUInt) return put(p, saturated<uint8_t>(x));
  if (t.bits == 64) return put(p, saturated<int64_t>(x));
  return t.bits == 32 ? put(p, saturated<int32_t>(x)) : put(p, saturated<int8_t>(x));
}

/// Values at which conversions go wrong: ties of every width and what is next to them, limits, subnormals.
std::vector<Wide> values() {
  std::vector<Wide> v = {0,
                         1,
                         0.5,
                         1.5,
                         2.5,
                         127,
                         127.5,
                         128,
                         128.9,
                         129,
                         255,
                         255.9,
                         256,
                         2147483647.0,
                         2147483648.0,
                         65504,
                         65519.99,
                         65520,
                         65535,
                         65536,
                         9223372036854774784.0,
                         9223372036854775808.0};
  for (int bits : {8, 11, 24, 53}) {
    for (int e : {-149, -133, -126, -25, -24, -14, -1, 0, 7, 15, 31, 40, 62, 100}) {
      for (int odd : {0, 1}) {
        const Wide unit = std::ldexp(Wide(1), e - bits + 1), base = std::ldexp(Wide(1), e) + odd * unit;
        const Wide half = base + unit / 2;
        for (int next : {60, 30, 20}) {
          const Wide tick = std::ldexp(Wide(1), e - next);
          v.insert(v.end(), {base, half, half + tick, half - tick, base + tick});
        }
      }
    }
  }
  for (int e = -150; e <= 128; ++e) v.push_back(std::ldexp(Wide(1), e));
  for (int i = 1; i < 40; ++i) v.push_back(std::ldexp(Wide(i), -25));
  const size_t positive = v.size();
  for (size_t i = 0; i < positive; ++i) v.push_back(-v[i]);
  v.insert(v.end(), {std::numeric_limits<Wide>::infinity(), -std::numeric_limits<Wide>::infinity(),
                     std::numeric_limits<Wide>::quiet_NaN()});
  return v;
}

/// Inputs of a type: the values above as the type holds them, and all of its bit patterns up to 16 bits.
std::vector<char> inputs_of(DLDataType t) {
  std::vector<char> data;
  const size_t size = size_of(t);
  for (Wide x : values()) {
    data.resize(data.size() + size);
    write(t, data.data() + data.size() - size, x);
  }
  if (size > 2) return data;
  for (uint32_t b = 0; b < (size == 1 ? 256u : 65536u); ++b) {
    data.resize(data.size() + size);
    std::memcpy(data.data() + data.size() - size, &b, size);
  }
  return data;
}

::testing::AssertionResult same_elements(DLDataType t, const char *got, const char *want, size_t n, DLDataType from,
                                         const char *in) {
  for (size_t i = 0; i < n; ++i) {
    const char *a = got + i * size_of(t), *b = want + i * size_of(t);
    if (is_real(t) && std::isnan(read(t, a)) && std::isnan(read(t, b))) continue;
    if (std::memcmp(a, b, size_of(t)) != 0) {
      return ::testing::AssertionFailure() << "element " << i << ", input " << read(from, in + i * size_of(from))
                                           << ": got " << read(t, a) << ", want " << read(t, b);
    }
  }
  return ::testing::AssertionSuccess();
}

TEST(Cast, EveryPairOfTypesRoundsOnceOrSaturates) {
  for (const Type &from : kTypes) {
    const std::vector<char> in = inputs_of(from.dtype);
    const size_t n = in.size() / size_of(from.dtype);
    for (const Type &to : kTypes) {
      SCOPED_TRACE(std::string(from.name) + " to " + to.name);
      const size_t size = size_of(to.dtype);
      std::vector<char> want(n * size);
      for (size_t i = 0; i < n; ++i) write(to.dtype, &want[i * size], read(from.dtype, &in[i * size_of(from.dtype)]));
      const View x = compact({static_cast<int64_t>(n)}, from.dtype), y = compact({static_cast<int64_t>(n)}, to.dtype);
      View apart = y;
      apart.strides = {2};
      for (const auto &p : plugins()) {
        std::vector<char> got(n * size + 1, '\x5a'), spread(2 * n * size, '\x5a');
        ASSERT_EQ(p->run("cast", {x}, {in.data()}, y, got.data(), {string_attr("to", to.name)}, 7), RAYO_OK);
        ASSERT_TRUE(same_elements(to.dtype, got.data(), want.data(), n, from.dtype, in.data())) << p->name();
        ASSERT_EQ(got.back(), '\x5a') << p->name() << " wrote past the end";
        ASSERT_EQ(p->run("cast", {x}, {in.data()}, apart, spread.data(), {string_attr("to", to.name)}), RAYO_OK);
        for (size_t i = 0; i < n; ++i) {
          ASSERT_EQ(std::memcmp(&spread[2 * i * size], &got[i * size], size), 0) << p->name() << " strided";
          ASSERT_EQ(spread[(2 * i + 1) * size], '\x5a');
        }
      }
    }
  }
}

TEST(Cast, TailsEmptyTensorsScalarsAndTransposedInputs) {
  for (const auto &p : plugins()) {
    for (int64_t n = 0; n <= 70; ++n) {
      const auto x = make_data<double>(static_cast<size_t>(n), 5);
      std::vector<float> y(x.size() + 1, -77.0f);
      const View from = compact({n}, RAYO_F64), to = compact({n}, RAYO_F32);
      ASSERT_EQ(p->run("cast", {from}, {x.data()}, to, y.data(), {string_attr("to", "f32")}), RAYO_OK);
      for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], static_cast<float>(x[i]));
      ASSERT_EQ(y.back(), -77.0f);
    }
    const double one = 2.75;
    int64_t integer = 0;
    ASSERT_EQ(
        p->run("cast", {compact({}, RAYO_F64)}, {&one}, compact({}, RAYO_I64), &integer, {string_attr("to", "i64")}),
        RAYO_OK);
    EXPECT_EQ(integer, 2);
    const std::vector<float> m = {1, 2, 3, 4, 5, 6};
    std::vector<double> t(6);
    const View turned = {{3, 2}, {1, 3}, RAYO_F32};
    ASSERT_EQ(p->run("cast", {turned}, {m.data()}, compact({3, 2}, RAYO_F64), t.data(), {string_attr("to", "f64")}),
              RAYO_OK);
    EXPECT_EQ(t, (std::vector<double>{1, 4, 2, 5, 3, 6})) << p->name();
  }
}

}  // namespace
}  // namespace rayo_test
