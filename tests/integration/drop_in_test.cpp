// SPDX-License-Identifier: Apache-2.0
//
// A backend is a file: copied into the folder it is used, removed the next best is used, and nothing is rebuilt.
#include <gtest/gtest.h>
#include <rayo/rayo.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace rayo_test {
namespace {

namespace fs = std::filesystem;

class DropIn : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rayo_drop_in_" + std::to_string(getpid()));
    fs::create_directory(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void add(const char *plugin) {
    fs::copy_file(fs::path(RAYO_PLUGIN_DIR) / (std::string(plugin) + ".so"), folder_ / (std::string(plugin) + ".so"));
  }

  // The device a fresh runtime over the folder chooses for a matmul; "" if the runtime could not be made.
  std::string chosen() {
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    const std::string path = folder_.string();
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
    options.plugin_path = path.c_str();
    rayo_runtime *runtime = nullptr;
    if (rayo_runtime_create(&options, &runtime) != RAYO_OK) return "";
    float a[4] = {1, 2, 3, 4};
    float c[4] = {};
    EXPECT_EQ(rayo_matmul_f32(runtime, 2, 2, 2, a, a, c), RAYO_OK);
    EXPECT_EQ(c[3], 22.0F);
    const int64_t shape[] = {2, 2};
    const rayo_tensor tensor = rayo_tensor_make(a, RAYO_F32, 2, shape, nullptr);
    const rayo_tensor *inputs[] = {&tensor, &tensor};
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find("matmul");
    desc.inputs = inputs;
    desc.input_count = 2;
    rayo_explanation *explanation = nullptr;
    EXPECT_EQ(rayo_explain(runtime, &desc, &explanation), RAYO_OK);
    rayo_candidate candidate{};
    candidate.struct_size = sizeof candidate;
    candidate.struct_type = RAYO_TYPE_CANDIDATE;
    const int32_t index = rayo_explanation_chosen(explanation);
    EXPECT_EQ(rayo_explanation_get(explanation, static_cast<uint32_t>(index), &candidate), RAYO_OK);
    std::string name = candidate.device;
    rayo_explanation_destroy(explanation);
    rayo_runtime_destroy(runtime);
    return name;
  }

  fs::path folder_;
};

TEST_F(DropIn, EmptyFolderIsAClearError) {
  EXPECT_EQ(chosen(), "");
  char text[RAYO_ERROR_TEXT];
  EXPECT_GT(rayo_last_error(text, sizeof text), 0u);
  EXPECT_NE(std::string(text).find(folder_.string()), std::string::npos) << text;
}

TEST_F(DropIn, TheBestPluginPresentIsUsed) {
  add("scalar");
  EXPECT_EQ(chosen(), "scalar");
  std::string best = "scalar";
#if defined(__x86_64__)
  add("avx2");
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = "avx2";
  EXPECT_EQ(chosen(), best);
  add("avx512");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) best = "avx512";
  EXPECT_EQ(chosen(), best);
  fs::remove(folder_ / "avx512.so");
  if (best == "avx512") best = "avx2";
  EXPECT_EQ(chosen(), best);
  fs::remove(folder_ / "avx2.so");
#endif
  EXPECT_EQ(chosen(), "scalar");
}

TEST_F(DropIn, AVectorPluginAloneIsEnough) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) GTEST_SKIP() << "this CPU has no AVX2";
  add("avx2");
  EXPECT_EQ(chosen(), "avx2");
#else
  GTEST_SKIP() << "x86-64 only";
#endif
}

}  // namespace
}  // namespace rayo_test
