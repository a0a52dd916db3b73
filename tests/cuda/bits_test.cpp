// SPDX-License-Identifier: Apache-2.0
//
// The CUDA plugin's kernels on the simulated device against the scalar plugin, bit for bit: the arithmetic, the order
// of combination, the index arithmetic and the parameters that the host half packs. What a GPU does with them is judged
// on a GPU.
#include <cmath>

#include "device_harness.h"

namespace {

using cuda_test::Device;
using rayo_test::Attr;
using rayo_test::float_attr;
using rayo_test::int_attr;
using rayo_test::make_data;
using rayo_test::Plugin;
using rayo_test::same_bits;
using rayo_test::string_attr;
using rayo_test::View;

/// A tensor in memory of its own: shape, strides, where element 0 is.
struct Tensor {
  View view;
  std::vector<float> memory;
  std::size_t origin = 0;
};

int64_t count_of(const std::vector<int64_t> &shape) {
  int64_t n = 1;
  for (const int64_t e : shape) n *= e;
  return n;
}

Tensor compact(const std::vector<int64_t> &shape, uint64_t seed, bool specials = true) {
  Tensor t;
  t.view.shape = shape;
  t.memory = make_data<float>(static_cast<std::size_t>(std::max<int64_t>(1, count_of(shape))), seed, specials);
  return t;
}
/// Every axis backwards, two elements apart.
Tensor backwards(const std::vector<int64_t> &shape, uint64_t seed, bool specials = true) {
  Tensor t = compact(shape, seed, specials);
  t.view.strides = Device::row_major(shape);
  for (int64_t &s : t.view.strides) s *= -2;
  t.memory = make_data<float>(static_cast<std::size_t>(2 * std::max<int64_t>(1, count_of(shape))), seed, specials);
  t.origin = t.memory.size() - 1;
  return t;
}
/// The last two axes in the other order in memory.
Tensor transposed(const std::vector<int64_t> &shape, uint64_t seed, bool specials = true) {
  Tensor t = compact(shape, seed, specials);
  std::vector<int64_t> swapped = shape;
  std::swap(swapped[shape.size() - 1], swapped[shape.size() - 2]);
  t.view.strides = Device::row_major(swapped);
  std::swap(t.view.strides[shape.size() - 1], t.view.strides[shape.size() - 2]);
  return t;
}

class CudaBits : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    device_ = new Device;
    scalar_ = new Plugin(SCALAR_FILE, rayo_test::host_features());
  }
  static void TearDownTestSuite() {
    const auto live_bytes = device_->live_bytes;
    delete device_;
    EXPECT_EQ(live_bytes(), 0u) << "buffers were not given back";
    delete scalar_;
  }

  /// The op on both. The output starts as the same canaries on both sides, in `shape` with `strides`.
  static ::testing::AssertionResult agree(const std::string &op, const std::vector<Tensor> &inputs, Tensor output,
                                          const std::vector<Attr> &attrs = {}, std::string kernel = "") {
    if (kernel.empty()) kernel = op + "_f32";
    std::vector<View> views;
    std::vector<const void *> in;
    std::vector<Device::Operand> operands;
    for (const Tensor &t : inputs) {
      views.push_back(t.view);
      in.push_back(t.memory.data() + t.origin);
      operands.push_back(
          {t.view, const_cast<float *>(t.memory.data()), t.memory.size() * sizeof(float), t.origin * sizeof(float)});
    }
    Tensor wanted = output;
    const rayo_status expected = scalar_->run(op, views, in, wanted.view, wanted.memory.data() + wanted.origin, attrs);
    if (expected != RAYO_OK) return ::testing::AssertionFailure() << "scalar answers " << expected;
    const rayo_status status = device_->run(
        kernel, operands,
        {{output.view, output.memory.data(), output.memory.size() * sizeof(float), output.origin * sizeof(float)}},
        attrs);
    if (status != RAYO_OK)
      return ::testing::AssertionFailure() << "device answers " << status << ": " << cuda_test::last_text();
    return same_bits(output.memory, wanted.memory);
  }

  static Device *device_;
  static Plugin *scalar_;
};
Device *CudaBits::device_ = nullptr;
Plugin *CudaBits::scalar_ = nullptr;

const std::vector<std::vector<int64_t>> kShapes = {{}, {1}, {3}, {1000}, {0, 4}, {5, 6, 7}};

