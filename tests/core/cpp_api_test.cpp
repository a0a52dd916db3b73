// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rayo/rayo.hpp>

#include <string>
#include <vector>

namespace {

rayo::Runtime fixture_runtime() {
  static const std::string file = std::string(RAYO_FIXTURE_DIR) + "/good.so";
  static const char *const files[] = {file.c_str()};
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES;
  options.plugin_files = files;
  options.plugin_file_count = 1;
  options.log = [](void *, int32_t, const char *) {};
  return rayo::Runtime(options);
}

TEST(CppApi, RunsInfersAndPlans) {
  rayo::Runtime runtime = fixture_runtime();
  const std::vector<float> x = {1, 2, 3, 4};
  std::vector<float> y(4);
  runtime.run("good.twice", {rayo::view(x, {2, 2})}, {rayo::view(y, {2, 2})});
  EXPECT_EQ(y, (std::vector<float>{2, 4, 6, 8}));

  const std::vector<rayo::TensorView> in = {rayo::view(y, {4})};
  std::vector<float> z(4);
  const std::vector<rayo::TensorView> out = {rayo::view(z, {4})};
  const auto shapes = runtime.infer_shapes("good.twice", in);
  ASSERT_EQ(shapes.size(), 1u);
  EXPECT_EQ(shapes[0].extents[0], 4);
  const rayo::Plan plan = runtime.plan("good.twice", in, out);
  plan.run(in, out);
  EXPECT_EQ(z, (std::vector<float>{4, 8, 12, 16}));
  EXPECT_THROW(plan.run({rayo::view(x, {2, 2})}, {rayo::view(z, {2, 2})}), rayo::Exception);
}

TEST(CppApi, ListsWhatIsThere) {
  const rayo::Runtime runtime = fixture_runtime();
  ASSERT_EQ(runtime.plugins().size(), 1u);
  EXPECT_STREQ(runtime.plugins()[0].name, "good");
  ASSERT_EQ(runtime.devices().size(), 1u);
  EXPECT_STREQ(runtime.devices()[0].id, "good");
  ASSERT_EQ(runtime.kernels().size(), 1u);
  EXPECT_GT(runtime.ops().size(), 20u);
}

TEST(CppApi, FailuresAreExceptionsWithStatusAndText) {
  rayo::Runtime runtime = fixture_runtime();
  std::vector<float> x(4);
  try {
    runtime.run("no_such_op", {rayo::view(x, {4})}, {rayo::view(x, {4})});
    FAIL() << "an unknown op must throw";
  } catch (const rayo::Exception &error) {
    EXPECT_EQ(error.status(), RAYO_NOT_FOUND);
    EXPECT_NE(std::string(error.what()).find("no_such_op"), std::string::npos);
  }
  EXPECT_THROW(rayo::view(x, {5}), rayo::Exception);
  EXPECT_THROW(runtime.set_threads(100000), rayo::Exception);
  EXPECT_THROW(runtime.run("good.twice", {rayo::view(x, {4})}, {rayo::view(x, {4})},
                           rayo::Attributes().set("no_such_attribute", 1)),
               rayo::Exception);
}

TEST(CppApi, HandlesMove) {
  rayo::Runtime first = fixture_runtime();
  rayo::Runtime second = std::move(first);
  EXPECT_EQ(first.get(), nullptr);  // NOLINT: that is what is tested
  EXPECT_GE(second.threads(), 1u);
}

}  // namespace
