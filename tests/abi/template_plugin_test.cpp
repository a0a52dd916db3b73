// SPDX-License-Identifier: Apache-2.0
//
// Runs the plugin that the template test built out of tree, and with it plugin.hpp's helpers: strides, threads,
// in-place, empty tensors, attributes, errors.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "mini_host.h"

namespace {

class TemplatePlugin : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(plugin->create(&host, &instance, &error), RAYO_OK) << error.text; }
  void TearDown() override { plugin->destroy(instance); }

  mini::Call call() {
    mini::Call c(host, "acme.scale_shift");
    c.attr({"scale", RAYO_ATTR_FLOAT, 1, &scale}).attr({"shift", RAYO_ATTR_FLOAT, 1, &shift});
    return c;
  }
  rayo_status run(mini::Call &c, const float *x, float *y, uint32_t threads) {
    rayo_prepared prepared = mini::empty_prepared();
    rayo_status status = kernel->prepare(instance, &c.desc(), &prepared, &error);
    if (status != RAYO_OK) return status;
    EXPECT_GE(prepared.threads, 1u);
    status = mini::call(prepared, {x}, {y}, threads);
    kernel->release(instance, prepared.state);
    return status;
  }

  mini::Host host;
  mini::Plugin file{TEMPLATE_FILE};
  const rayo_plugin *plugin = file.query(host);
  const rayo_kernel *kernel = mini::find_kernel(*plugin, "acme.scale_shift");
  rayo_instance *instance = nullptr;
  rayo_error error{};
  double scale = 3, shift = 0.5;
};

TEST_F(TemplatePlugin, SameBitsForAnyThreadsAndStrides) {
  const int64_t n = 100003;
  std::vector<float> x(n), expected(n), y(n), wide(2 * n);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = 0.1f * static_cast<float>(i % 977) - 31.0f;
    expected[i] = std::fma(3.0f, x[i], 0.5f);
  }
  for (uint32_t threads : {1u, 2u, 7u}) {
    std::fill(y.begin(), y.end(), 0.0f);
    mini::Call c = call();
    c.input({n}).output({n});
    ASSERT_EQ(run(c, x.data(), y.data(), threads), RAYO_OK);
    for (int64_t i = 0; i < n; ++i)
      ASSERT_EQ(std::bit_cast<uint32_t>(y[i]), std::bit_cast<uint32_t>(expected[i])) << threads << " threads, " << i;
  }
  mini::Call strided = call();
  strided.input({n}, {-1}).output({n}, {2});
  ASSERT_EQ(run(strided, x.data() + n - 1, wide.data(), 2), RAYO_OK);
  for (int64_t i = 0; i < n; ++i) {
    ASSERT_EQ(wide[2 * i], expected[n - 1 - i]) << i;
    ASSERT_EQ(wide[2 * i + 1], 0.0f) << "written between the output's elements";
  }
}

TEST_F(TemplatePlugin, WalksTransposedBroadcastAndManyShortRows) {
  const int64_t rows = 9001, cols = 3;  // many rows in one task, a last task that is not full
  std::vector<float> x(rows * cols), y(rows * cols);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  mini::Call transposed = call();
  transposed.input({rows, cols}, {1, rows}).output({rows, cols});
  ASSERT_EQ(run(transposed, x.data(), y.data(), 3), RAYO_OK);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) ASSERT_EQ(y[r * cols + c], std::fma(3.0f, x[c * rows + r], 0.5f));
  mini::Call broadcast = call();
  broadcast.input({2, rows, cols}, {0, 0, 1}).output({2, rows, cols});
  std::vector<float> big(2 * rows * cols);
  ASSERT_EQ(run(broadcast, x.data(), big.data(), 3), RAYO_OK);
  for (std::size_t i = 0; i < big.size(); ++i) ASSERT_EQ(big[i], std::fma(3.0f, x[i % cols], 0.5f));
}

TEST_F(TemplatePlugin, InPlaceScalarEmptyAndNan) {
  float x[3] = {1, NAN, -INFINITY};
  mini::Call c = call();
  c.input({3}).output({3});
  ASSERT_EQ(run(c, x, x, 1), RAYO_OK);
  EXPECT_EQ(x[0], 3.5f);
  EXPECT_TRUE(std::isnan(x[1]));
  EXPECT_EQ(x[2], -INFINITY);
  mini::Call scalar = call();
  scalar.input({}).output({});
  ASSERT_EQ(run(scalar, x, x, 1), RAYO_OK);
  EXPECT_EQ(x[0], 11.0f);
  mini::Call empty = call();
  empty.input({4, 0, 2}).output({4, 0, 2});
  EXPECT_EQ(run(empty, nullptr, nullptr, 2), RAYO_OK);
}

TEST_F(TemplatePlugin, FenceTurnsExceptionsIntoStatusAndText) {
  mini::Call bare(host, "acme.scale_shift");  // as a broken host would call: no attributes
  bare.input({3}).output({3});
  float x[3] = {};
  EXPECT_EQ(run(bare, x, x, 1), RAYO_INTERNAL);
  EXPECT_EQ(error.status, RAYO_INTERNAL);
  EXPECT_NE(std::string(error.text).find("'scale'"), std::string::npos) << error.text;
  rayo_struct unknown{sizeof(rayo_struct), 0x77u | RAYO_MUST_UNDERSTAND, nullptr};
  mini::Call extended = call();
  extended.input({3}).output({3});
  extended.desc().next = &unknown;
  EXPECT_EQ(run(extended, x, x, 1), RAYO_UNSUPPORTED) << "a must-understand extension was ignored";
}

TEST_F(TemplatePlugin, SchemaInfersTheInputsShape) {
  mini::Call c = call();
  c.input({4, 5});
  rayo_shape out{};
  ASSERT_EQ(plugin->schemas[0]->infer_shape(&c.desc(), &out, &error), RAYO_OK);
  EXPECT_EQ(out.ndim, 2);
  EXPECT_EQ(out.extents[0], 4);
  EXPECT_EQ(out.extents[1], 5);
}

}  // namespace