TEST_F(CudaBits, UnaryOps) {
  for (const std::string op : {"neg", "abs", "sqrt", "rsqrt", "exp", "log", "sin", "cos", "tanh", "sigmoid", "erf",
                               "relu", "swish", "round", "floor", "ceil"}) {
    for (const auto &shape : kShapes) {
      EXPECT_TRUE(agree(op, {compact(shape, 1)}, compact(shape, 9))) << op;
      EXPECT_TRUE(agree(op, {backwards(shape, 2)}, compact(shape, 9))) << op;
      EXPECT_TRUE(agree(op, {compact(shape, 3)}, backwards(shape, 9))) << op;
    }
    Tensor wide = compact({4099}, 4);
    for (std::size_t i = 0; i < wide.memory.size(); ++i)
      wide.memory[i] *= std::ldexp(1.0f, static_cast<int>(i % 90) - 40);
    EXPECT_TRUE(agree(op, {wide}, compact({4099}, 9))) << op;
  }
}

TEST_F(CudaBits, UnaryOpsWithAttributes) {
  const Tensor x = compact({2050}, 5), y = compact({2050}, 9);
  EXPECT_TRUE(agree("leaky_relu", {x}, y, {float_attr("alpha", 0.1)}));
  EXPECT_TRUE(agree("elu", {x}, y, {float_attr("alpha", 0.7)}));
  EXPECT_TRUE(agree("gelu", {x}, y, {string_attr("approximate", "none")}, "gelu_none_f32"));
  EXPECT_TRUE(agree("gelu", {x}, y, {string_attr("approximate", "tanh")}, "gelu_none_f32"));
}

TEST_F(CudaBits, BinaryAndTernaryOps) {
  for (const std::string op : {"add", "sub", "mul", "div", "max", "min", "pow"}) {
    for (const auto &shape : kShapes) {
      EXPECT_TRUE(agree(op, {compact(shape, 1), compact(shape, 2)}, compact(shape, 9))) << op;
      EXPECT_TRUE(agree(op, {compact(shape, 1), backwards(shape, 2)}, compact(shape, 9))) << op;
    }
    Tensor one = compact({1}, 3);
    one.view.shape = {999};
    one.view.strides = {0};
    EXPECT_TRUE(agree(op, {compact({999}, 1), one}, compact({999}, 9))) << op;
    EXPECT_TRUE(agree(op, {one, compact({999}, 1)}, compact({999}, 9))) << op;
    Tensor column = compact({30, 1}, 4);
    column.view.shape = {30, 31};
    column.view.strides = {1, 0};
    EXPECT_TRUE(agree(op, {compact({30, 31}, 1), column}, compact({30, 31}, 9))) << op;
  }
  const Tensor a = compact({777}, 1), b = compact({777}, 2), c = compact({777}, 3), y = compact({777}, 9);
  EXPECT_TRUE(agree("fma", {a, b, c}, y));
  EXPECT_TRUE(agree("clip", {a, b, c}, y));
}

std::vector<Attr> axes(std::vector<int64_t> list, int64_t keepdims) {
  return {int_attr("axes", std::move(list)), int_attr("keepdims", {keepdims})};
}

TEST_F(CudaBits, ReductionsInTheLaneOrder) {
  for (const std::string op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_l1", "reduce_l2"}) {
    for (const int64_t n : {0, 1, 63, 64, 65, 255, 257, 1000}) {
      EXPECT_TRUE(agree(op, {compact({3, n}, 1, n % 2 == 0)}, compact({3}, 9), axes({1}, 0))) << op << " " << n;
      EXPECT_TRUE(agree(op, {backwards({n}, 2, false)}, compact({}, 9), axes({}, 0))) << op << " " << n;
    }
    for (const int64_t n : {16384, 16385, 50001, 16384 * 5 + 7}) {
      EXPECT_TRUE(agree(op, {compact({n}, 3, false)}, compact({1}, 9), axes({}, 1))) << op << " " << n;
    }
    EXPECT_TRUE(agree(op, {compact({2, 33000}, 4, false)}, compact({2, 1}, 9), axes({1}, 1))) << op;
    EXPECT_TRUE(agree(op, {compact({5, 4, 30}, 5, false)}, compact({4}, 9), axes({0, 2}, 0))) << op;
    EXPECT_TRUE(agree(op, {transposed({40, 50}, 6, false)}, compact({40}, 9), axes({1}, 0))) << op;
  }
}

