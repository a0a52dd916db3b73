// SPDX-License-Identifier: Apache-2.0
//
// Drives the C11 vendor plugin through the ABI: its own op, schema, attributes, shape inference, kernel, errors.
#include <gtest/gtest.h>

#include <cmath>

#include "mini_host.h"

namespace {

class VendorC11 : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(plugin->create(&host, &instance, &error), RAYO_OK) << error.text;
    ASSERT_EQ(plugin->schema_count, 1u);
  }
  void TearDown() override {
    plugin->destroy(instance);
    EXPECT_EQ(host.live, 0) << "the plugin kept memory of the host";
  }
  // The attributes as a core fills them in: complete, in the schema's order.
  mini::Call call(int64_t size, int64_t step, const char *mode) {
    size_ = size;
    step_ = step;
    mini::Call c(host, "acme.window");
    c.attr({"size", RAYO_ATTR_INT, 1, &size_}).attr({"step", RAYO_ATTR_INT, 1, &step_});
    c.attr({"limit", RAYO_ATTR_FLOAT, 1, &limit_});
    c.attr({"mode", RAYO_ATTR_STRING, static_cast<uint32_t>(std::string(mode).size()), mode});
    return c;
  }
  rayo_status infer(mini::Call &c, rayo_shape &out) { return plugin->schemas[0]->infer_shape(&c.desc(), &out, &error); }

  mini::Host host;
  mini::Plugin file{VENDOR_C11_FILE};
  const rayo_plugin *plugin = file.query(host);
  rayo_instance *instance = nullptr;
  rayo_error error{};
  int64_t size_ = 0, step_ = 0;
  double limit_ = INFINITY;
};

TEST_F(VendorC11, SchemaDeclaresAttributesWithDefaults) {
  const rayo_op_schema &schema = *plugin->schemas[0];
  ASSERT_EQ(schema.attr_count, 4u);
  EXPECT_STREQ(schema.attrs[0]->name, "size");
  EXPECT_EQ(schema.attrs[0]->flags, RAYO_ATTR_REQUIRED);
  EXPECT_EQ(*static_cast<const int64_t *>(schema.attrs[1]->default_data), 1);
  EXPECT_EQ(*static_cast<const double *>(schema.attrs[2]->default_data), INFINITY);
  EXPECT_STREQ(static_cast<const char *>(schema.attrs[3]->default_data), "max");
  EXPECT_EQ(schema.attrs[3]->default_count, 3u);
}

TEST_F(VendorC11, ShapeFollowsFromAttributes) {
  rayo_shape out{};
  mini::Call c = call(3, 2, "max");
  c.input({4, 8});
  ASSERT_EQ(infer(c, out), RAYO_OK) << error.text;
  EXPECT_EQ(out.ndim, 2);
  EXPECT_EQ(out.extents[0], 4);
  EXPECT_EQ(out.extents[1], 3);
  EXPECT_EQ(out.dtype.bits, 32);
}

TEST_F(VendorC11, WrongAttributesAreRefusedWithTheirValues) {
  rayo_shape out{};
  mini::Call large = call(9, 1, "max");
  large.input({4, 8});
  EXPECT_EQ(infer(large, out), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.text).find("size 9"), std::string::npos) << error.text;
  mini::Call mode = call(2, 1, "median");
  mode.input({8});
  EXPECT_EQ(infer(mode, out), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.text).find("'median'"), std::string::npos) << error.text;
}

TEST_F(VendorC11, UnsupportedDescriptorHasAReason) {
  const rayo_kernel &kernel = *plugin->kernels[0];
  mini::Call c = call(2, 1, "max");
  c.input({2, 3, 8}).output({2, 3, 7});
  EXPECT_EQ(kernel.supports(instance, &c.desc()), RAYO_WHY_RANK);
  mini::Call fits = call(2, 1, "max");
  fits.input({3, 8}).output({3, 7});
  EXPECT_EQ(kernel.supports(instance, &fits.desc()), RAYO_WHY_SUPPORTED);
}

TEST_F(VendorC11, ComputesOverNegativeStridesWithWorkspace) {
  const rayo_kernel &kernel = *plugin->kernels[0];
  mini::Call c = call(2, 1, "sum");
  c.input({2, 3}, {3, -1}).output({2, 2});
  rayo_prepared prepared = mini::empty_prepared();
  ASSERT_EQ(kernel.prepare(instance, &c.desc(), &prepared, &error), RAYO_OK) << error.text;
  EXPECT_EQ(prepared.workspace_size, 2 * sizeof(float));
  const float x[] = {1, 2, 4, 8, 16, 32};  // rows reversed: 4 2 1 and 32 16 8
  float y[4] = {};
  EXPECT_EQ(mini::call(prepared, {x + 2}, {y}), RAYO_OK);
  EXPECT_EQ(y[0], 6);
  EXPECT_EQ(y[1], 3);
  EXPECT_EQ(y[2], 48);
  EXPECT_EQ(y[3], 24);
  kernel.release(instance, prepared.state);
}

TEST_F(VendorC11, HotFunctionLeavesItsTextWithTheHost) {
  const rayo_kernel &kernel = *plugin->kernels[0];
  limit_ = 3;
  mini::Call c = call(1, 1, "max");
  c.input({2}).output({2});
  rayo_prepared prepared = mini::empty_prepared();
  ASSERT_EQ(kernel.prepare(instance, &c.desc(), &prepared, &error), RAYO_OK) << error.text;
  const float x[] = {1, 4};
  float y[2];
  EXPECT_EQ(mini::call(prepared, {x}, {y}), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(host.status, RAYO_INVALID_ARGUMENT);
  EXPECT_NE(host.error.find("limit"), std::string::npos) << host.error;
  kernel.release(instance, prepared.state);
}

TEST_F(VendorC11, QueryRefusesAnotherMajorAndTakesLaterMinors) {
  const rayo_plugin *out = nullptr;
  EXPECT_EQ(file.query_fn()(&host, (RAYO_ABI_MAJOR + 1) << 16, &out), RAYO_REFUSED);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(file.query_fn()(&host, RAYO_ABI_VERSION + 7, &out), RAYO_OK);
  EXPECT_EQ(out, plugin);
}

}  // namespace