TEST_F(CudaBits, ReductionsInTheChainOrder) {
  for (const std::string op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_l1", "reduce_l2"}) {
    for (const int64_t n : {0, 1, 255, 256, 257, 1500}) {
      EXPECT_TRUE(agree(op, {compact({n, 9}, 1, n % 2 == 1)}, compact({9}, 9), axes({0}, 0))) << op << " " << n;
    }
    EXPECT_TRUE(agree(op, {compact({7, 300, 3}, 2, false)}, compact({7, 1, 3}, 9), axes({1}, 1))) << op;
    EXPECT_TRUE(agree(op, {transposed({600, 5}, 3, false)}, compact({5}, 9), axes({0}, 0))) << op;
  }
}

TEST_F(CudaBits, DotKeepsTheSignOfAnUnderflow) {
  for (const int64_t n : {0, 1, 64, 65, 1000, 16385, 40000}) {
    EXPECT_TRUE(agree("dot", {compact({n}, 1, false), compact({n}, 2, false)}, compact({}, 9))) << n;
  }
  Tensor tiny = compact({64}, 1, false), negative = tiny;
  for (float &x : tiny.memory) x = 1e-30f;
  for (float &x : negative.memory) x = -1e-30f;
  EXPECT_TRUE(agree("dot", {tiny, negative}, compact({}, 9)));
}

TEST_F(CudaBits, SoftmaxAlongAnyAxis) {
  for (const std::string op : {"softmax", "log_softmax"}) {
    for (const int64_t n : {1, 65, 700, 8192, 8193, 40000}) {
      EXPECT_TRUE(agree(op, {compact({2, n}, 1, false)}, compact({2, n}, 9), {int_attr("axis", {1})})) << op << n;
    }
    EXPECT_TRUE(agree(op, {compact({3, 90}, 2, true)}, compact({3, 90}, 9), {int_attr("axis", {1})})) << op;
    for (const int64_t n : {1, 256, 257, 1030}) {
      EXPECT_TRUE(agree(op, {compact({n, 4}, 3, false)}, compact({n, 4}, 9), {int_attr("axis", {0})})) << op << n;
    }
    EXPECT_TRUE(agree(op, {transposed({6, 300}, 4, false)}, transposed({6, 300}, 9), {int_attr("axis", {1})})) << op;
    EXPECT_TRUE(agree(op, {compact({2, 5, 3}, 5, false)}, compact({2, 5, 3}, 9), {int_attr("axis", {1})})) << op;
    EXPECT_TRUE(agree(op, {compact({}, 5, false)}, compact({}, 9), {int_attr("axis", {0})})) << op;
  }
}

TEST_F(CudaBits, Norms) {
  const auto attrs = [](int64_t axis) {
    return std::vector<Attr>{int_attr("axis", {axis}), float_attr("epsilon", 1e-5)};
  };
  for (const int64_t n : {1, 64, 777, 8192, 20000}) {
    const Tensor x = compact({3, n}, 1, false), y = compact({3, n}, 9), g = compact({n}, 2, false),
                 b = compact({n}, 3, false);
    EXPECT_TRUE(agree("layer_norm", {x, g, b}, y, attrs(1))) << n;
    EXPECT_TRUE(agree("layer_norm", {x, g}, y, attrs(1))) << n;
    EXPECT_TRUE(agree("rms_norm", {x, g}, y, attrs(1))) << n;
  }
  const Tensor g = compact({6}, 2, false);
  EXPECT_TRUE(agree("layer_norm", {transposed({4, 5, 6}, 1, false), g, g}, compact({4, 5, 6}, 9), attrs(1)));
  EXPECT_TRUE(agree("rms_norm", {backwards({4, 5, 6}, 1, false), g}, compact({4, 5, 6}, 9), attrs(0)));
}

TEST_F(CudaBits, Products) {
  const std::vector<Attr> plain = {int_attr("batch_invariant", {0})};
  for (const auto &[m, n, k] : std::vector<std::array<int64_t, 3>>{
           {1, 1, 1}, {2, 3, 0}, {33, 65, 17}, {32, 64, 16}, {40, 130, 100}, {130, 129, 33}, {7, 200, 40}}) {
    const Tensor a = compact({m, k}, 1, false), b = compact({k, n}, 2, false), y = compact({m, n}, 9);
    EXPECT_TRUE(agree("matmul", {a, b}, y, plain)) << m << " " << n << " " << k;
    EXPECT_TRUE(
        agree("matmul", {transposed({m, k}, 1, false), transposed({k, n}, 2, false)}, transposed({m, n}, 9), plain));
  }
  EXPECT_TRUE(
      agree("matmul", {backwards({20, 30}, 1, false), backwards({30, 10}, 2, false)}, backwards({20, 10}, 9), plain));
  // NaN and infinities reach the elements they belong to and no others.
  EXPECT_TRUE(agree("matmul", {compact({70, 20}, 1), compact({20, 70}, 2)}, compact({70, 70}, 9), plain));
  // Batches, broadcast.
  EXPECT_TRUE(agree("matmul", {compact({2, 3, 8, 9}, 1, false), compact({3, 9, 5}, 2, false)}, compact({2, 3, 8, 5}, 9),
                    plain));
  EXPECT_TRUE(agree("matmul", {compact({4, 1, 8, 9}, 1, false), compact({9}, 2, false)}, compact({4, 1, 8}, 9), plain));
  // Matrix times vector: the dot order; with batch_invariant the chain.
  for (const int64_t invariant : {0, 1}) {
    const std::vector<Attr> attrs = {int_attr("batch_invariant", {invariant})};
    for (const int64_t k : {1, 63, 1000, 16385}) {
      EXPECT_TRUE(agree("matmul", {compact({5, k}, 1, false), compact({k, 1}, 2, false)}, compact({5, 1}, 9), attrs))
          << k;
      EXPECT_TRUE(agree("matmul", {compact({1, k}, 1, false), compact({k, 5}, 2, false)}, compact({1, 5}, 9), attrs))
          << k;
    }
  }
}

TEST_F(CudaBits, TheLargeTile) {
  // One multiprocessor is simulated: any product beyond 32 rows takes the large tile, smaller ones the small tile.
  const std::vector<Attr> plain = {int_attr("batch_invariant", {0})};
  for (const int64_t m : {32, 33, 128, 129}) {
    EXPECT_TRUE(
        agree("matmul", {compact({m, 37}, 1, false), compact({37, 131}, 2, false)}, compact({m, 131}, 9), plain))
        << m;
  }
}

TEST_F(CudaBits, Gemm) {
  for (const int64_t ta : {0, 1}) {
    for (const int64_t tb : {0, 1}) {
      for (const double beta : {0.0, 1.0, 0.7}) {
        const std::vector<Attr> attrs = {float_attr("alpha", 0.3), float_attr("beta", beta), int_attr("transA", {ta}),
                                         int_attr("transB", {tb}), int_attr("batch_invariant", {0})};
        for (const auto &[m, n] : std::vector<std::array<int64_t, 2>>{{45, 70}, {1, 70}, {45, 1}, {1, 1}}) {
          const int64_t k = 90;
          const Tensor a = compact(ta != 0 ? std::vector{k, m} : std::vector{m, k}, 1, false);
          const Tensor b = compact(tb != 0 ? std::vector{n, k} : std::vector{k, n}, 2, false);
          const Tensor y = compact({m, n}, 9);
          EXPECT_TRUE(agree("gemm", {a, b}, y, attrs)) << ta << tb << beta << " " << m << "x" << n;
          for (const std::vector<int64_t> &c : {std::vector<int64_t>{m, n}, {n}, {m, 1}, {1}}) {
            EXPECT_TRUE(agree("gemm", {a, b, compact(c, 3, false)}, y, attrs))
                << ta << tb << beta << " " << m << "x" << n;
          }
        }
      }
    }
  }
}

TEST_F(CudaBits, Transpose) {
  const auto perm = [](std::vector<int64_t> p) { return std::vector<Attr>{int_attr("perm", std::move(p))}; };
  EXPECT_TRUE(agree("transpose", {compact({70, 45}, 1)}, compact({45, 70}, 9), perm({}), "transpose_b32"));
  EXPECT_TRUE(agree("transpose", {compact({3, 33, 40}, 1)}, compact({40, 33, 3}, 9), perm({2, 1, 0}), "transpose_b32"));
  EXPECT_TRUE(agree("transpose", {compact({3, 33, 40}, 1)}, compact({3, 40, 33}, 9), perm({0, 2, 1}), "transpose_b32"));
  EXPECT_TRUE(
      agree("transpose", {compact({2, 3, 4, 5}, 1)}, compact({4, 2, 5, 3}, 9), perm({2, 0, 3, 1}), "transpose_b32"));
  EXPECT_TRUE(agree("transpose", {backwards({70, 45}, 1)}, compact({45, 70}, 9), perm({1, 0}), "transpose_b32"));
  EXPECT_TRUE(agree("transpose", {compact({}, 1)}, compact({}, 9), perm({}), "transpose_b32"));
}

template <class Q>
void quantise_both(Device &device, const Plugin &scalar, DLDataType type, const std::vector<int64_t> &scale_shape) {
  const std::vector<int64_t> shape = {6, 100};
  std::vector<float> x = make_data<float>(600, 1, true), scale(static_cast<std::size_t>(count_of(scale_shape)));
  std::vector<Q> zero(scale.size()), got(600, Q(7)), want(600, Q(7));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= static_cast<float>(i % 50);
  for (std::size_t i = 0; i < scale.size(); ++i)
    scale[i] = 0.01f + 0.003f * static_cast<float>(i), zero[i] = static_cast<Q>(i * 5);
  const auto view = [](const std::vector<int64_t> &s, DLDataType t) { return rayo_test::compact(s, t); };
  const std::vector<Attr> attrs = {int_attr("axis", {0}), string_attr("output_dtype", "")};
  ASSERT_EQ(scalar.run("quantize_linear", {view(shape, RAYO_F32), view(scale_shape, RAYO_F32), view(scale_shape, type)},
                       {x.data(), scale.data(), zero.data()}, view(shape, type), want.data(), attrs),
            RAYO_OK);
  ASSERT_EQ(device.run("quantize_linear",
                       {Device::operand(shape, x, RAYO_F32), Device::operand(scale_shape, scale, RAYO_F32),
                        Device::operand(scale_shape, zero, type)},
                       {Device::operand(shape, got, type)}, attrs),
            RAYO_OK)
      << cuda_test::last_text();
  EXPECT_EQ(got, want);
  std::vector<float> back(600, 1.0f), back_want(600, 1.0f);
  ASSERT_EQ(scalar.run("dequantize_linear", {view(shape, type), view(scale_shape, RAYO_F32)},
                       {want.data(), scale.data()}, view(shape, RAYO_F32), back_want.data(), {int_attr("axis", {0})}),
            RAYO_OK);
  ASSERT_EQ(device.run("dequantize_linear",
                       {Device::operand(shape, got, type), Device::operand(scale_shape, scale, RAYO_F32)},
                       {Device::operand(shape, back, RAYO_F32)}, {int_attr("axis", {0})}),
            RAYO_OK)
      << cuda_test::last_text();
  EXPECT_TRUE(same_bits(back, back_want));
}

TEST_F(CudaBits, QuantizeAndDequantize) {
  for (const std::vector<int64_t> &scale : {std::vector<int64_t>{}, {6}}) {
    quantise_both<uint8_t>(*device_, *scalar_, RAYO_U8, scale);
    quantise_both<int8_t>(*device_, *scalar_, RAYO_I8, scale);
  }
}

/// Small integers: exact in TF32 and BF16, and so are their sums in any order.
TEST_F(CudaBits, TensorCoreProductsOfIntegersAreExact) {
  for (const auto &[m, n, k] :
       std::vector<std::array<int64_t, 3>>{{64, 64, 32}, {1, 1, 1}, {70, 90, 45}, {16, 8, 130}}) {
    std::vector<float> a(static_cast<std::size_t>(m * k)), b(static_cast<std::size_t>(k * n));
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(static_cast<int>(i * 7 % 31) - 15);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(static_cast<int>(i * 11 % 29) - 14);
    std::vector<float> want(static_cast<std::size_t>(m * n)), got(want.size(), -1.0f);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        for (int64_t p = 0; p < k; ++p)
          want[static_cast<std::size_t>(i * n + j)] +=
              a[static_cast<std::size_t>(i * k + p)] * b[static_cast<std::size_t>(p * n + j)];
    ASSERT_EQ(device_->run("matmul_tf32", {Device::operand({m, k}, a, RAYO_F32), Device::operand({k, n}, b, RAYO_F32)},
                           {Device::operand({m, n}, got, RAYO_F32)}, {int_attr("batch_invariant", {0})}),
              RAYO_OK)
        << cuda_test::last_text();
    EXPECT_EQ(got, want) << m << " " << n << " " << k;
    std::vector<uint16_t> ah(a.size()), bh(b.size());
    const auto half = [](float x) {
      uint32_t bits;
      std::memcpy(&bits, &x, sizeof bits);
      return static_cast<uint16_t>(bits >> 16);
    };
    for (std::size_t i = 0; i < a.size(); ++i) ah[i] = half(a[i]);
    for (std::size_t i = 0; i < b.size(); ++i) bh[i] = half(b[i]);
    got.assign(want.size(), -1.0f);
    ASSERT_EQ(
        device_->run("matmul_bf16", {Device::operand({m, k}, ah, RAYO_BF16), Device::operand({k, n}, bh, RAYO_BF16)},
                     {Device::operand({m, n}, got, RAYO_F32)}, {int_attr("batch_invariant", {0})}),
        RAYO_OK)
        << cuda_test::last_text();
    EXPECT_EQ(got, want) << m << " " << n << " " << k;
  }
}

/// Row by row in f64; the softmax bound of the contract times the values' size, plus the sums' own error.
TEST_F(CudaBits, AttentionIsWithinTheBoundOfSoftmax) {
  constexpr int64_t kHeads = 4, kKeyHeads = 2;
  for (const auto &[rows, keys, width, depth] :
       std::vector<std::array<int64_t, 4>>{{1, 1, 1, 1}, {33, 70, 16, 24}, {40, 40, 64, 128}, {5, 100, 128, 3}}) {
    const std::vector<int64_t> qs = {2, kHeads, rows, width}, ks = {2, kKeyHeads, keys, width},
                               vs = {2, kKeyHeads, keys, depth}, ys = {2, kHeads, rows, depth};
    std::vector<float> q = make_data<float>(static_cast<std::size_t>(count_of(qs)), 1),
                       k = make_data<float>(static_cast<std::size_t>(count_of(ks)), 2),
                       v = make_data<float>(static_cast<std::size_t>(count_of(vs)), 3),
                       y(static_cast<std::size_t>(count_of(ys)), -9.0f);
    for (const int64_t causal : {0, 1}) {
      ASSERT_EQ(
          device_->run(
              "attention_f32",
              {Device::operand(qs, q, RAYO_F32), Device::operand(ks, k, RAYO_F32), Device::operand(vs, v, RAYO_F32)},
              {Device::operand(ys, y, RAYO_F32)}, {int_attr("causal", {causal}), float_attr("scale", 0.0)}),
          RAYO_OK)
          << cuda_test::last_text();
      for (int64_t bh = 0; bh < 2 * kHeads; ++bh) {
        const int64_t kv = bh / kHeads * kKeyHeads + bh % kHeads / (kHeads / kKeyHeads);
        for (int64_t i = 0; i < rows; ++i) {
          const int64_t seen = causal != 0 ? std::min(keys, i + 1 + keys - rows) : keys;
          std::vector<double> s(static_cast<std::size_t>(std::max<int64_t>(0, seen)));
          double top = -INFINITY, sum = 0;
          for (int64_t j = 0; j < seen; ++j) {
            double dot = 0;
            for (int64_t w = 0; w < width; ++w)
              dot += static_cast<double>(q[static_cast<std::size_t>((bh * rows + i) * width + w)]) *
                     k[static_cast<std::size_t>((kv * keys + j) * width + w)];
            s[static_cast<std::size_t>(j)] = dot / std::sqrt(static_cast<double>(width));
            top = std::max(top, s[static_cast<std::size_t>(j)]);
          }
          for (double &e : s) sum += e = std::exp(e - top);
          for (int64_t c = 0; c < depth; ++c) {
            double want = 0, size = 0;
            for (int64_t j = 0; j < seen; ++j) {
              const double term =
                  s[static_cast<std::size_t>(j)] / sum * v[static_cast<std::size_t>((kv * keys + j) * depth + c)];
              want += term;
              size += std::abs(term);
            }
            const float got = y[static_cast<std::size_t>((bh * rows + i) * depth + c)];
            if (seen <= 0) {
              EXPECT_TRUE(std::isnan(got)) << "a query that sees no key";
              continue;
            }
            // Scores: gamma_width of |q||k| <= 1 each; exp and sums: 16 + 2 sqrt n; products with V: gamma_n.
            const double n = static_cast<double>(seen), w = static_cast<double>(width);
            const double bound = 0x1p-24 * size * (2 * std::sqrt(w) * (w + 2) + 16 + 2 * std::sqrt(n) + n);
            EXPECT_NEAR(got, want, bound) << bh << " " << i << " " << c << " causal " << causal;
          }
        }
      }
    }
  }
}

}  // namespace
